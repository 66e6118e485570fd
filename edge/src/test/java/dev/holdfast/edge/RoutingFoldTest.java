package dev.holdfast.edge;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.ledger.Endpoint;
import dev.holdfast.ledger.Route;
import dev.holdfast.ledger.Service;
import java.util.List;
import org.junit.jupiter.api.Test;

class RoutingFoldTest {
  private final RoutingFold fold = new RoutingFold();

  private static Endpoint endpoint(String id, Endpoint.State state) {
    return new Endpoint("app", id, "web.1", "127.0.0.1", 5000, "lease/x", 1, state);
  }

  private Routing with(Routing routing, Endpoint endpoint) {
    return fold.apply(routing, Rig.entry(1, endpoint.key(), Endpoint.KIND, endpoint));
  }

  @Test
  void putsChangesAndDeletesRoutesAndServices() {
    var route = Route.toService("a.test", "app");
    var service = new Service("app", true, 1);
    var routing = fold.apply(fold.start(), Rig.entry(1, Route.key("a.test"), Route.KIND, route));
    routing = fold.apply(routing, Rig.entry(2, Service.key("app"), Service.KIND, service));
    assertThat(routing.route("a.test")).isEqualTo(route);
    assertThat(routing.service("app")).isEqualTo(service);
    var elsewhere = Route.toAddress("a.test", "http://127.0.0.1:1");
    var moved = fold.apply(routing, Rig.entry(3, Route.key("a.test"), Route.KIND, elsewhere));
    assertThat(moved.route("a.test")).isEqualTo(elsewhere);
    assertThat(routing.route("a.test")).as("the old view stays").isEqualTo(route);
    moved = fold.apply(moved, Rig.deletion(4, "route/a.test", "route"));
    moved = fold.apply(moved, Rig.deletion(5, "service/app", "service"));
    assertThat(moved.route("a.test")).isNull();
    assertThat(moved.service("app")).isNull();
  }

  @Test
  void keepsEndpointsByIdAndDropsTheLastWithItsList() {
    var routing = with(fold.start(), endpoint("b", Endpoint.State.STARTING));
    routing = with(routing, endpoint("a", Endpoint.State.UP));
    routing = with(routing, endpoint("b", Endpoint.State.UP));
    assertThat(routing.endpoints("app"))
        .isEqualTo(List.of(endpoint("a", Endpoint.State.UP), endpoint("b", Endpoint.State.UP)));
    routing = fold.apply(routing, Rig.deletion(4, "endpoint/app/a", "endpoint"));
    assertThat(routing.endpoint("app", "a")).isNull();
    assertThat(routing.endpoint("app", "b")).isNotNull();
    routing = fold.apply(routing, Rig.deletion(5, "endpoint/app/b", "endpoint"));
    assertThat(routing.endpoints().size()).isZero();
    assertThat(routing.endpoints("app")).isEmpty();
  }

  @Test
  void letsUnknownKindsPass() {
    var routing = with(fold.start(), endpoint("a", Endpoint.State.UP));
    assertThat(fold.apply(routing, Rig.deletion(2, "account/x", "account"))).isSameAs(routing);
  }

  @Test
  void refusesAPayloadUnderAForeignKey() {
    var entry = Rig.entry(1, Route.key("b.test"), Route.KIND, Route.toService("a.test", "app"));
    assertThatThrownBy(() -> fold.apply(fold.start(), entry))
        .hasMessageContaining("key: route/b.test (expected: route/a.test)");
  }
}
