package dev.holdfast.edge;

import dev.holdfast.ledger.Endpoint;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.random.RandomGenerator;

/**
 * Which endpoint gets a request: of two taken by chance the one with less under way (Mitzenmacher,
 * "The Power of Two Choices in Randomized Load Balancing", 1996), which spreads nearly as well as
 * the least loaded of all and never sends a whole crowd to the same one. Stateless.
 */
final class Chooser {
  private Chooser() {}

  /** What to do with a request for a service. */
  sealed interface Choice {
    /** Send it there. */
    record Send(Endpoint endpoint) implements Choice {}

    /** Hold it: an endpoint will be up soon. */
    record Hold() implements Choice {}

    /** Answer with that code. */
    record Refuse(Code code) implements Choice {}
  }

  static Choice choose(
      Routing routing,
      String name,
      Set<String> tried,
      Gauges gauges,
      EdgeConfig config,
      RandomGenerator random,
      long now) {
    var service = routing.service(name);
    if (service == null || !service.released()) {
      return new Choice.Refuse(Code.H81);
    }
    if (service.instances() == 0) {
      return new Choice.Refuse(Code.H14);
    }
    var endpoints = routing.endpoints(name);
    var up = up(endpoints, tried);
    if (up.isEmpty()) {
      return tried.isEmpty() ? none(endpoints) : new Choice.Refuse(Code.H21);
    }
    // Avoiding is a preference: the last one left is tried however it behaved.
    var preferred = up.stream().filter(e -> !gauges.of(Target.of(e)).avoided(now)).toList();
    return pick(preferred.isEmpty() ? up : preferred, gauges, config, random);
  }

  private static List<Endpoint> up(List<Endpoint> endpoints, Set<String> tried) {
    var up = new ArrayList<Endpoint>(endpoints.size());
    for (var endpoint : endpoints) {
      if (endpoint.state() == Endpoint.State.UP && !tried.contains(endpoint.id())) {
        up.add(endpoint);
      }
    }
    return up;
  }

  /** None is up: crashed for good as far as anybody knows, or about to come. */
  private static Choice none(List<Endpoint> endpoints) {
    boolean crashed = false;
    for (var endpoint : endpoints) {
      if (endpoint.state() == Endpoint.State.STARTING) {
        return new Choice.Hold();
      }
      crashed |= endpoint.state() == Endpoint.State.CRASHED;
    }
    return crashed ? new Choice.Refuse(Code.H10) : new Choice.Hold();
  }

  private static Choice pick(
      List<Endpoint> up, Gauges gauges, EdgeConfig config, RandomGenerator random) {
    var first = up.get(random.nextInt(up.size()));
    var second = first;
    if (up.size() > 1) {
      int other = random.nextInt(up.size() - 1);
      second = up.get(other < up.indexOf(first) ? other : other + 1);
    }
    var choice = load(second, gauges) < load(first, gauges) ? second : first;
    if (gauges.of(Target.of(choice)).requests() < config.requestsPerEndpointMax()) {
      return new Choice.Send(choice);
    }
    for (var endpoint : up) {
      if (gauges.of(Target.of(endpoint)).requests() < config.requestsPerEndpointMax()) {
        return new Choice.Send(endpoint);
      }
    }
    return new Choice.Refuse(Code.H11);
  }

  private static int load(Endpoint endpoint, Gauges gauges) {
    return gauges.of(Target.of(endpoint)).inFlight();
  }
}
