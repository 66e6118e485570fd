package dev.holdfast.edge;

import dev.holdfast.ledger.Entry;
import dev.holdfast.ledger.PersistentMap;
import dev.holdfast.ledger.Policy;
import dev.holdfast.ledger.Route;
import dev.holdfast.limits.Check;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;

/**
 * Which policy holds for every host, merged beforehand so that a request costs two look-ups at
 * most. Immutable.
 */
public final class Policies {
  private static final Policies EMPTY =
      new Policies(PersistentMap.empty(), PersistentMap.empty(), PersistentMap.empty());

  private final PersistentMap<String, Policy> services;
  private final PersistentMap<String, Policy> hosts;
  private final PersistentMap<String, Policy> merged;

  private Policies(
      PersistentMap<String, Policy> services,
      PersistentMap<String, Policy> hosts,
      PersistentMap<String, Policy> merged) {
    this.services = services;
    this.hosts = hosts;
    this.merged = merged;
  }

  /** Nobody asked for anything. */
  static Policies empty() {
    return EMPTY;
  }

  /** What holds for that host, whose route leads to that service or to an address. */
  Policy of(String host, @Nullable String service) {
    var own = hosts.size() == 0 ? null : merged.get(host);
    if (own != null) {
      return own;
    }
    var theirs = service == null || services.size() == 0 ? null : services.get(service);
    return theirs == null ? Policy.NONE : theirs;
  }

  /** With what that entry of kind policy says. */
  Policies with(Entry entry, PersistentMap<String, Route> routes) {
    var service = Policy.service(entry.key());
    var host = Policy.host(entry.key());
    Check.that(
        service != null || host != null,
        "key",
        entry.key(),
        "policy/service/NAME or policy/host/HOST");
    var policy = entry.deleted() ? null : Policy.KIND.decode(entry);
    if (service != null) {
      checkKey(entry, Policy.serviceKey(service));
      return ofService(service, policy, routes);
    }
    if (host == null) {
      return this;
    }
    checkKey(entry, Policy.hostKey(host));
    if (policy == null) {
      return new Policies(services, hosts.without(host), merged.without(host));
    }
    var route = routes.get(host);
    var whole = policy.over(inherited(services, route == null ? null : route.service()));
    return new Policies(services, hosts.with(host, policy), merged.with(host, whole));
  }

  private Policies ofService(
      String service, @Nullable Policy policy, PersistentMap<String, Route> routes) {
    var changed = policy == null ? services.without(service) : services.with(service, policy);
    var inherited = policy == null ? Policy.NONE : policy;
    var all = new Merging(merged);
    hosts.forEach((host, own) -> {
      var route = routes.get(host);
      if (route != null && service.equals(route.service())) {
        all.merged = all.merged.with(host, own.over(inherited));
      }
    });
    return new Policies(changed, hosts, all.merged);
  }

  private static final class Merging {
    PersistentMap<String, Policy> merged;

    Merging(PersistentMap<String, Policy> merged) {
      this.merged = merged;
    }
  }

  /** Every service with a policy of its own. */
  void services(BiConsumer<String, Policy> each) {
    services.forEach(each);
  }

  /** Every host with a policy of its own, and what holds for it. */
  void hosts(BiConsumer<String, Policy> each) {
    merged.forEach(each);
  }

  /** With what follows from that host leading to that service now, or to none. */
  Policies routed(String host, @Nullable String service) {
    var own = hosts.size() == 0 ? null : hosts.get(host);
    return own == null
        ? this
        : new Policies(services, hosts, merged.with(host, own.over(inherited(services, service))));
  }

  private static Policy inherited(
      PersistentMap<String, Policy> services, @Nullable String service) {
    var policy = service == null ? null : services.get(service);
    return policy == null ? Policy.NONE : policy;
  }

  private static void checkKey(Entry entry, String expected) {
    Check.that(entry.key().equals(expected), "key", entry.key(), expected);
  }
}
