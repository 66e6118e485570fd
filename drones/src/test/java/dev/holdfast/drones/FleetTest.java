package dev.holdfast.drones;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.ledger.Endpoint;
import dev.holdfast.ledger.Entry;
import dev.holdfast.ledger.Kind;
import dev.holdfast.ledger.Lease;
import dev.holdfast.ledger.Payload;
import dev.holdfast.ledger.Route;
import dev.holdfast.ledger.Service;
import dev.holdfast.ledger.Transaction;
import java.time.Instant;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.Test;

class FleetTest {
  private static final Instant BIRTH = Instant.parse("2026-01-01T00:00:00Z");
  private static final App SHOP = new App("shop", BIRTH, 1, 2, 3, Map.of("web", 1));
  private static final Instance WEB =
      new Instance("shop", "web", 1, 1, 7, 4, 20_007, Instance.State.UP, BIRTH);

  private Fleet fleet = Fleet.FOLD.start();
  private long position;

  private <T> void put(Kind<T> kind, String key, T value, long revision) {
    apply(key, kind.name(), revision, false, kind.encode(value));
  }

  private void delete(Kind<?> kind, String key, long revision) {
    apply(key, kind.name(), revision, true, Payload.EMPTY);
  }

  private void apply(String key, String kind, long revision, boolean deleted, Payload payload) {
    position++;
    fleet =
        Fleet.FOLD.apply(
            fleet, new Entry(position, key, kind, 1, revision, BIRTH, "test", deleted, payload));
  }

  private static Release release(int version) {
    return new Release(
        "shop",
        version,
        Release.Status.SUCCEEDED,
        "Deploy",
        "0".repeat(64),
        Map.of("web", "run"),
        3,
        "key-" + version,
        BIRTH,
        "test",
        null);
  }

  private void fill() {
    put(App.KIND, App.key("shop"), SHOP, 1);
    put(App.KIND, App.key("shop"), SHOP.withRelease(2), 2);
    put(Release.KIND, Release.key("shop", 1), release(1), 1);
    put(Release.KIND, Release.key("shop", 2), release(2), 1);
    put(ConfigVars.KIND, ConfigVars.key("shop", 3), new ConfigVars("shop", 3, Map.of("A", "b")), 1);
    put(Instance.KIND, WEB.key(), WEB, 1);
    put(Route.KIND, Route.key("shop.localhost"), Route.toService("shop.localhost", "shop"), 1);
    var crash = new Crash("shop", "web.1", 1, "d7-3", 2, "exit status 1", BIRTH, BIRTH);
    put(Crash.KIND, crash.key(), crash, 1);
    var endpoint = WEB.endpoint(Endpoint.State.UP);
    put(Endpoint.KIND, endpoint.key(), endpoint, 1);
  }

  @Test
  void holdsTheLastStateOfEveryKey() {
    fill();
    assertThat(fleet.app("shop")).isEqualTo(SHOP.withRelease(2));
    assertThat(fleet.versioned("shop")).isEqualTo(new Fleet.Versioned<>(2, SHOP.withRelease(2)));
    assertThat(fleet.releasesOf("shop")).containsExactly(release(2), release(1));
    assertThat(fleet.releaseOf("shop", "key-1")).isEqualTo(release(1));
    assertThat(fleet.releaseOf("shop", null)).isNull();
    assertThat(fleet.config("shop", 3).vars()).containsExactly(Map.entry("A", "b"));
    assertThat(fleet.newestConfig("shop")).isEqualTo(3);
    assertThat(fleet.config("shop", 4).vars()).isEmpty();
    assertThat(fleet.instancesOf("shop")).containsExactly(WEB);
    assertThat(fleet.crashesOf("shop")).hasSize(1);
    assertThat(fleet.routesOf("shop")).hasSize(1);
    assertThat(fleet.endpoints().get(Endpoint.key("shop", WEB.id())))
        .isEqualTo(WEB.endpoint(Endpoint.State.UP));
    assertThat(fleet.allApps()).containsExactly(SHOP.withRelease(2));
  }

