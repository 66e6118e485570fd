package dev.holdfast.edge;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.ledger.Policy;
import dev.holdfast.ledger.Route;
import org.junit.jupiter.api.Test;

class PoliciesTest {
  private final RoutingFold fold = new RoutingFold();
  private Routing routing = fold.start();

  /** Both the bound and the account tell whose word it was. */
  private static Policy bytes(long max, String account) {
    return new Policy(
        null,
        null,
        null,
        null,
        null,
        max < 0 ? null : max,
        null,
        null,
        null,
        null,
        null,
        null,
        null,
        null,
        null,
        null,
        null,
        account,
        null,
        null,
        null);
  }

  private void service(String name, Policy policy) {
    var key = Policy.serviceKey(name);
    routing = fold.apply(routing, Rig.entry(1, key, Policy.KIND, policy));
  }

  private void host(String host, Policy policy) {
    var key = Policy.hostKey(host);
    routing = fold.apply(routing, Rig.entry(1, key, Policy.KIND, policy));
  }

  private void route(Route route) {
    routing = fold.apply(routing, Rig.entry(1, Route.key(route.host()), Route.KIND, route));
  }

  private void delete(String key, String kind) {
    routing = fold.apply(routing, Rig.deletion(1, key, kind));
  }

  @Test
  void aHostGoesOverItsServiceWhateverCameFirst() {
    host("a.test", bytes(-1, "host"));
    service("app", bytes(5, "service"));
    route(Route.toService("a.test", "app"));
    route(Route.toService("b.test", "app"));
    assertThat(routing.policy("a.test", "app")).isEqualTo(bytes(5, "host"));
    assertThat(routing.policy("b.test", "app")).isEqualTo(bytes(5, "service"));
    service("app", bytes(6, "service"));
    assertThat(routing.policy("a.test", "app")).isEqualTo(bytes(6, "host"));
    host("a.test", bytes(7, "host"));
    assertThat(routing.policy("a.test", "app")).isEqualTo(bytes(7, "host"));
    host("a.test", bytes(-1, "host"));
    delete("policy/service/app", "policy");
    assertThat(routing.policy("a.test", "app")).isEqualTo(bytes(-1, "host"));
    assertThat(routing.policy("b.test", "app")).isSameAs(Policy.NONE);
    delete("policy/host/a.test", "policy");
    assertThat(routing.policy("a.test", "app")).isSameAs(Policy.NONE);
  }

  @Test
  void aHostThatLeadsElsewhereInheritsFromThere() {
    service("one", bytes(1, "one"));
    service("two", bytes(2, "two"));
    host("a.test", bytes(-1, "host"));
    route(Route.toService("a.test", "one"));
    assertThat(routing.policy("a.test", "one")).isEqualTo(bytes(1, "host"));
    route(Route.toService("a.test", "two"));
    assertThat(routing.policy("a.test", "two")).isEqualTo(bytes(2, "host"));
    route(Route.toAddress("a.test", "http://127.0.0.1:1"));
    assertThat(routing.policy("a.test", null)).isEqualTo(bytes(-1, "host"));
    route(Route.toService("a.test", "one"));
    delete("route/a.test", "route");
    assertThat(routing.policy("a.test", null)).isEqualTo(bytes(-1, "host"));
  }

  @Test
  void leavesHostsOfOtherServicesAlone() {
    host("a.test", bytes(-1, "host"));
    route(Route.toService("a.test", "one"));
    service("two", bytes(2, "two"));
    assertThat(routing.policy("a.test", "one")).isEqualTo(bytes(-1, "host"));
    assertThat(routing.policy("x.test", null)).isSameAs(Policy.NONE);
  }

  @Test
  void refusesKeysThatSayNothing() {
    var entry = Rig.entry(1, "policy/what/a", Policy.KIND, Policy.NONE);
    assertThatThrownBy(() -> fold.apply(routing, entry))
        .hasMessageContaining("key: policy/what/a (expected: policy/service/NAME");
    var upper = Rig.entry(1, "policy/host/A.test", Policy.KIND, Policy.NONE);
    assertThatThrownBy(() -> fold.apply(routing, upper))
        .hasMessageContaining("expected: policy/host/a.test");
  }
}
