package dev.holdfast.edge;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What the edge chose where the tables of {@link RawRequestTest} leave a choice. */
@SuppressWarnings("StringConcatToTextBlock") // lines end with CR LF here
class RequestRefusalTest {
  private static Backend backend;
  private static Rig rig;

  @BeforeAll
  static void start() throws IOException {
    backend = Backend.answering(Backend.ok("hello"));
    rig = new Rig().app(backend);
  }

  @AfterAll
  static void stop() throws IOException {
    rig.close();
    backend.close();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "HTTP/2.0 | X: 1                                   | 505",
        "HTTP/1.1 | Transfer-Encoding: gzip, chunked       | 501",
        "HTTP/1.1 | Transfer-Encoding: identity            | 501",
        "HTTP/1.1 | Transfer-Encoding: xchunked            | 501",
        "HTTP/1.1 | Content-Length: 3, 3                   | 400",
        "HTTP/1.1 | Content-Length: 3~Content-Length: 3    | 200",
      })
  void answersWithTheStatusOfItsChoice(String version, String fields, int status)
      throws IOException {
    int before = backend.heads.size();
    var head = "POST / " + version + "\r\nHost: app.test\r\n" + fields.replace("~", "\r\n");
    assertThat(rig.ask(head + "\r\n\r\nabc").status()).isEqualTo(status);
    assertThat(backend.heads).hasSize(status == 200 ? before + 1 : before);
  }
}
