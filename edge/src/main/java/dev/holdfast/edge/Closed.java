package dev.holdfast.edge;

import dev.holdfast.ledger.Endpoint;
import org.jspecify.annotations.Nullable;

/** Why a place has no endpoint for a request. Stateless. */
final class Closed {
  private Closed() {}

  /** Why a service takes no requests whatever runs, or null. */
  static @Nullable Code always(Place place) {
    var service = place.service();
    if (service == null || !service.released()) {
      return Code.H81;
    }
    return service.instances() == 0 ? Code.H14 : null;
  }

  /** Why a place without an endpoint that is up refuses; null when the request may wait for one. */
  static @Nullable Code now(Place place) {
    boolean crashed = false;
    for (var endpoint : place.endpoints()) {
      if (endpoint.state() == Endpoint.State.STARTING) {
        return null;
      }
      crashed |= endpoint.state() == Endpoint.State.CRASHED;
    }
    return crashed ? Code.H10 : null;
  }
}
