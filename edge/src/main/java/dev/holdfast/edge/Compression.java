package dev.holdfast.edge;

import com.aayushatharva.brotli4j.Brotli4jLoader;
import com.github.luben.zstd.util.Native;
import dev.holdfast.ledger.Policy.Encoding;
import io.netty.buffer.ByteBufAllocator;
import java.io.IOException;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Whether a response is compressed, and with what (RFC 9110 section 12.5.3). Whoever does so drops
 * Content-Length and Accept-Ranges, makes the ETag weak, and adds Content-Encoding; Vary is added
 * as soon as the answer depends on the question. Stateless.
 */
final class Compression {
  /** Shorter bodies are left alone. */
  static final long BYTES_MIN = 1024;

  private static final int ENCODINGS_LOOKED_AT = 16;
  private static final Set<String> TYPES =
      Set.of(
          "application/atom+xml",
          "application/javascript",
          "application/json",
          "application/manifest+json",
          "application/problem+json",
          "application/rss+xml",
          "application/wasm",
          "application/x-javascript",
          "application/x-ndjson",
          "application/xhtml+xml",
          "application/xml",
          "font/otf",
          "font/ttf",
          "image/svg+xml",
          "image/x-icon");

  private Compression() {}

  /**
   * What a response is about, as far as it matters here.
   *
   * @param contentLength -1 when it is not known
   */
  record Head(
      int status,
      @Nullable String contentType,
      @Nullable String contentEncoding,
      @Nullable String cacheControl,
      long contentLength) {}

  /** Whether that response may be compressed at all, for whomever: then it varies. */
  static boolean possible(List<Encoding> wanted, Head head) {
    return !wanted.isEmpty()
        && head.status() >= 200
        && head.status() != 204
        && head.status() != 206
        && head.status() != 304
        && (head.contentLength() < 0 || head.contentLength() >= BYTES_MIN)
        && head.contentEncoding() == null
        && !(head.cacheControl() != null
            && head.cacheControl().toLowerCase(Locale.ROOT).contains("no-transform"))
        && compressible(head.contentType());
  }

  private static boolean compressible(@Nullable String contentType) {
    if (contentType == null) {
      return false;
    }
    int end = contentType.indexOf(';');
    var type = (end < 0 ? contentType : contentType.substring(0, end)).strip();
    var lower = type.toLowerCase(Locale.ROOT);
    return lower.startsWith("text/") || TYPES.contains(lower) || lower.endsWith("+json");
  }

  /** The first of the wanted encodings that the client takes and this machine has, or null. */
  static @Nullable Encoding choose(
      List<Encoding> wanted, @Nullable String acceptEncoding, Head head) {
    if (acceptEncoding == null || !possible(wanted, head)) {
      return null;
    }
    for (var encoding : wanted) {
      if (accepts(acceptEncoding, name(encoding)) && available(encoding)) {
        return encoding;
      }
    }
    return null;
  }

  /** Whether the field takes that coding; a name goes over {@code *}. */
  private static boolean accepts(String field, String coding) {
    boolean star = false;
    for (var part : field.toLowerCase(Locale.ROOT).split(",", ENCODINGS_LOOKED_AT)) {
      int end = part.indexOf(';');
      var name = (end < 0 ? part : part.substring(0, end)).strip();
      boolean refused = end >= 0 && part.substring(end + 1).strip().matches("q=0(\\.0{0,3})?");
      if (name.equals(coding)) {
        return !refused;
      }
      star |= name.equals("*") && !refused;
    }
    return star;
  }

  /** As it stands in Content-Encoding. */
  static String name(Encoding encoding) {
    return switch (encoding) {
      case GZIP -> "gzip";
      case BR -> "br";
      case ZSTD -> "zstd";
    };
  }

  /** Whether this machine can: two of the three need a native library. */
  static boolean available(Encoding encoding) {
    return switch (encoding) {
      case GZIP -> true;
      case BR -> Brotli4jLoader.isAvailable();
      case ZSTD -> Zstandard.LOADED;
    };
  }

  /** Looked for once, and only when somebody asks. */
  private static final class Zstandard {
    static final boolean LOADED = load();

    private static boolean load() {
      try {
        Native.load();
        return true;
      } catch (LinkageError e) {
        return false; // a machine for which there is no library; others are asked for
      }
    }
  }

  /** The same ETag, weak: the bytes are others now (RFC 9110 section 8.8.1). */
  static String weak(String etag) {
    return etag.startsWith("W/") ? etag : "W/" + etag;
  }

  /**
   * An encoder for one response, to be closed.
   *
   * @throws IOException when the library refuses
   */
  static Encoder encoder(Encoding encoding, ByteBufAllocator allocator) throws IOException {
    return switch (encoding) {
      case GZIP -> new GzipEncoder(allocator);
      case BR -> new BrotliEncoder(allocator);
      case ZSTD -> new ZstdEncoder(allocator);
    };
  }
}
