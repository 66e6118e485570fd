package dev.holdfast.edge;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.ledger.Policy;
import io.netty.buffer.UnpooledByteBufAllocator;
import java.util.SplittableRandom;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ErrorPagesTest {
  private static final String ID = "01234567-89ab-4cde-8f01";

  private static Policy pages(@Nullable String maintenance, @Nullable String error) {
    return new Policy(
        true,
        maintenance,
        error,
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
        null,
        null,
        null,
        null,
        null,
        null,
        null);
  }

  private static Page page(Code code, Policy policy) {
    return Page.of(code.status(), code, code.description(), ID, policy, new SplittableRandom(1));
  }

  private static String render(Page page, @Nullable String accept) {
    return page.render(UnpooledByteBufAllocator.DEFAULT, accept, "", false, false).toString(UTF_8);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      nullValues = "none",
      value = {
        "none                                                    | TEXT",
        "*/*                                                     | TEXT",
        "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8 | HTML",
        "application/json, text/plain, */*                       | JSON",
        "application/problem+json                                | JSON",
        "application/vnd.api+json                                | JSON",
        "text/html;q=0.5, application/json                       | JSON",
        "text/html, application/json;q=0.9                       | HTML",
        "text/html;q=0, */*                                      | TEXT",
        "application/json;q=0, text/html                         | HTML",
        "text/*, application/json;q=0.1                          | TEXT",
        "application/*                                           | JSON",
        "*/*, text/html                                          | HTML",
        "image/png                                               | TEXT",
        "text/html;level=1;q=0.4, text/plain;q=0.7               | TEXT",
        "TEXT/HTML;Q=what                                        | HTML",
      })
  void picksTheFormThatTheClientWantsMost(@Nullable String accept, Accept.Form form) {
    assertThat(Accept.pick(accept, false)).isEqualTo(form);
  }

  @Test
  void showsAPageForPeopleWhereNobodySaysOtherwise() {
    assertThat(Accept.pick("*/*", true)).isEqualTo(Accept.Form.HTML);
    assertThat(Accept.pick(null, true)).isEqualTo(Accept.Form.HTML);
    assertThat(Accept.pick("application/json", true)).isEqualTo(Accept.Form.JSON);
  }

  @Test
  void servesTheOwnersPagesDirectly() {
    var policy =
        pages("<h1>Soon</h1> {{code}} {{request_id}}", "<h1>Sorry</h1> {{code}} {{status}}");
    assertThat(render(page(Code.H80, policy), "text/html"))
        .startsWith(
            "HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/html; charset=utf-8\r\n")
        .contains("\r\nHoldfast-Error: H80\r\nRetry-After: ")
        .endsWith("\r\n\r\n<h1>Soon</h1> H80 " + ID);
    assertThat(render(page(Code.H12, policy), "text/html")).endsWith("<h1>Sorry</h1> H12 503");
    assertThat(render(page(Code.H80, pages(null, "<h1>Sorry</h1>")), "text/html"))
        .endsWith("<h1>Sorry</h1>");
    var unknown = Page.of(404, null, "No such app", ID, policy, new SplittableRandom(1));
    assertThat(render(unknown, "text/html")).contains("<h1>No such app</h1>");
  }

  @Test
  void speaksToProgramsAndTerminals() {
    var page = new Page(503, Code.H80, "Maintenance mode", ID, "<p>", 70);
    assertThat(render(page, "application/json"))
        .contains("\r\nContent-Type: application/problem+json\r\n", "\r\nRetry-After: 70\r\n")
        .endsWith(
            "{\"type\":\"about:blank\",\"title\":\"Maintenance mode\",\"status\":503,"
                + "\"code\":\"H80\",\"retryAfter\":70,\"requestId\":\""
                + ID
                + "\"}\n");
    assertThat(render(page, "text/plain"))
        .endsWith("503 Maintenance mode (H80), try again in 70 s\nrequest " + ID + "\n");
  }

  @Test
  void saysTheLengthOfWhatAHeadRequestDoesNotGet() {
    var page = new Page(405, null, "Method refused", "", null, 0);
    var whole = render(page, null);
    int body = whole.length() - whole.indexOf("\r\n\r\n") - 4;
    var head = page.render(UnpooledByteBufAllocator.DEFAULT, null, "", true, true).toString(UTF_8);
    assertThat(head)
        .contains(
            "\r\nContent-Length: " + body + "\r\n", "\r\nConnection: close\r\n", "\r\nAllow: ")
        .endsWith("\r\n\r\n")
        .doesNotContain("Retry-After", "X-Request-Id");
  }

  @Test
  void spreadsWhenVisitorsComeBack() {
    var random = new SplittableRandom(1);
    var waits = new TreeSet<Integer>();
    for (int i = 0; i < 500; i++) {
      waits.add(Page.of(503, Code.H80, "", ID, Policy.NONE, random).retryAfterSeconds());
    }
    assertThat(waits.getFirst()).isEqualTo(60);
    assertThat(waits.getLast()).isEqualTo(90);
  }

  @Test
  void knowsEachCodeOfTheTableThatApplies() {
    assertThat(Code.H31.status()).isEqualTo(421);
    assertThat(Code.H80.level()).isEqualTo("info");
    assertThat(Code.H80.severity()).isEqualTo(Code.Severity.WARNING);
    assertThat(Code.H27.severity()).isEqualTo(Code.Severity.INFO);
    assertThat(Code.H81.severity()).isEqualTo(Code.Severity.INFO);
    assertThat(Code.H99.severity()).isEqualTo(Code.Severity.CRITICAL);
  }
}
