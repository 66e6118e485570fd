package dev.holdfast.drones;

import dev.holdfast.ledger.Endpoint;
import dev.holdfast.ledger.Kind;
import java.time.Instant;
import java.util.Objects;

/**
 * One process of an app on one drone, from placement to end. Immutable.
 *
 * @param app whose process it is
 * @param type process type, such as {@code web}
 * @param index place in the formation, from 1
 * @param release version that it runs
 * @param drone number of the drone
 * @param epoch epoch of the drone's lease
 * @param port port given to it; 0 for none
 * @param state where it is in its life
 * @param since when it came into that state
 */
public record Instance(
    String app,
    String type,
    int index,
    int release,
    int drone,
    long epoch,
    int port,
    State state,
    Instant since) {
  /** Instances in the ledger. */
  public static final Kind<Instance> KIND = Kind.open("instance", 1, Instance.class);

  /** Where an instance is in its life. */
  public enum State {
    /** Placed; it has not proved to work yet. */
    STARTING,
    /** It works. */
    UP,
    /** It gets nothing new and finishes what it has. */
    DRAINING,
    /** It was told to end. */
    STOPPING;

    /** Whether it is on its way out. */
    public boolean leaving() {
      return this == DRAINING || this == STOPPING;
    }
  }

  /** Refuses an instance without an app, a type or a state. */
  public Instance {
    Objects.requireNonNull(app, "app");
    Objects.requireNonNull(type, "type");
    Objects.requireNonNull(state, "state");
    Objects.requireNonNull(since, "since");
  }

  /** Unique for ever: drone and lease epoch. */
  public String id() {
    return "d" + drone + "-" + epoch;
  }

  /** What people call it, such as {@code web.1}. */
  public String process() {
    return type + "." + index;
  }

  boolean routed() {
    return type.equals(Release.WEB);
  }

  String key() {
    return "instance/" + app + "/" + id();
  }

  String droneLease() {
    return droneLease(drone);
  }

  static String droneLease(int drone) {
    return "drone/d" + drone;
  }

  static String portLease(int port) {
    return "port/" + port;
  }

  Instance in(State next, Instant now) {
    return new Instance(app, type, index, release, drone, epoch, port, next, now);
  }

  Endpoint endpoint(Endpoint.State endpointState) {
    return new Endpoint(
        app, id(), process(), "127.0.0.1", port, droneLease(), epoch, endpointState);
  }
}
