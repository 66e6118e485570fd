package dev.holdfast.edge;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.aayushatharva.brotli4j.decoder.BrotliInputStream;
import com.github.luben.zstd.ZstdInputStream;
import dev.holdfast.edge.Compression.Head;
import dev.holdfast.ledger.Policy.Encoding;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.buffer.UnpooledByteBufAllocator;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.util.List;
import java.util.Random;
import java.util.zip.GZIPInputStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class CompressionTest {
  private static final List<Encoding> ALL = List.of(Encoding.ZSTD, Encoding.BR, Encoding.GZIP);
  private static final Head PAGE = new Head(200, "text/html; charset=utf-8", null, null, 5000);
  private final UnpooledByteBufAllocator allocator = UnpooledByteBufAllocator.DEFAULT;

  static InputStream decoder(Encoding encoding, InputStream in) throws IOException {
    return switch (encoding) {
      case GZIP -> new GZIPInputStream(in);
      case BR -> {
        var eager = new BrotliInputStream(in);
        eager.enableEagerOutput();
        yield eager;
      }
      case ZSTD -> new ZstdInputStream(in).setContinuous(true);
    };
  }

  private static void add(ByteArrayOutputStream to, ByteBuf from) throws IOException {
    from.readBytes(to, from.readableBytes());
    assertThat(from.release()).isTrue();
  }

  @ParameterizedTest
  @EnumSource(Encoding.class)
  void saysTheSameAsWhatCame(Encoding encoding) throws IOException {
    assumeTrue(Compression.available(encoding));
    var random = new Random(7);
    var body = new ByteArrayOutputStream();
    var coded = new ByteArrayOutputStream();
    try (var encoder = Compression.encoder(encoding, allocator)) {
      for (int i = 0; i < 50; i++) {
        var piece = new byte[random.nextInt(40_000)];
        if (i % 2 == 0) {
          random.nextBytes(piece);
        }
        body.write(piece);
        var in = i % 3 == 0 ? allocator.heapBuffer() : allocator.directBuffer();
        in.writeBytes(piece);
        add(coded, encoder.encode(in));
        assertThat(in.refCnt()).isZero();
      }
      add(coded, encoder.finish());
    }
    assertThat(coded.size()).isLessThan(body.size() * 6 / 10);
    try (var decoded = decoder(encoding, new ByteArrayInputStream(coded.toByteArray()))) {
      assertThat(decoded.readAllBytes()).isEqualTo(body.toByteArray());
    }
  }

  @ParameterizedTest
  @EnumSource(Encoding.class)
  void showsTheClientEachEventAtOnce(Encoding encoding) throws IOException {
    assumeTrue(Compression.available(encoding));
    var coded = new ByteArrayOutputStream();
    try (var encoder = Compression.encoder(encoding, allocator)) {
      for (int i = 1; i <= 3; i++) {
        add(coded, encoder.encode(Unpooled.copiedBuffer("data: " + i + "\n\n", UTF_8)));
        add(coded, encoder.flush());
        var so = so(encoding, coded.toByteArray());
        assertThat(so).endsWith("data: " + i + "\n\n").hasSize(9 * i);
      }
    }
  }

  /** What can be read of a body that has not ended. */
  private static String so(Encoding encoding, byte[] coded) throws IOException {
    var read = new ByteArrayOutputStream();
    try (var decoded = decoder(encoding, new ByteArrayInputStream(coded))) {
      for (int c = decoded.read(); c >= 0; c = decoded.read()) {
        read.write(c);
      }
    } catch (EOFException e) {
      return read.toString(UTF_8); // as it should: more is to come
    } catch (IOException e) {
      assertThat(encoding).as(e.toString()).isNotEqualTo(Encoding.GZIP);
    }
    return read.toString(UTF_8);
  }

  @ParameterizedTest
  @EnumSource(Encoding.class)
  void canBeGivenUpHalfway(Encoding encoding) throws IOException {
    assumeTrue(Compression.available(encoding));
    try (var encoder = Compression.encoder(encoding, allocator)) {
      encoder.encode(Unpooled.copiedBuffer("half", UTF_8)).release();
    }
  }

  @ParameterizedTest
  @CsvSource(
      nullValues = "none",
      delimiter = '|',
      value = {
        "gzip, deflate, br, zstd     | ZSTD",
        "gzip, deflate, br           | BR",
        "gzip                        | GZIP",
        "GZIP;q=0.5                  | GZIP",
        "zstd;q=0, br;q=0.000, *     | GZIP",
        "*;q=0                       | none",
        "identity                    | none",
        "none                        | none"
      })
  void choosesTheOwnersFirstThatTheClientTakes(@Nullable String accept, @Nullable Encoding chosen) {
    assumeTrue(Compression.available(Encoding.BR) && Compression.available(Encoding.ZSTD));
    assertThat(Compression.choose(ALL, accept, PAGE)).isEqualTo(chosen);
    assertThat(Compression.choose(List.of(), accept, PAGE)).isNull();
  }

  @Test
  void leavesAloneWhatMustNotOrNeedNotBeCompressed() {
    assertThat(Compression.possible(ALL, PAGE)).isTrue();
    assertThat(Compression.possible(ALL, new Head(200, "text/event-stream", null, null, -1)))
        .isTrue();
    assertThat(Compression.possible(ALL, new Head(404, "application/ld+json", null, null, 1024)))
        .isTrue();
    for (int status : new int[] {101, 204, 206, 304}) {
      assertThat(Compression.possible(ALL, new Head(status, "text/html", null, null, 5000)))
          .isFalse();
    }
    for (var head :
        List.of(
            new Head(200, "image/png", null, null, 5000),
            new Head(200, null, null, null, 5000),
            new Head(200, "text/html", "br", null, 5000),
            new Head(200, "text/html", null, "public, No-Transform", 5000),
            new Head(200, "text/html", null, null, 1023))) {
      assertThat(Compression.possible(ALL, head)).as("%s", head).isFalse();
    }
  }

  @Test
  void makesEntityTagsWeak() {
    assertThat(Compression.weak("\"a\"")).isEqualTo("W/\"a\"");
    assertThat(Compression.weak("W/\"a\"")).isEqualTo("W/\"a\"");
  }
}
