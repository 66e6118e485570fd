package dev.holdfast.drones;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.limits.Time;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class AppLogsTest {
  @TempDir Path temp;
  private AppLogs logs;
  private Path spool = Path.of("");

  @BeforeEach
  void open() throws IOException {
    spool = Files.createDirectory(temp.resolve("spool"));
    logs = open(LogLimits.defaults());
  }

  @AfterEach
  void close() {
    logs.close();
  }

  private AppLogs open(LogLimits limits) {
    return new AppLogs(temp.resolve("logs"), limits, Time.system());
  }

  private List<String> texts() {
    return logs.last("shop", 10_000).stream().map(LogLine::text).toList();
  }

  private void chunk(int number, String text) throws IOException {
    Files.writeString(
        spool.resolve("%08d".formatted(number)),
        text,
        StandardOpenOption.CREATE,
        StandardOpenOption.APPEND);
  }

  @Test
  void keepsLinesOfEverySource() throws Exception {
    logs.append("shop", LogLine.HOLDFAST, "router", "at=info \"x\" \\ \u00fc");
    logs.append("shop", LogLine.APP, "web.1", "two\nlines");
    Until.holds("three lines", () -> texts().size() == 3);
    assertThat(texts()).containsExactly("at=info \"x\" \\ \u00fc", "two", "lines");
    assertThat(logs.last("shop", 1))
        .hasSize(1)
        .first()
        .extracting(LogLine::process)
        .isEqualTo("web.1");
    assertThat(logs.last("other", 10)).isEmpty();
    logs.forget("shop");
    assertThat(texts()).isEmpty();
  }

  @Test
  void makesLinesHarmless() throws Exception {
    var colour = "\u001B[1;31mred\u001B[0m";
    logs.append("shop", LogLine.APP, "web.1", colour + "\t\u001B[2J\u0007\u009B|\r|\u001B");
    logs.append("shop", LogLine.APP, "web.1", "\u00fc".repeat(5000));
    Until.holds("both", () -> texts().size() == 2);
    assertThat(texts().getFirst()).isEqualTo(colour + "\t\uFFFD[2J\uFFFD\uFFFD|\uFFFD|\uFFFD");
    assertThat(texts().getLast()).isEqualTo("\u00fc".repeat(4095) + " [1808 bytes cut]");
  }

  @Test
  void followsASpoolOverItsChunksToTheEnd() throws Exception {
    chunk(1, "one\r\ntwo\nthr");
    var done = logs.tail("shop", "web.1", "d1-1", spool);
    Until.holds("two lines", () -> texts().size() == 2);
    chunk(2, "ee\nfour\n" + "x".repeat(10_000) + "\nno end");
    Until.holds("five lines", () -> texts().size() == 5);
    Files.createFile(spool.resolve("closed"));
    done.get(20, TimeUnit.SECONDS);
    assertThat(texts())
        .containsExactly(
            "one", "two", "three", "four", "x".repeat(8192) + " [1808 bytes cut]", "no end");
    logs.tail("shop", "web.1", "d1-1", spool).get(20, TimeUnit.SECONDS);
    assertThat(texts()).hasSize(6);
  }

  @Test
  void saysWhatIsMissing() throws Exception {
    chunk(3, "three\n");
    var done = logs.tail("shop", "web.1", "d1-1", spool);
    Until.holds("gap", () -> texts().size() == 2);
    assertThat(texts().getFirst()).contains("L10", "2 files");
    logs.untail("d1-1").get(20, TimeUnit.SECONDS);
    done.get(20, TimeUnit.SECONDS);
    logs.untail("d1-1").get(1, TimeUnit.SECONDS);
  }

  @Test
  void remembersThePlaceThroughRotationAndRestart() throws Exception {
    logs.close();
    var limits = LogLimits.defaults().withSegmentBytesMax(4096);
    logs = open(limits);
    chunk(1, "quiet\n");
    var _ = logs.tail("shop", "quiet.1", "d1-1", spool);
    Until.holds("stored", () -> texts().contains("quiet"));
    for (int round = 0; round < 20; round++) {
      int at = round;
      logs.append("shop", LogLine.APP, "loud.1", at + "x".repeat(2000));
      Until.holds("round", () -> texts().stream().anyMatch(text -> text.startsWith(at + "x")));
    }
    assertThat(texts()).doesNotContain("quiet");
    try (var files = Files.list(temp.resolve("logs/shop"))) {
      assertThat(files).hasSize(2);
    }
    logs.close();
    try (var files = Files.list(temp.resolve("logs/shop"))) {
      var newest = files.sorted().toList().getLast();
      Files.writeString(newest, "{\"run\":\"d1-1\",\"chunk\":1,\"off", StandardOpenOption.APPEND);
    }
    chunk(1, "after\n");
    logs = open(limits);
    var again = logs.tail("shop", "quiet.1", "d1-1", spool);
    logs.untail("d1-1").get(20, TimeUnit.SECONDS);
    again.get(20, TimeUnit.SECONDS);
    assertThat(texts()).doesNotContain("quiet").endsWith("after");
  }

  @Test
  void countsWhatItHadToDrop() throws Exception {
    logs.close();
    logs = open(LogLimits.defaults().withQueueMax(10, 10));
    for (int i = 0; i < 20_000; i++) {
      logs.append("shop", LogLine.APP, "web.1", "line " + i);
    }
    Until.holds(
        "all accounted for",
        () -> {
          long dropped = 0;
          long kept = 0;
          for (var text : texts()) {
            if (text.startsWith("L10 (drain buffer overflow): ")) {
              dropped += Long.parseLong(text.split(" ", -1)[4]);
            } else {
              kept++;
            }
          }
          return dropped > 0 && dropped + kept == 20_000;
        });
  }

  @Test
  void followsFromThePastWithoutAGap() throws Exception {
    for (int i = 0; i < 10; i++) {
      logs.append("shop", LogLine.APP, "web.1", "line " + i);
    }
    Until.holds("past", () -> texts().size() == 10);
    var seen = new CopyOnWriteArrayList<String>();
    var follow = logs.follow("shop", 5, line -> seen.add(line.text()));
    for (int i = 10; i < 200; i++) {
      logs.append("shop", LogLine.APP, "web.1", "line " + i);
    }
    Until.holds("all", () -> seen.size() == 195);
    var expected = new ArrayList<String>();
    for (int i = 5; i < 200; i++) {
      expected.add("line " + i);
    }
    assertThat(seen).isEqualTo(expected);
    follow.close();
    follow.ended().get(20, TimeUnit.SECONDS);
  }

  @Test
  void cutsOffAFollowerThatIsTooSlow() throws Exception {
    logs.close();
    logs = open(LogLimits.defaults().withQueueMax(10_000, 20));
    var gate = new CountDownLatch(1);
    var seen = new CopyOnWriteArrayList<String>();
    var follow =
        logs.follow(
            "shop",
            0,
            line -> {
              try {
                gate.await();
              } catch (InterruptedException e) {
                throw new IllegalStateException(e);
              }
              seen.add(line.text());
            });
    for (int i = 0; i < 500; i++) {
      logs.append("shop", LogLine.APP, "web.1", "line " + i);
    }
    Until.holds("written", () -> texts().size() == 500);
    gate.countDown();
    follow.ended().get(20, TimeUnit.SECONDS);
    assertThat(seen.size()).isLessThan(300);
    assertThat(seen.getLast()).contains("cut off");
  }
}
