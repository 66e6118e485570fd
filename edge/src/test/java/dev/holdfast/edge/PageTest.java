package dev.holdfast.edge;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import org.junit.jupiter.api.Test;

/** What visitors and logs see of hostile input. */
@SuppressWarnings("StringConcatToTextBlock") // lines end with CR LF here
class PageTest {

  @Test
  void neverRepeatsAHostileHost() throws IOException {
    try (var rig = new Rig()) {
      for (var host : new String[] {"<script>x</script>", "a\"b.test", "evil'or.test"}) {
        var answer = rig.ask("GET /<b> HTTP/1.1\r\nHost: " + host + "\r\n\r\n");
        assertThat(answer.status()).isIn(400, 404);
        assertThat(answer.head() + answer.body()).doesNotContain("script", "a\"b", "evil", "<b>\"");
      }
    }
  }

  @Test
  void speaksJsonToPrograms() throws IOException {
    try (var rig = new Rig()) {
      var json =
          rig.ask("GET / HTTP/1.1\r\nHost: no.test\r\nAccept: application/json, text/html\r\n\r\n");
      assertThat(json.field("content-type")).isEqualTo("application/problem+json");
      assertThat(json.body()).contains("\"status\":404", "\"title\":\"No such app\"");
      assertThat(json.body()).contains(json.field("x-request-id"));
      var html =
          rig.ask("GET / HTTP/1.1\r\nHost: no.test\r\nAccept: text/html, application/json\r\n\r\n");
      assertThat(html.field("content-type")).startsWith("text/html");
      var head = rig.ask("HEAD / HTTP/1.1\r\nHost: no.test\r\n\r\n");
      assertThat(head.field("content-length")).isNotEqualTo("0");
    }
  }

  @Test
  void letsNoValueBreakOutOfItsLogLine() throws IOException {
    try (var rig = new Rig()) {
      rig.ask(
          "GET /\"x\\ HTTP/1.1\r\nHost: a=b.test\r\nX-Forwarded-For: 1\" status=200 x=\"\r\n\r\n");
      assertThat(rig.logged(1))
          .startsWith("at=info method=GET path=\"/%22x%5C\" host=a%3Db.test request_id=")
          .contains("fwd=\"1%22 status=200 x=%22, 127.0.0.1\" dyno= connect= service=")
          .endsWith("status=404 bytes=0 protocol=http1.1 tls=false");
    }
  }
}
