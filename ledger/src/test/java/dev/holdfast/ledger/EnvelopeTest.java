package dev.holdfast.ledger;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.ByteBuffer;
import java.time.Instant;
import java.util.Random;
import java.util.stream.LongStream;
import java.util.zip.CRC32C;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class EnvelopeTest {

  static LongStream seeds() {
    var replay = Long.getLong("seed");
    return replay != null ? LongStream.of(replay) : new Random().longs(50);
  }

  @ParameterizedTest(name = "seed {0}")
  @MethodSource("seeds")
  void whatGoesInComesOut(long seed) {
    var entry = entry(new Random(seed));
    var envelope = Envelope.encode(entry);
    assertThat(Envelope.decode(envelope)).isEqualTo(new Envelope.Decoded.Good(entry));
    assertThat(envelope.length()).isLessThanOrEqualTo(Envelope.BYTES_MAX);
  }

  @ParameterizedTest(name = "seed {0}")
  @MethodSource("seeds")
  void everySingleFlippedBitIsNoticed(long seed) {
    byte[] bytes = Envelope.encode(entry(new Random(seed))).bytes();
    for (int bit = 0; bit < bytes.length * 8; bit++) {
      bytes[bit / 8] ^= (byte) (1 << bit % 8);
      assertThat(Envelope.decode(Payload.of(bytes)))
          .as("bit %d", bit)
          .isInstanceOf(Envelope.Decoded.Unreadable.class);
      bytes[bit / 8] ^= (byte) (1 << bit % 8);
    }
  }

  @ParameterizedTest(name = "seed {0}")
  @MethodSource("seeds")
  void everyCutIsNoticed(long seed) {
    byte[] bytes = Envelope.encode(entry(new Random(seed))).bytes();
    for (int length = 0; length < bytes.length; length++) {
      byte[] cut = java.util.Arrays.copyOf(bytes, length);
      assertThat(Envelope.decode(Payload.of(cut))).isInstanceOf(Envelope.Decoded.Unreadable.class);
    }
  }

  /** With a checksum that fits, so that only the lengths inside stand between it and the reader. */
  @ParameterizedTest(name = "seed {0}")
  @MethodSource("seeds")
  void hostileBytesUnderAGoodChecksumNeverThrow(long seed) {
    var random = new Random(seed);
    byte[] good = Envelope.encode(entry(random)).bytes();
    for (int i = 0; i < 500; i++) {
      byte[] bytes = good.clone();
      for (int harm = 1 + random.nextInt(4); harm > 0; harm--) {
        bytes[4 + random.nextInt(bytes.length - 8)] = (byte) random.nextInt();
      }
      seal(bytes);
      assertThatCode(() -> Envelope.decode(Payload.of(bytes))).doesNotThrowAnyException();
    }
  }

  @Test
  void hostileLengthsNeverThrow() {
    var entry =
        new Entry(1, "k", "kind", 1, 1, Instant.EPOCH, "a", false, Payload.of("\"payload\""));
    byte[] good = Envelope.encode(entry).bytes();
    int kindLength = 2 + 1 + 1 + 8 + 8 + 8 + 4;
    int payloadLength = kindLength + 2 + 4 + 2 + 1 + 2 + 1;
    assertThat(ByteBuffer.wrap(good).getInt(payloadLength)).isEqualTo(9);
    for (int length : new int[] {-1, Integer.MIN_VALUE, Integer.MAX_VALUE, 8, 10, 1 << 30}) {
      byte[] bytes = good.clone();
      ByteBuffer.wrap(bytes).putInt(payloadLength, length);
      seal(bytes);
      assertThat(Envelope.decode(Payload.of(bytes)))
          .isInstanceOf(Envelope.Decoded.Unreadable.class);
      ByteBuffer.wrap(bytes).putShort(kindLength, (short) length);
      seal(bytes);
      assertThat(Envelope.decode(Payload.of(bytes)))
          .isInstanceOf(Envelope.Decoded.Unreadable.class);
    }
  }

  @Test
  void anotherVersionIsUnreadable() {
    byte[] bytes = Envelope.encode(StoreContract.entry(1, "service/a", 1, false)).bytes();
    bytes[2] = 2;
    seal(bytes);
    assertThat(Envelope.decode(Payload.of(bytes)))
        .isInstanceOfSatisfying(
            Envelope.Decoded.Unreadable.class,
            bad -> assertThat(bad.cause()).contains("magic and version"));
  }

  @Test
  void refusesKeysThatWouldNotComeBack() {
    for (var key : new String[] {"", "a\nb", "half \uD800", "x".repeat(513)}) {
      assertThatThrownBy(() -> StoreContract.entry(1, key, 1, false))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageStartingWith("key: ");
    }
  }

  private static void seal(byte[] bytes) {
    var crc = new CRC32C();
    crc.update(bytes, 0, bytes.length - 4);
    ByteBuffer.wrap(bytes).putInt(bytes.length - 4, (int) crc.getValue());
  }

  private static Entry entry(Random random) {
    boolean deleted = random.nextInt(4) == 0;
    byte[] payload = new byte[deleted ? 0 : random.nextInt(200)];
    random.nextBytes(payload);
    return new Entry(
        1 + random.nextLong(Long.MAX_VALUE),
        text(random),
        text(random),
        1 + random.nextInt(1_000),
        1 + random.nextLong(Long.MAX_VALUE),
        Instant.ofEpochMilli(random.nextLong(1L << 45)),
        text(random),
        deleted,
        Payload.of(payload));
  }

  private static String text(Random random) {
    var text = new StringBuilder();
    for (int i = 1 + random.nextInt(10); i > 0; i--) {
      text.appendCodePoint("a/é漢\uD83D\uDE00".codePoints().toArray()[random.nextInt(5)]);
    }
    return text.toString();
  }
}
