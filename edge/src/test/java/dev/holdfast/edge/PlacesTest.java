package dev.holdfast.edge;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.ledger.PersistentMap;
import dev.holdfast.ledger.Route;
import dev.holdfast.limits.ManualTime;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class PlacesTest {
  private static final int SIZE = 256;

  private final Authority authority = new Authority();
  private final Places places = new Places(new Gauges(new ManualTime()), SIZE);
  private Routing routing = Routing.empty();

  private void route(int hosts) {
    PersistentMap<String, Route> routes = PersistentMap.empty();
    for (int i = 0; i < hosts; i++) {
      routes = routes.with(host(i), Route.toAddress(host(i), "http://127.0.0.1:" + (1 + i)));
    }
    routing = new Routing(routes, PersistentMap.empty(), PersistentMap.empty());
  }

  private static String host(int i) {
    return "app" + i + ".example.org";
  }

  private @Nullable Place find(int i) {
    byte[] name = host(i).getBytes(ISO_8859_1);
    assertThat(authority.read(name, 0, name.length)).isTrue();
    return places.find(authority, routing);
  }

  private Place found(int i) {
    return Objects.requireNonNull(find(i), host(i));
  }

  @Test
  void everyHostLeadsToItsAddressHoweverManyThereAre() {
    route(20 * SIZE);
    for (int round = 0; round < 3; round++) {
      for (int i = 0; i < 20 * SIZE; i++) {
        assertThat(found(i).app()).isEqualTo("http://127.0.0.1:" + (1 + i));
        assertThat(places.count()).isLessThanOrEqualTo(SIZE);
      }
    }
    assertThat(find(20 * SIZE)).isNull();
  }

  @Test
  void hostsThatComeOnceDoNotPushOutThoseThatAreThere() {
    route(SIZE + 4 * SIZE);
    var before = new Place[SIZE];
    for (int i = 0; i < SIZE; i++) {
      before[i] = found(i);
    }
    for (int i = SIZE; i < SIZE + 4 * SIZE; i++) {
      find(i);
    }
    int still = 0;
    for (int i = 0; i < SIZE; i++) {
      still += find(i) == before[i] ? 1 : 0;
    }
    assertThat(still).isGreaterThan(SIZE / 2);
  }

  @Test
  void aHostThatComesOftenGetsRoom() {
    route(10 * SIZE);
    for (int i = 0; i < 9 * SIZE; i++) {
      find(i);
    }
    int tries = 0;
    Place before;
    Place after = found(10 * SIZE - 1);
    do {
      before = after;
      after = found(10 * SIZE - 1);
      assertThat(tries++).isLessThan(32);
    } while (after != before);
  }

  @Test
  void aHostThatLeadsNowhereAnyMoreIsNotFound() {
    route(2);
    assertThat(find(1)).isNotNull();
    route(1);
    assertThat(find(1)).isNull();
    assertThat(found(0).app()).isEqualTo("http://127.0.0.1:1");
  }
}
