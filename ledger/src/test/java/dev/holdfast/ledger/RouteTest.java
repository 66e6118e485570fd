package dev.holdfast.ledger;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Instant;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class RouteTest {

  @Test
  void leadsToAServiceOrToAnAddress() {
    assertThat(Route.toService("WWW.Example.org", "web"))
        .isEqualTo(new Route("www.example.org", "web", null));
    assertThat(Route.toAddress("a.example", "http://127.0.0.1:3000/"))
        .isEqualTo(new Route("a.example", null, "http://127.0.0.1:3000"));
    assertThat(Route.toAddress("a.example", "http://[::1]:3000").address())
        .isEqualTo("http://[::1]:3000");
    assertThat(Route.key("WWW.example.org.")).isEqualTo("route/www.example.org");
  }

  @Test
  void refusesNeitherAndBoth() {
    assertThatThrownBy(() -> new Route("a.example", null, null))
        .hasMessageContaining("either a service or an address");
    assertThatThrownBy(() -> new Route("a.example", "web", "http://127.0.0.1:1"))
        .hasMessageContaining("either a service or an address");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "127.0.0.1:3000",
        "https://127.0.0.1:3000",
        "http://127.0.0.1",
        "http://127.0.0.1:0",
        "http://127.0.0.1:65536",
        "http://user@127.0.0.1:80",
        "http://127.0.0.1:80/path",
        "http://127.0.0.1:80?query",
        "http://127.0.0.1:80#part",
        "http://:80",
        "http://a b:80",
        "",
      })
  void refusesAddressesThatSayMoreOrLess(String address) {
    assertThatThrownBy(() -> Route.toAddress("a.example", address))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageStartingWith("address: ");
  }

  @Test
  void isReadBackAsWrittenAndUnknownFieldsAreLetPass() {
    var route = Route.toService("a.example", "web");
    assertThat(Route.KIND.decode(entry(Route.KIND.encode(route)))).isEqualTo(route);
    var newer = "{\"host\":\"a.example\",\"service\":\"web\",\"colour\":\"red\"}";
    assertThat(Route.KIND.decode(entry(Payload.of(newer)))).isEqualTo(route);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "null",
        "{}",
        "[]",
        "{\"host\":\"a b\",\"service\":\"web\"}",
        "{\"host\":null,\"service\":\"web\"}",
        "{\"host\":\"a.example\",\"service\":\"web\"} {}",
        "{\"host\":{\"a\":1},\"service\":\"web\"}",
      })
  void whatIsNoRouteIsRefusedInASentence(String payload) {
    assertThatThrownBy(() -> Route.KIND.decode(entry(Payload.of(payload))))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageStartingWith("payload of route/a.example: ");
  }

  @Test
  void deepNestingIsRefusedAndNoStackOverflows() {
    var deep = "{\"host\":\"a.example\",\"x\":" + "[".repeat(100_000);
    assertThatThrownBy(() -> Route.KIND.decode(entry(Payload.of(deep))))
        .isInstanceOf(IllegalArgumentException.class);
  }

  private static Entry entry(Payload payload) {
    return new Entry(1, "route/a.example", "route", 1, 1, Instant.EPOCH, "test", false, payload);
  }
}
