package dev.holdfast.edge;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.Unpooled;
import java.time.Instant;
import org.junit.jupiter.api.Test;

class AccessLineTest {
  private final AccessLine line = new AccessLine();
  private final LineBuffer out = new LineBuffer();

  static AccessRecord good() {
    var record = new AccessRecord();
    record.put(AccessRecord.METHOD, "GET");
    record.put(AccessRecord.PATH, "/a?b=c d");
    record.put(AccessRecord.HOST, "a.test:80");
    record.put(AccessRecord.REQUEST_ID, "01234567-89ab-4cde");
    record.put(AccessRecord.FORWARDED_FOR, "10.0.0.1, 127.0.0.1");
    record.put(AccessRecord.USER_AGENT, "curl/8");
    record.service = "app";
    record.dyno = "web.1";
    record.status = 200;
    record.connectMillis = 0;
    record.serviceMillis = 12;
    record.bytesOut = 345;
    record.bytesIn = 6;
    record.epochMillis = Instant.parse("2026-11-22T01:57:13.042Z").toEpochMilli();
    record.arrival = Arrival.plain("127.0.0.1", 80);
    return record;
  }

  private String logfmt(AccessRecord record) {
    out.clear();
    line.logfmt(out, record);
    return new String(out.bytes, 0, out.length, ISO_8859_1);
  }

  private String json(AccessRecord record, int sample) {
    out.clear();
    line.json(out, record, sample);
    return new String(out.bytes, 0, out.length, ISO_8859_1);
  }

  @Test
  void writesHerokusKeysInTheirOrder() {
    assertThat(logfmt(good()))
        .isEqualTo(
            "at=info method=GET path=\"/a?b=c d\" host=a.test:80 request_id=01234567-89ab-4cde"
                + " fwd=\"10.0.0.1, 127.0.0.1\" dyno=web.1 connect=0ms service=12ms status=200"
                + " bytes=345 protocol=http1.1 tls=false");
  }

  @Test
  void leavesEmptyWhatWasNeverKnown() {
    var record = new AccessRecord();
    record.code = Code.H24;
    record.arrival = Arrival.plain("", 443).secured("tls1.3", "").multiplexed();
    assertThat(logfmt(record))
        .isEqualTo(
            "at=error code=H24 desc=\"Forced close\" method= path=\"\" host= request_id= fwd=\"\""
                + " dyno= connect= service= status= bytes=0 protocol=http2.0 tls=true"
                + " tls_version=tls1.3");
  }

  @Test
  void namesCodesCausesAndSockets() {
    var record = good();
    record.code = Code.H26;
    record.cause = "bad chunk";
    assertThat(logfmt(record))
        .startsWith("at=error code=H26 desc=\"Request Error\" cause=\"bad chunk\" method=GET");
    record.code = Code.H25;
    assertThat(logfmt(record))
        .startsWith("at=error code=H25 desc=\"HTTP restriction: bad chunk\" method=GET");
    record.cause = null;
    record.code = Code.H27;
    assertThat(logfmt(record)).startsWith("sock=client at=warning code=H27 desc=");
    record.code = Code.H80;
    assertThat(logfmt(record)).startsWith("at=info code=H80 desc=\"Maintenance mode\" method");
    record.code = Code.H31;
    assertThat(logfmt(record)).endsWith(" protocol=http1.1 tls=false agent=\"curl/8\"");
  }

  @Test
  void letsNoValueEndItsQuotesItsKeyOrItsLine() {
    var record = good();
    record.put(AccessRecord.METHOD, "G T=\n");
    var path = "/\"\\\r\n\u00e9".getBytes(ISO_8859_1);
    record.put(AccessRecord.PATH, Unpooled.wrappedBuffer(path), 0, path.length);
    record.put(AccessRecord.FORWARDED_FOR, "1\" status=500 x=\"");
    record.dyno = "web 1";
    assertThat(logfmt(record))
        .startsWith("at=info method=G%20T%3D%0A path=\"/%22%5C%0D%0A%E9\" host=")
        .contains(" fwd=\"1%22 status=500 x=%22\" dyno=web%201 ");
    assertThat(json(record, 1))
        .contains("\"method\":\"G T=\\u000A\",\"path\":\"/\\\"\\\\\\u000D\\u000A\\u00E9\"");
  }

  @Test
  void cutsWhatIsTooLong() {
    var record = good();
    record.put(AccessRecord.PATH, "/" + "x".repeat(10_000));
    assertThat(logfmt(record)).contains("path=\"/" + "x".repeat(8191) + "\" host=");
  }

  @Test
  void writesJsonWithoutWhatIsNotKnown() {
    assertThat(json(good(), 1))
        .isEqualTo(
            "{\"time\":\"2026-11-22T01:57:13.042Z\",\"at\":\"info\",\"method\":\"GET\","
                + "\"path\":\"/a?b=c d\",\"host\":\"a.test:80\","
                + "\"request_id\":\"01234567-89ab-4cde\",\"fwd\":\"10.0.0.1, 127.0.0.1\","
                + "\"user_agent\":\"curl/8\",\"app\":\"app\",\"dyno\":\"web.1\",\"connect_ms\":0,"
                + "\"service_ms\":12,\"status\":200,\"bytes\":345,\"bytes_in\":6,"
                + "\"peer\":\"127.0.0.1\",\"protocol\":\"http1.1\"}");
    var record = good();
    record.code = Code.H12;
    record.status = 503;
    record.cause = "slow app";
    record.connectMillis = AccessRecord.NONE;
    assertThat(json(record, 10))
        .contains("\"code\":\"H12\",\"desc\":\"Request timeout\",\"cause\":\"slow app\"")
        .doesNotContain("connect_ms", "sample");
    assertThat(json(good(), 10)).endsWith(",\"sample\":10}");
  }

  @Test
  void isClearedForTheNextRequest() {
    var record = good();
    record.clear();
    assertThat(logfmt(record))
        .isEqualTo(
            "at=info method= path=\"\" host= request_id= fwd=\"\" dyno= connect= service= status="
                + " bytes=0 protocol=http1.1 tls=false");
  }
}
