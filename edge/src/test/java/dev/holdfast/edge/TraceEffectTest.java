package dev.holdfast.edge;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Trace context (W3C) of requests on their way through. */
@SuppressWarnings("StringConcatToTextBlock") // lines end with CR LF here
class TraceEffectTest {
  private static final String TRACE = "4bf92f3577b34da6a3ce929d0e0e4736";
  private static final String PARENT = "00-" + TRACE + "-00f067aa0ba902b7-01";
  private static final String NEW = "00-[0-9a-f]{32}-[0-9a-f]{16}-00";
  @TempDir private Path directory;

  private static String asking(String fields) {
    return "GET / HTTP/1.1\r\nHost: app.test\r\n" + fields + "\r\n";
  }

  private TestConfig config(boolean begins) {
    var config = new TestConfig();
    config.startsTraces = begins;
    config.json = true;
    config.sinks = List.of(new AccessLogConfig.Sink.File(log(), 1 << 20, 1));
    return config;
  }

  private Path log() {
    return directory.resolve("access.log");
  }

  private String written() throws IOException {
    Rig.until(() -> log().toFile().length() > 0);
    return Files.readString(log());
  }

  @Test
  void followsWhatTheClientBegan() throws IOException {
    try (var backend = Backend.answering(Backend.ok("x"));
        var rig = new Rig(config(true)).app(backend)) {
      rig.ask(asking("traceparent: " + PARENT + "\r\ntracestate: a=b\r\n"));
      assertThat(backend.heads.getFirst())
          .containsOnlyOnce("traceparent: " + PARENT + "\r\n")
          .contains("tracestate: a=b\r\n");
      assertThat(written()).contains("\"trace_id\":\"" + TRACE + "\"");
    }
  }

  @Test
  void beginsATraceWhenToldTo() throws IOException {
    try (var backend = Backend.answering(Backend.ok("x"));
        var rig = new Rig(config(true)).app(backend)) {
      rig.ask(asking(""));
      var begun = Objects.requireNonNull(Wire.field(backend.heads.getFirst(), "traceparent"));
      assertThat(begun).matches(NEW);
      assertThat(written()).contains("\"trace_id\":\"" + begun.substring(3, 35) + "\"");
      rig.ask(asking(""));
      assertThat(backend.heads.get(1)).doesNotContain(begun);
    }
  }

  @Test
  void beginsAnewWhereWhatCameCannotBeBelieved() throws IOException {
    try (var backend = Backend.answering(Backend.ok("x"));
        var rig = new Rig(config(true)).app(backend)) {
      rig.ask(
          asking("traceparent: " + PARENT.toUpperCase(Locale.ROOT) + "\r\ntracestate: a=b\r\n"));
      rig.ask(asking("traceparent: " + PARENT + "\r\ntraceparent: " + PARENT + "\r\n"));
      for (var head : backend.heads) {
        assertThat(Wire.field(head, "traceparent")).matches(NEW).doesNotContain(TRACE);
        assertThat(head).containsOnlyOnce("traceparent").doesNotContain("tracestate");
      }
    }
  }

  @Test
  void onlyFollowsByDefault() throws IOException {
    try (var backend = Backend.answering(Backend.ok("x"));
        var rig = new Rig(config(false)).app(backend)) {
      rig.ask(asking(""));
      assertThat(backend.heads.getFirst()).doesNotContain("traceparent");
      assertThat(written()).doesNotContain("trace_id");
      rig.ask(asking("traceparent: " + PARENT + "\r\n"));
      assertThat(backend.heads.get(1)).contains("traceparent: " + PARENT + "\r\n");
    }
  }
}
