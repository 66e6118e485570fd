package dev.holdfast.edge;

import static java.nio.charset.StandardCharsets.US_ASCII;

import dev.holdfast.ledger.Policy;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What a policy adds to the answers of an app, prepared once per place. A place whose policy adds
 * nothing has none, so that its answers cost one look. Immutable.
 */
final class Extras {
  private final byte @Nullable [] hsts;
  private final boolean sticky;
  private final List<Policy.Encoding> encodings;

  private Extras(byte @Nullable [] hsts, boolean sticky, List<Policy.Encoding> encodings) {
    this.hsts = hsts;
    this.sticky = sticky;
    this.encodings = encodings;
  }

  /** What that policy adds, or null. */
  static @Nullable Extras of(Policy policy) {
    var seconds = policy.hstsSeconds();
    boolean secure = seconds != null && seconds > 0;
    if (!secure && !policy.sticky() && policy.encodings().isEmpty()) {
      return null;
    }
    var line = "Strict-Transport-Security: max-age=" + seconds + "\r\n";
    return new Extras(secure ? Bytes.ascii(line) : null, policy.sticky(), policy.encodings());
  }

  /** The line that makes browsers come by HTTPS only (RFC 6797), with its end, or null. */
  byte @Nullable [] hsts() {
    return hsts;
  }

  /** The same for a page of the edge's own; empty on a plain connection, where it is not said. */
  static String hsts(@Nullable Extras extras, Arrival arrival) {
    var line = extras == null || !arrival.secure() ? null : extras.hsts;
    return line == null ? "" : new String(line, US_ASCII);
  }

  /** Whether a visitor comes back to the same endpoint. */
  boolean sticky() {
    return sticky;
  }

  /** What answers may be compressed with, in order of preference. */
  List<Policy.Encoding> encodings() {
    return encodings;
  }
}
