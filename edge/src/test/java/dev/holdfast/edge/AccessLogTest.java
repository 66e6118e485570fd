package dev.holdfast.edge;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.management.ThreadMXBean;
import dev.holdfast.edge.AccessLogConfig.Format;
import dev.holdfast.edge.AccessLogConfig.Lanes;
import dev.holdfast.edge.AccessLogConfig.Sink;
import dev.holdfast.limits.Time;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.function.BooleanSupplier;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class AccessLogTest {
  private static final Lanes SMALL = new Lanes(16, 64 * 1024);

  @TempDir private Path directory;
  private final Queue<String> shown = new ConcurrentLinkedQueue<>();

  private AccessLog start(AccessLogConfig config) throws IOException {
    return AccessLog.start(
        config, (service, line) -> shown.add(service + " " + line), Time.system());
  }

  private static AccessLogConfig config(Format format, Sink... sinks) {
    return AccessLogConfig.defaults().withSinks(format, List.of(sinks));
  }

  static void await(BooleanSupplier so) throws InterruptedException {
    long end = System.nanoTime() + Duration.ofSeconds(20).toNanos();
    while (!so.getAsBoolean()) {
      assertThat(System.nanoTime()).isLessThan(end);
      Thread.sleep(2);
    }
  }

  @Test
  void showsALineAtOnceThoughNothingFollowsIt() throws Exception {
    try (var log = start(config(Format.LOGFMT))) {
      var lane = log.lane();
      assertThat(lane.write(AccessLineTest.good())).isTrue();
      await(() -> !shown.isEmpty());
      assertThat(shown.poll()).startsWith("app at=info method=GET path=").endsWith("tls=false");
      assertThat(log.dropped()).isZero();
    }
  }

  @Test
  void logsAllThatSeveralLoopsWriteAndEachWithItsOwnValues() throws Exception {
    var file = directory.resolve("access.log");
    int each = 30_000;
    try (var log = start(config(Format.LOGFMT, new Sink.File(file, 1 << 30, 0)))) {
      var writers = new ArrayList<Thread>();
      for (int w = 0; w < 2; w++) {
        var lane = log.lane();
        int writer = w;
        writers.add(Thread.ofPlatform().start(() -> write(lane, writer, each)));
      }
      for (var writer : writers) {
        writer.join();
      }
    }
    var lines = Files.readAllLines(file, ISO_8859_1);
    assertThat(lines).hasSize(2 * each);
    var form =
        Pattern.compile(
            "1970-01-01T00:00:00\\....Z holdfast\\[router]: at=info method=GET"
                + " path=\"/(\\d)-(\\d+)-x*\" host=h(\\2).test request_id= fwd=\"\" dyno=web.\\1 .*"
                + " bytes=(\\d+) .*");
    var last = new int[] {-1, -1};
    for (var line : lines) {
      var match = form.matcher(line);
      assertThat(match.matches()).as(line).isTrue();
      int writer = Integer.parseInt(match.group(1));
      int number = Integer.parseInt(match.group(2));
      assertThat(number).isGreaterThan(last[writer]).isEqualTo(Integer.parseInt(match.group(4)));
      last[writer] = number;
    }
  }

  private static void write(AccessLane lane, int writer, int count) {
    var record = new AccessRecord();
    var dyno = "web." + writer;
    for (int i = 0; i < count; i++) {
      record.clear();
      record.put(AccessRecord.METHOD, "GET");
      record.put(AccessRecord.PATH, "/" + writer + "-" + i + "-" + "x".repeat(i % 200));
      record.put(AccessRecord.HOST, "h" + i + ".test");
      record.dyno = dyno;
      record.bytesOut = i;
      record.status = 200;
      while (!lane.write(record)) {
        Thread.onSpinWait();
      }
    }
  }

  @Test
  void dropsAndCountsWhatFindsALaneFull() {
    var lane = new AccessLane(SMALL, 1, () -> {});
    var record = AccessLineTest.good();
    for (int i = 0; i < SMALL.slots(); i++) {
      assertThat(lane.write(record)).isTrue();
    }
    assertThat(lane.write(record)).isFalse();
    assertThat(lane.dropped()).isEqualTo(1);
    var view = new AccessRecord();
    assertThat(lane.read(view)).isTrue();
    lane.taken();
    assertThat(lane.write(record)).isTrue();
    assertThat(lane.write(record)).isFalse();
  }

  @Test
  void dropsWhenTheValuesHaveNoRoomAndNeverMixesThem() {
    var lane = new AccessLane(new Lanes(1024, 64 * 1024), 1, () -> {});
    var record = new AccessRecord();
    var view = new AccessRecord();
    for (int i = 0; i < 500; i++) {
      record.clear();
      record.put(AccessRecord.PATH, ((char) ('a' + i % 26) + "").repeat(5000));
      record.put(AccessRecord.TRACE, ((char) ('A' + i % 26) + "").repeat(32));
      assertThat(lane.write(record)).as("record %s", i).isTrue();
      if (i >= 10) {
        assertThat(lane.read(view)).isTrue();
        int first = i - 10;
        assertThat(value(view, AccessRecord.PATH)).startsWith((char) ('a' + first % 26) + "");
        assertThat(value(view, AccessRecord.PATH).chars().distinct().count()).isEqualTo(1);
        assertThat(value(view, AccessRecord.TRACE)).matches("([A-Z])\\1{31}");
        lane.taken();
      }
    }
    while (lane.write(record)) {
      assertThat(lane.dropped()).isZero();
    }
    assertThat(lane.dropped()).isEqualTo(1);
  }

  private static String value(AccessRecord view, int field) {
    return new String(view.text, view.offsets[field], view.lengths[field], ISO_8859_1);
  }

  @Test
  void keepsASampleOfWhatWentWellAndAllOfTheRest() {
    var lane = new AccessLane(new Lanes(1024, 1 << 20), 10, () -> {});
    var record = AccessLineTest.good();
    for (int i = 0; i < 100; i++) {
      record.status = i % 2 == 0 ? 200 : 404;
      lane.write(record);
    }
    var view = new AccessRecord();
    int good = 0;
    int bad = 0;
    while (lane.read(view)) {
      good += view.status == 200 ? 1 : 0;
      bad += view.status == 404 ? 1 : 0;
      lane.taken();
    }
    assertThat(good).isEqualTo(5);
    assertThat(bad).isEqualTo(50);
  }

  @Test
  void makesNoObjectOnTheEventLoop() {
    var lane = new AccessLane(new Lanes(1024, 1 << 20), 1, () -> {});
    var record = AccessLineTest.good();
    var view = new AccessRecord();
    var threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    long id = Thread.currentThread().threadId();
    long least = Long.MAX_VALUE;
    for (int round = 0; round < 20; round++) {
      long before = threads.getThreadAllocatedBytes(id);
      for (int i = 0; i < 1000; i++) {
        fill(record);
        lane.write(record);
        lane.read(view);
        lane.taken();
      }
      least = Math.min(least, threads.getThreadAllocatedBytes(id) - before);
    }
    assertThat(least).as("bytes for 1000 requests").isLessThan(1000);
    assertThat(lane.dropped()).isZero();
  }

  private static void fill(AccessRecord record) {
    record.clear();
    record.put(AccessRecord.METHOD, "GET");
    record.put(AccessRecord.PATH, "/a/b/c?d=e");
    record.put(AccessRecord.HOST, "a.test");
    record.status = 200;
  }

  @Test
  void showsASampleOfAFloodAndSaysHowMuchIsMissing() {
    var lines = new ArrayList<String>();
    var budget = new LineBudget(10, (service, line) -> lines.add(service + " " + line), 0);
    int passed = 0;
    int coded = 0;
    for (int i = 0; i < 1000; i++) {
      long now = i * 2_000_000L; // 2 s in all
      passed += budget.take("app", false, now) ? 1 : 0;
      coded += i % 100 == 0 && budget.take("app", true, now) ? 1 : 0;
      assertThat(budget.take(i % 200 == 0 ? "calm" : null, false, now) || i % 200 != 0).isTrue();
      budget.say(now);
    }
    assertThat(passed).isBetween(28, 30); // a second's worth at once, then 10 a second
    assertThat(coded).isEqualTo(10);
    assertThat(lines)
        .anyMatch(line -> line.matches("app at=info desc=\"Lines left out\" count=4\\d\\d"))
        .noneMatch(line -> line.startsWith("calm"));
  }

  @Test
  void putsAFileAsideBeforeItIsTooLarge() throws Exception {
    var file = directory.resolve("access.log");
    int count = 2000;
    try (var log = start(config(Format.JSON, new Sink.File(file, 64 * 1024, 2)))) {
      var lane = log.lane();
      for (int i = 0; i < count; i++) {
        int written = i;
        if (i % 100 == 0) {
          await(() -> log.written() == written);
        }
        lane.write(AccessLineTest.good());
      }
    }
    var old = List.of(file, directory.resolve("access.log.1"), directory.resolve("access.log.2"));
    for (var part : old) {
      assertThat(Files.size(part)).isBetween(1L, 64L * 1024);
      assertThat(Files.readAllLines(part)).allMatch(line -> line.matches("\\{\"time\".*}"));
    }
    assertThat(directory.resolve("access.log.3")).doesNotExist();
  }

  @Test
  void refusesAFileThatCanNeverBeWritten() {
    var file = directory.resolve("missing").resolve("access.log");
    assertThatThrownBy(() -> start(config(Format.JSON, new Sink.File(file, 1 << 20, 2))))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("access log")
        .hasMessageContaining("expected: a file that can be written");
  }

  @Test
  void aRouterLogThatFailsCostsItsLineOnly() throws Exception {
    var calls = new ConcurrentLinkedQueue<String>();
    try (var log =
        AccessLog.start(
            AccessLogConfig.defaults(),
            (_, line) -> {
              calls.add(line);
              throw new IllegalStateException("full");
            },
            Time.system())) {
      var lane = log.lane();
      lane.write(AccessLineTest.good());
      lane.write(AccessLineTest.good());
      await(() -> calls.size() == 2);
    }
  }

  @Test
  void statesItsDefaultsAndItsBounds() {
    assertThat(AccessLogConfig.defaults())
        .isEqualTo(
            new AccessLogConfig(
                new Lanes(8192, 1 << 20), Duration.ofMillis(50), Format.LOGFMT, 1, 200, List.of()));
    assertThatThrownBy(() -> new Lanes(1000, 1 << 20))
        .hasMessageContaining("slots: 1000 (expected: a power of two");
    assertThatThrownBy(() -> AccessLogConfig.defaults().withSample(0))
        .hasMessageContaining("sampleOneIn: 0 (expected: >= 1)");
  }
}
