package dev.holdfast.ledger;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** Bytes that nobody can change any more. Immutable. */
public final class Payload {
  /** No bytes at all: what a deletion carries. */
  public static final Payload EMPTY = new Payload(new byte[0]);

  private final byte[] bytes;
  private @Nullable Object known; // a race leaves one of two equal and immutable values

  private Payload(byte[] bytes) {
    this.bytes = bytes;
  }

  /** A copy of the bytes. */
  public static Payload of(byte[] bytes) {
    return bytes.length == 0 ? EMPTY : new Payload(bytes.clone());
  }

  /** The text in UTF-8. */
  public static Payload of(String text) {
    return new Payload(text.getBytes(StandardCharsets.UTF_8));
  }

  /** Takes the bytes without a copy; the caller must forget them. */
  static Payload wrap(byte[] bytes) {
    return new Payload(bytes);
  }

  /** How many bytes. */
  public int length() {
    return bytes.length;
  }

  /** A copy of the bytes. */
  public byte[] bytes() {
    return bytes.clone();
  }

  /** The bytes themselves, for readers in this package that keep their hands off. */
  byte[] shared() {
    return bytes;
  }

  /** What a {@link Kind} of that type read in these bytes before, or null. */
  <T> @Nullable T known(Class<T> type) {
    var value = known;
    return value != null && value.getClass() == type ? type.cast(value) : null;
  }

  /** Remembers what stands here, so that who looks again need not read it again. */
  void know(Object value) {
    known = value;
  }

  /** The bytes read as UTF-8; what is not UTF-8 becomes U+FFFD. */
  public String text() {
    return new String(bytes, StandardCharsets.UTF_8);
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Payload that && Arrays.equals(bytes, that.bytes);
  }

  @Override
  public int hashCode() {
    return Arrays.hashCode(bytes);
  }

  @Override
  public String toString() {
    return bytes.length + " bytes";
  }
}