  @Test
  void forgetsWhatIsDeleted() {
    fill();
    delete(App.KIND, App.key("shop"), 3);
    delete(Release.KIND, Release.key("shop", 1), 2);
    delete(ConfigVars.KIND, ConfigVars.key("shop", 3), 2);
    delete(Instance.KIND, WEB.key(), 2);
    delete(Route.KIND, Route.key("shop.localhost"), 2);
    delete(Crash.KIND, Crash.key("shop", "web.1"), 2);
    delete(Endpoint.KIND, Endpoint.key("shop", WEB.id()), 2);
    assertThat(fleet.app("shop")).isNull();
    assertThat(fleet.releasesOf("shop")).containsExactly(release(2));
    assertThat(fleet.config("shop", 3).vars()).isEmpty();
    assertThat(fleet.instancesOf("shop")).isEmpty();
    assertThat(fleet.crashesOf("shop")).isEmpty();
    assertThat(fleet.routesOf("shop")).isEmpty();
    assertThat(fleet.endpoints().get(Endpoint.key("shop", WEB.id()))).isNull();
    delete(Crash.KIND, "crash/nobody/web.1", 1); // what was never there is no trouble
  }

  @Test
  void keepsNoRoutesToAddressesAndForgetsADomainThatBecomesOne() {
    var host = "www.example.org";
    put(Route.KIND, Route.key(host), Route.toAddress(host, "http://127.0.0.1:3000"), 1);
    assertThat(fleet.routes().size()).isZero();
    assertThat(fleet.revisions().size()).isZero();
    put(Route.KIND, Route.key(host), Route.toService(host, "shop"), 2);
    assertThat(fleet.routesOf("shop")).hasSize(1);
    assertThat(fleet.unchanged(Route.key(host))).isEqualTo(Transaction.at(2));
    put(Route.KIND, Route.key(host), Route.toAddress(host, "http://127.0.0.1:3000"), 3);
    assertThat(fleet.routes().size()).isZero();
    assertThat(fleet.revisions().size()).isZero();
  }

  @Test
  void readsTheKindsThatItKeeps() {
    assertThat(Fleet.FOLD.reads(Route.KIND.name())).isTrue();
    assertThat(Fleet.FOLD.reads(Lease.KIND.name())).isTrue();
    assertThat(Fleet.FOLD.reads(Service.KIND.name())).isFalse();
  }

  @Test
  void keepsEndedLeasesSinceTheirRevisionGivesTheNextEpoch() {
    var key = Lease.entryKey("drone/d7");
    put(Lease.KIND, key, new Lease.State("shop", 1, true, "node/n", 0), 1);
    put(Lease.KIND, key, new Lease.State("shop", 1, false, "node/n", 0), 2);
    var lease = Objects.requireNonNull(fleet.leases().get(key));
    assertThat(lease.revision()).isEqualTo(2);
    assertThat(lease.value().held()).isFalse();
  }

  @Test
  void knowsUnderWhichConditionAKeyIsUnchanged() {
    assertThat(fleet.unchanged(WEB.key())).isEqualTo(Transaction.ABSENT);
    put(Instance.KIND, WEB.key(), WEB, 5);
    assertThat(fleet.unchanged(WEB.key())).isEqualTo(Transaction.at(5));
    delete(Instance.KIND, WEB.key(), 6);
    assertThat(fleet.unchanged(WEB.key())).isEqualTo(Transaction.ABSENT);
  }

  @Test
  void letsUnknownKindsPassAndRefusesPayloadsThatItCannotRead() {
    put(App.KIND, App.key("shop"), SHOP, 1);
    var before = fleet;
    put(Service.KIND, Service.key("shop"), new Service("shop", true, 1), 1);
    apply("moon/1", "moon", 1, false, Payload.EMPTY);
    assertThat(fleet).isSameAs(before);
    var broken = Kind.open("text", 1, String.class).encode("no app");
    assertThatThrownBy(() -> apply(App.key("shop"), "app", 2, false, broken))
        .isInstanceOf(IllegalArgumentException.class);
    assertThat(fleet).isSameAs(before);
  }
}
