package dev.holdfast.drills;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.drills.AnswerReader.Progress;
import java.nio.ByteBuffer;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class AnswerReaderTest {

  @ParameterizedTest
  @CsvSource({
    "'HTTP/1.1 200 OK|Content-Length: 5||hello', DONE, 200, false",
    "'HTTP/1.1 503 No|content-length: 0|Connection: close||', DONE, 503, true",
    "'HTTP/1.1 200 OK|Transfer-Encoding: chunked||5|hello|0||', DONE, 200, false",
    "'HTTP/1.1 200 OK|Transfer-Encoding: chunked||5|hello|', MORE, 200, false",
    "'HTTP/1.1 200 OK|Content-Length: 5||hell', MORE, 200, false",
    "'HTTP/1.1 200 OK|Content-Length: 5||hello there', BROKEN, 200, false",
    "'HTTP/1.1 200 OK||until the end', MORE, 200, false",
    "'nonsense||', BROKEN, -1, false"
  })
  void findsTheEndHoweverTheBytesCome(
      String answer, Progress expected, int status, boolean closes) {
    var bytes = answer.replace("|", "\r\n").getBytes(ISO_8859_1);
    for (int piece = 1; piece <= bytes.length; piece++) {
      var reader = new AnswerReader();
      reader.reset();
      var progress = Progress.MORE;
      for (int from = 0; from < bytes.length && progress == Progress.MORE; from += piece) {
        progress = reader.read(ByteBuffer.wrap(bytes, from, Math.min(piece, bytes.length - from)));
      }
      // What is too much shows only when it comes together with what is due.
      if (expected != Progress.BROKEN || piece == bytes.length) {
        assertThat(progress).as("in pieces of %d", piece).isEqualTo(expected);
        assertThat(reader.status()).isEqualTo(status);
        assertThat(reader.closes()).isEqualTo(closes);
      }
    }
  }
}
