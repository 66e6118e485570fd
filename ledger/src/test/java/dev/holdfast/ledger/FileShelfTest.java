package dev.holdfast.ledger;

import static dev.holdfast.ledger.StoreContract.entry;
import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.limits.Time;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.LongStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class FileShelfTest {
  @TempDir Path folder;
  private final List<FileShelf> open = new ArrayList<>();

  static LongStream seeds() {
    var replay = Long.getLong("seed");
    return replay != null ? LongStream.of(replay) : new Random().longs(20);
  }

  /** What a shelf gives: the newest entry by key, as a follower would apply it. */
  private static final class Content {
    final Map<String, Long> positions = new HashMap<>();
    Shelf.@Nullable Mark mark;

    static Content of(Shelf shelf) {
      var content = new Content();
      content.mark =
          shelf.load(_ -> {
            content.positions.clear();
            return frame -> content.take(frame);
          });
      return content;
    }

    private void take(Shelf.Frame frame) {
      if (Envelope.decode(frame.sealed().envelope()) instanceof Envelope.Decoded.Good(var e)) {
        if (e.deleted()) {
          positions.remove(e.key());
        } else {
          positions.put(e.key(), e.position());
        }
      }
    }
  }

  @AfterEach
  void close() {
    open.forEach(FileShelf::close);
  }

  @Test
  void givesNothingBeforeSomethingWasKept() {
    var shelf = shelf();
    assertThat(Content.of(shelf).mark).isNull();
    assertThat(shelf.wantsDraft()).isTrue();
  }

  @Test
  void givesBaseAndLogsBack() {
    var shelf = filled(3);
    shelf.append(
        List.of(frame(4, "service/a", false), frame(5, "service/s1", true)), new Shelf.Mark(6, 77));
    shelf.close();
    var content = Content.of(shelf());
    assertThat(content.mark).isEqualTo(new Shelf.Mark(6, 77));
    assertThat(content.positions)
        .isEqualTo(Map.of("service/a", 4L, "service/s2", 2L, "service/s3", 3L));
  }

  @Test
  void aTornLogGivesWhatIsWhole() throws Exception {
    var shelf = filled(3);
    shelf.append(List.of(frame(4, "service/a", false)), new Shelf.Mark(4, 7));
    shelf.append(List.of(frame(5, "service/b", false)), new Shelf.Mark(5, 8));
    shelf.close();
    shorten(newest("log-"), 3);
    var again = shelf();
    assertThat(Content.of(again).mark).isEqualTo(new Shelf.Mark(5, 7));
    again.append(List.of(frame(6, "service/c", false)), new Shelf.Mark(6, 9));
    again.close();
    var content = Content.of(shelf());
    assertThat(content.mark).isEqualTo(new Shelf.Mark(6, 9));
    assertThat(content.positions).containsKeys("service/a", "service/b", "service/c");
  }

  @Test
  void aLogThatLostItsEndEndsTheReading() throws Exception {
    var shelf = filled(3);
    shelf.append(List.of(frame(4, "service/a", false)), new Shelf.Mark(4, 7));
    shelf.close();
    var again = shelf();
    assertThat(Content.of(again).mark).isEqualTo(new Shelf.Mark(4, 7));
    var first = newest("log-", 1);
    again.append(List.of(frame(5, "service/b", false)), new Shelf.Mark(5, 8));
    again.close();
    shorten(first, (int) Files.size(first) - 12); // power went before it was on disk
    var content = Content.of(shelf());
    assertThat(content.mark).isEqualTo(new Shelf.Mark(3, 3));
    assertThat(content.positions).doesNotContainKey("service/b");
  }

  @Test
  void aDamagedGenerationFallsBackToTheOneBefore() throws Exception {
    var shelf = filled(3);
    shelf.append(List.of(frame(4, "service/a", false)), new Shelf.Mark(4, 7));
    var draft = shelf.draft();
    for (int i = 1; i <= 4; i++) {
      draft.add(frame(i, i == 4 ? "service/a" : "service/s" + i, false));
    }
    draft.finish(new Shelf.Mark(4, 9));
    shelf.append(List.of(frame(5, "service/b", false)), new Shelf.Mark(5, 10));
    shelf.close();
    flip(newest("base-"), 60);
    var again = shelf();
    var content = Content.of(again);
    assertThat(content.mark).isEqualTo(new Shelf.Mark(5, 10));
    assertThat(content.positions)
        .containsOnlyKeys("service/s1", "service/s2", "service/s3", "service/a", "service/b");
    assertThat(again.trouble()).contains("damaged");
  }

  @Test
  void bothGenerationsOutliveARestart() throws Exception {
    var shelf = filled(3);
    shelf.append(List.of(frame(4, "service/s4", false)), new Shelf.Mark(4, 4));
    fill(shelf, 4);
    shelf.close();
    var again = shelf();
    assertThat(Content.of(again).positions).hasSize(4);
    again.append(List.of(frame(5, "service/b", false)), new Shelf.Mark(5, 10));
    again.close();
    flip(newest("base-"), 60);
    assertThat(Content.of(shelf()).positions).hasSize(5);
  }

  @Test
  void whenBothGenerationsAreDamagedItGivesNothing() throws Exception {
    var shelf = filled(3);
    shelf.close();
    flip(newest("base-"), 60);
    var again = shelf();
    assertThat(Content.of(again).mark).isNull();
    assertThat(again.wantsDraft()).isTrue();
    fill(again, 2);
    again.close();
    assertThat(Content.of(shelf()).positions).containsOnlyKeys("service/s1", "service/s2");
  }

  @Test
  void aDraftThatIsDroppedLeavesNothing() throws Exception {
    var shelf = filled(3);
    var draft = shelf.draft();
    draft.add(frame(9, "service/z", false));
    draft.drop();
    shelf.close();
    assertThat(Content.of(shelf()).positions).doesNotContainKey("service/z");
    try (var files = Files.list(folder)) {
      assertThat(files.filter(f -> f.toString().endsWith(".part"))).isEmpty();
    }
  }

  @Test
  void itKeepsTwoGenerationsAndTheirLogs() throws Exception {
    var shelf = filled(1);
    for (int i = 2; i <= 6; i++) {
      fill(shelf, i);
      shelf.append(List.of(), new Shelf.Mark(i, i));
    }
    shelf.close();
    try (var files = Files.list(folder)) {
      assertThat(files.map(f -> f.getFileName().toString()))
          .filteredOn(name -> name.startsWith("base-"))
          .hasSize(2);
    }
    assertThat(Content.of(shelf()).positions).hasSize(6);
  }

  @Test
  void thinningKeepsTheNewestOfEveryKeyWhateverTheOrder() throws Exception {
    var shelf = filled(100);
    var random = new Random(1);
    var model = new HashMap<String, Long>();
    for (int i = 1; i <= 100; i++) {
      model.put("service/s" + i, (long) i);
    }
    long at = 100;
    byte[] large = new byte[20_000];
    while (generation() < 4) { // each is one thinning
      at++;
      var key = "service/s" + (1 + random.nextInt(150));
      boolean deleted = random.nextInt(4) == 0;
      var e = entry(at, key, 1, deleted);
      var sealed =
          new Sealed(
              at,
              Envelope.encode(
                  new Entry(
                      at,
                      key,
                      e.kind(),
                      1,
                      1,
                      e.time(),
                      "t",
                      deleted,
                      deleted ? Payload.EMPTY : Payload.of(large))));
      shelf.append(
          List.of(new Shelf.Frame(sealed, Digest.ofKey(key), deleted ? Shelf.DELETED : 0)),
          new Shelf.Mark(at, at));
      if (deleted) {
        model.remove(key);
      } else {
        model.put(key, at);
      }
      assertThat(shelf.trouble()).isNull();
      assertThat(at).isLessThan(100_000);
    }
    shelf.close();
    var content = Content.of(shelf());
    assertThat(content.positions).isEqualTo(model);
    assertThat(content.mark).isEqualTo(new Shelf.Mark(at, at));
  }

  @ParameterizedTest(name = "seed {0}")
  @MethodSource("seeds")
  void whateverIsLostAtTheEndWhatIsGivenIsAPrefix(long seed) throws Exception {
    var random = new Random(seed);
    var shelf = filled(5);
    var after = new ArrayList<Map<String, Long>>(); // content by position
    var model = new HashMap<String, Long>();
    for (long i = 1; i <= 5; i++) {
      model.put("service/s" + i, i);
    }
    for (int i = 0; i <= 5; i++) {
      after.add(Map.copyOf(model));
    }
    for (long at = 6; at < 60; at++) {
      var key = "service/s" + random.nextInt(12);
      boolean deleted = random.nextInt(4) == 0;
      shelf.append(List.of(frame(at, key, deleted)), new Shelf.Mark(at, at));
      if (deleted) {
        model.remove(key);
      } else {
        model.put(key, at);
      }
      after.add(Map.copyOf(model));
      if (random.nextInt(10) == 0) {
        shelf.close();
        shelf = shelf();
        assertThat(Content.of(shelf).positions).isEqualTo(model);
      }
    }
    shelf.close();
    var log = newest("log-");
    if (random.nextBoolean()) {
      shorten(log, random.nextInt((int) Files.size(log) + 1)); // a log that just began is empty
    } else if (Files.size(log) > 12) {
      flip(log, 12 + random.nextInt((int) Files.size(log) - 12));
    }
    var content = Content.of(shelf());
    var mark = content.mark;
    assertThat(mark).isNotNull();
    if (mark != null) {
      assertThat(content.positions).isEqualTo(after.get((int) mark.position()));
    }
  }

  @Test
  void aFullDiskIsToldAndDoesNotThrow() {
    var shelf = new FileShelf(Path.of("/proc/holdfast"), 1 << 20, Time.system());
    open.add(shelf);
    assertThat(Content.of(shelf).mark).isNull();
    fill(shelf, 3);
    shelf.append(List.of(frame(4, "service/a", false)), new Shelf.Mark(4, 4));
    assertThat(shelf.trouble()).contains("/proc/holdfast");
    assertThat(shelf.wantsDraft()).isTrue();
  }

  private FileShelf shelf() {
    var shelf = new FileShelf(folder, 1L << 30, Time.system());
    open.add(shelf);
    return shelf;
  }

  /** A shelf with s1 to sN in its base. */
  private FileShelf filled(int entries) {
    var shelf = shelf();
    assertThat(Content.of(shelf).mark).isNull();
    fill(shelf, entries);
    return shelf;
  }

  private static void fill(Shelf shelf, int entries) {
    var draft = shelf.draft();
    for (int i = 1; i <= entries; i++) {
      draft.add(frame(i, "service/s" + i, false));
    }
    draft.finish(new Shelf.Mark(entries, entries));
  }

  private static Shelf.Frame frame(long position, String key, boolean deleted) {
    return new Shelf.Frame(
        new Sealed(position, Envelope.encode(entry(position, key, 1, deleted))),
        Digest.ofKey(key),
        deleted ? Shelf.DELETED : 0);
  }

  private long generation() throws IOException {
    return numbers("base-").max().orElse(0);
  }

  private Path newest(String prefix) throws IOException {
    return newest(prefix, 0);
  }

  private Path newest(String prefix, int before) throws IOException {
    long[] numbers = numbers(prefix).sorted().toArray();
    return folder.resolve(prefix + numbers[numbers.length - 1 - before]);
  }

  private LongStream numbers(String prefix) throws IOException {
    try (var files = Files.list(folder)) {
      return LongStream.of(
          files
              .map(f -> f.getFileName().toString())
              .filter(name -> name.startsWith(prefix) && !name.contains("."))
              .mapToLong(name -> Long.parseLong(name.substring(prefix.length())))
              .toArray());
    }
  }

  private static void shorten(Path file, int bytes) throws IOException {
    try (var channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
      channel.truncate(channel.size() - bytes);
    }
  }

  private static void flip(Path file, int at) throws IOException {
    byte[] bytes = Files.readAllBytes(file);
    try (var channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
      channel.write(ByteBuffer.wrap(new byte[] {(byte) (bytes[at] ^ 1)}), at);
    }
  }
}
