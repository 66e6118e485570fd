package dev.holdfast.edge;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.ledger.Policy;
import io.netty.buffer.Unpooled;
import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Whom a request is counted under when a proxy speaks for its visitor. */
@SuppressWarnings("StringConcatToTextBlock") // lines end with CR LF here
class VisitorsTest {
  private static Head head(String fields) {
    var raw = "GET / HTTP/1.1\r\nHost: a\r\n" + fields + "\r\n";
    var request = new Request().reset(new Head.Limits(8192, 8192, 1000, 1000, 131_072));
    assertThat(request.feed(Unpooled.copiedBuffer(raw, ISO_8859_1))).isNull();
    return request.head;
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "192.0.2.7                                  | 192.0.2.7",
        "192.0.2.9, 192.0.2.7                       | 192.0.2.7",
        "192.0.2.7, 10.1.1.1                        | 192.0.2.7",
        "192.0.2.9,192.0.2.7 , 10.1.1.1,10.2.2.2    | 192.0.2.7",
        "10.3.3.3, 10.2.2.2                         | 10.3.3.3",
        "192.0.2.7:4711                             | 192.0.2.7",
        "[2001:db8::7]:4711                         | 2001:db8:0:0:0:0:0:7",
        "2001:db8::7, fd00::1                       | 2001:db8:0:0:0:0:0:7",
        "192.0.2.7, unknown                         | 10.0.0.1",
        "192.0.2.7, unknown, 10.2.2.2               | 10.2.2.2",
        "192.0.2.7,                                 | 10.0.0.1",
        "::ffff:192.0.2.7                           | 192.0.2.7",
      })
  void isTheRightMostAddressThatIsNoTrustedProxy(String list, String visitor) {
    var visitors = new Visitors(List.of("10.0.0.0/8", "fd00::/8"));
    assertThat(visitors.behind("10.0.0.1", head("X-Forwarded-For: " + list + "\r\n")))
        .isEqualTo(visitor);
  }

  @Test
  void readsSeveralFieldsAsOneList() {
    var visitors = new Visitors(List.of("10.0.0.0/8"));
    var fields = "X-Forwarded-For: 192.0.2.9\r\nX-Forwarded-For: 192.0.2.7, 10.1.1.1\r\n";
    assertThat(visitors.behind("10.0.0.1", head(fields))).isEqualTo("192.0.2.7");
    assertThat(visitors.behind("10.0.0.1", head(""))).isEqualTo("10.0.0.1");
    var many = "X-Forwarded-For: 192.0.2.7" + ", 10.1.1.1".repeat(Visitors.ADDRESSES_MAX) + "\r\n";
    assertThat(visitors.behind("10.0.0.1", head(many))).isEqualTo("10.1.1.1");
  }

  @Test
  void believesOnlyTrustedPeers() {
    assertThat(new Visitors(List.of("10.0.0.0/8")).believes("10.9.9.9")).isTrue();
    assertThat(new Visitors(List.of("10.0.0.0/8")).believes("11.0.0.1")).isFalse();
    assertThat(new Visitors(List.of("10.0.0.0/8")).believes("")).isFalse();
    assertThat(new Visitors(List.of()).believes("10.0.0.1")).isFalse();
  }

  private static FrontRig rig(String proxy) throws IOException {
    var config = new TestConfig();
    config.eventLoops = 1;
    config.admission =
        AdmissionConfig.defaults()
            .withAll(Limiter.Mode.OFF)
            .with(Limiter.CLIENT_RATE, Limiter.Mode.ENFORCE);
    var front = new TestFront();
    front.proxies = List.of(proxy);
    return new FrontRig(config, front, Keys.of("app.test"));
  }

  /** How many requests until one is refused; those of the list differ in what stands left. */
  private static int asked(FrontRig rig, String right, int most) throws IOException {
    try (var wire = rig.plain()) {
      for (int i = 0; i < most; i++) {
        var list = "198.51." + i / 250 + "." + i % 250 + right;
        wire.send("GET / HTTP/1.1\r\nHost: app.test\r\nX-Forwarded-For: " + list + "\r\n\r\n");
        int status = wire.message().status();
        if (status != 200) {
          assertThat(status).isEqualTo(429);
          return i;
        }
      }
    }
    return most;
  }

  @Test
  void admissionCountsTheVisitorsOfATrustedProxyEachForHimself() throws IOException {
    int most = 10 * AdmissionConfig.defaults().rate().clientBurst();
    try (var backend = Backend.answering(Backend.ok("x"));
        var rig = rig("127.0.0.0/8").app(backend)) {
      int pretenders = asked(rig, ", 192.0.2.7, 127.0.0.2", most);
      assertThat(pretenders).as("one visitor who claims to be many").isLessThan(most);
      assertThat(asked(rig, ", 127.0.0.2", 2 * pretenders)).isEqualTo(2 * pretenders);
    }
  }

  @Test
  void admissionCountsAnyOtherPeerAsItself() throws IOException {
    int most = 10 * AdmissionConfig.defaults().rate().clientBurst();
    try (var backend = Backend.answering(Backend.ok("x"));
        var rig = rig("192.0.2.1").app(backend)) {
      assertThat(asked(rig, "", most)).isLessThan(most);
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "X-Forwarded-Proto: https                            | https | 443",
        "X-Forwarded-Proto: http, HTTPS                      | https | 443",
        "X-Forwarded-Proto: wss                              | https | 443",
        "X-Forwarded-Proto: https~X-Forwarded-Port: 8443     | https | 8443",
        "X-Forwarded-Proto: http~X-Forwarded-Port: 65536     | http  | 80",
        "X-Forwarded-Proto: gopher~X-Forwarded-Port: 70      | http  | own",
        "X-Forwarded-Port: 8443                              | http  | own",
      })
  void aTrustedProxySaysHowTheVisitorCame(String fields, String scheme, String port)
      throws IOException {
    try (var backend = Backend.answering(Backend.ok("x"));
        var rig = rig("127.0.0.0/8").app(backend)) {
      var told = told(rig, backend, fields.strip().replace("~", "\r\n"));
      assertThat(told.field("x-forwarded-proto")).isEqualTo(scheme);
      var own = String.valueOf(rig.edge.address().getPort());
      assertThat(told.field("x-forwarded-port")).isEqualTo(port.equals("own") ? own : port);
    }
  }

  @Test
  void aStrangerSaysNothingOfTheKind() throws IOException {
    try (var backend = Backend.answering(Backend.ok("x"));
        var rig = rig("192.0.2.1").app(backend)) {
      var told = told(rig, backend, "X-Forwarded-Proto: https");
      assertThat(told.field("x-forwarded-proto")).isEqualTo("http");
    }
  }

  @Test
  void whoCameToATrustedProxyByHttpsIsNotSentThereAgain() throws IOException {
    try (var backend = Backend.answering(Backend.ok("x"));
        var rig = rig("127.0.0.0/8").app(backend)) {
      rig.policy("app.test", PolicyForm.of("https", Policy.Https.ON));
      try (var wire = rig.plain()) {
        wire.send("GET / HTTP/1.1\r\nHost: app.test\r\nX-Forwarded-Proto: https\r\n\r\n");
        assertThat(wire.message().status()).isEqualTo(200);
        wire.send("GET / HTTP/1.1\r\nHost: app.test\r\n\r\n");
        assertThat(wire.message().status()).isEqualTo(301);
      }
    }
  }

  private static Wire.Message told(FrontRig rig, Backend backend, String fields)
      throws IOException {
    try (var wire = rig.plain()) {
      wire.send("GET / HTTP/1.1\r\nHost: app.test\r\n" + fields + "\r\n\r\n");
      assertThat(wire.message().status()).isEqualTo(200);
    }
    return new Wire.Message(backend.heads.getLast(), "");
  }
}
