package dev.holdfast.edge;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.ledger.Policy;
import dev.holdfast.ledger.Policy.ExpectContinue;
import java.io.IOException;
import java.net.SocketTimeoutException;
import org.junit.jupiter.api.Test;

/** What a policy does to what clients send: heads, and bodies that the app may not want. */
@SuppressWarnings("StringConcatToTextBlock") // lines end with CR LF here
class RequestPolicyTest {
  private static final Policy END_TO_END =
      PolicyForm.of("expectContinue", ExpectContinue.END_TO_END);
  private static final String EXPECTING =
      "POST / HTTP/1.1\r\nHost: app.test\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n";
  private static final String CONTINUE = "HTTP/1.1 100 Continue\r\n\r\n";

  @Test
  void refusesHeadsBeyondTheBound() throws IOException {
    try (var backend = Backend.answering(Backend.ok("x"));
        var rig = new Rig().app(backend);
        var wire = rig.connect()) {
      rig.policy("app.test", PolicyForm.of("requestHeaderBytesMax", 1024));
      var empty = "GET / HTTP/1.1\r\nHost: app.test\r\na: \r\n\r\n";
      var fits = empty.replace("a: ", "a: " + "b".repeat(1024 - empty.length()));
      assertThat(wire.send(fits).message().status()).isEqualTo(200);
      var refused = wire.send(fits.replace("a: ", "a: b")).message();
      assertThat(refused.status()).isEqualTo(431);
      assertThat(refused.field("holdfast-error")).isEqualTo("H26");
      assertThat(rig.logged(2)).contains("code=H26").contains("oversized header");
      assertThat(backend.heads).hasSize(1);
      rig.policy("app.test", Policy.NONE);
      assertThat(wire.send(fits.replace("a: ", "a: b")).message().status()).isEqualTo(200);
    }
  }

  @Test
  void answersAnExpectationItselfUnlessToldOtherwise() throws IOException {
    try (var backend = Backend.answering(Backend.ok("x"));
        var rig = new Rig().app(backend);
        var wire = rig.connect()) {
      assertThat(wire.send(EXPECTING).head()).isEqualTo(CONTINUE);
      assertThat(wire.send("abc").message().status()).isEqualTo(200);
      assertThat(backend.heads.getFirst()).doesNotContain("Expect");
    }
  }

  @Test
  void letsTheAppSayWhetherItWantsTheBody() throws IOException {
    try (var backend =
            new Backend(wire -> {
              assertThat(wire.head()).containsOnlyOnce("\r\nExpect: 100-continue\r\n");
              wire.socket.setSoTimeout(100);
              assertThatThrownBy(wire.in::read).isInstanceOf(SocketTimeoutException.class);
              wire.socket.setSoTimeout(Wire.PATIENCE_MILLIS);
              wire.send(CONTINUE);
              wire.send(Backend.ok(wire.bytes(3)));
              wire.rest();
            });
        var rig = new Rig().app(backend);
        var wire = rig.connect()) {
      rig.policy("app.test", END_TO_END);
      assertThat(wire.send(EXPECTING).head()).startsWith("HTTP/1.1 100 ");
      assertThat(wire.send("abc").message().body()).isEqualTo("abc");
    }
  }

  @Test
  void passesTheAppsNoBeforeTheBody() throws IOException {
    try (var backend =
            new Backend(wire -> {
              wire.head();
              wire.send("HTTP/1.1 417 Expectation Failed\r\nContent-Length: 0\r\n\r\n");
              assertThat(wire.rest()).isEmpty();
            });
        var rig = new Rig().app(backend);
        var wire = rig.connect()) {
      rig.policy("app.test", END_TO_END);
      var answer = wire.send(EXPECTING).message();
      assertThat(answer.status()).isEqualTo(417);
      assertThat(answer.field("connection")).isEqualTo("close");
      assertThat(wire.rest()).isEmpty();
    }
  }

  @Test
  void takesAnAppThatSaysNothingForSlow() throws IOException {
    try (var backend = new Backend(Wire::rest);
        var rig = new Rig(TestConfig.patient()).app(backend);
        var wire = rig.connect()) {
      var impatient =
          PolicyForm.of(
              "expectContinue", ExpectContinue.END_TO_END, "firstByteTimeoutMillis", 100L);
      rig.policy("app.test", impatient);
      assertThat(wire.send(EXPECTING).message().field("holdfast-error")).isEqualTo("H12");
    }
  }
}
