package dev.holdfast.edge;

import com.aayushatharva.brotli4j.Brotli4jLoader;
import com.github.luben.zstd.util.Native;
import dev.holdfast.ledger.Policy.Encoding;
import io.netty.buffer.ByteBufAllocator;
import java.io.IOException;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Pattern;
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
  private static final int WEIGHT_MAX = 1000;
  private static final Pattern WEIGHT =
      Pattern.compile("q=(?:0(?:\\.[0-9]{0,3})?|1(?:\\.0{0,3})?)");
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

  /**
   * The encoding that the client likes best, of those that are wanted and that this machine has; of
   * several that it likes as much the owner's first. Null when it likes none, or none better than
   * the plain body.
   */
  static @Nullable Encoding choose(
      List<Encoding> wanted, @Nullable String acceptEncoding, Head head) {
    if (acceptEncoding == null || !possible(wanted, head)) {
      return null;
    }
    var codings = acceptEncoding.toLowerCase(Locale.ROOT).split(",", ENCODINGS_LOOKED_AT);
    Encoding best = null;
    int most = Math.max(1, weight(codings, "identity", false));
    for (var encoding : wanted) {
      int weight = weight(codings, name(encoding), true);
      if ((best == null ? weight >= most : weight > most) && available(encoding)) {
        best = encoding;
        most = weight;
      }
    }
    return best;
  }

  /** What the client gives that coding, in thousandths; 0 for not at all. A name goes over *. */
  private static int weight(String[] codings, String name, boolean starred) {
    int star = 0;
    for (var coding : codings) {
      int end = coding.indexOf(';');
      var named = (end < 0 ? coding : coding.substring(0, end)).strip();
      int weight = end < 0 ? WEIGHT_MAX : weight(coding, end + 1);
      if (named.equals(name) || (named.startsWith("x-") && named.substring(2).equals(name))) {
        return weight;
      }
      if (starred && named.equals("*")) {
        star = weight;
      }
    }
    return star;
  }

  /** {@code q=0.8} in thousandths (RFC 9110 section 12.4.2); 0 when it is something else. */
  private static int weight(String coding, int from) {
    var parameter = coding.substring(from).strip();
    if (!WEIGHT.matcher(parameter).matches()) {
      return 0;
    }
    int weight = parameter.charAt(2) == '1' ? WEIGHT_MAX : 0;
    int unit = 100;
    for (int i = 4; i < parameter.length() && weight < WEIGHT_MAX; i++) {
      weight += unit * (parameter.charAt(i) - '0');
      unit /= 10;
    }
    return weight;
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
