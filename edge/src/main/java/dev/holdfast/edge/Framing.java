package dev.holdfast.edge;

import org.jspecify.annotations.Nullable;

/**
 * How the end of a body is found (RFC 9112 section 6.3), decided strictly: a message whose length
 * two readers could understand differently is refused. Set anew for every message. Confined to its
 * event loop.
 */
final class Framing {
  /** Digits of the largest length that is taken; more cannot be meant. */
  private static final int LENGTH_DIGITS_MAX = 18;

  private static final byte[] CHUNKED = Bytes.ascii("chunked");

  /** How the end is found. */
  enum Kind {
    /** There is no body. */
    NONE,
    /** After {@link #length} bytes. */
    LENGTH,
    /** After the last chunk. */
    CHUNKED,
    /** Where the connection ends. */
    UNTIL_CLOSE
  }

  private Kind kind = Kind.NONE;
  private long length;

  Kind kind() {
    return kind;
  }

  /** The length of the body in bytes, when it was said. */
  long length() {
    return length;
  }

  boolean chunked() {
    return kind == Kind.CHUNKED;
  }

  private @Nullable Fault set(Kind next, long bytes) {
    kind = next;
    length = bytes;
    return null;
  }

  /** Decides for a request; null unless it is unclear. */
  @Nullable Fault ofRequest(Head head, boolean http11) {
    set(Kind.NONE, 0);
    if (head.has(Name.TRANSFER_ENCODING)) {
      var fault = chunkedOnly(head, http11);
      return fault == null ? set(Kind.CHUNKED, 0) : fault;
    }
    if (!head.has(Name.CONTENT_LENGTH)) {
      return null;
    }
    long bytes = length(head);
    return bytes < 0 ? Fault.LENGTH : set(Kind.LENGTH, bytes);
  }

  /** Decides for a final response; null unless it is unclear. */
  @Nullable Fault ofResponse(Head head, boolean toHead, int status, boolean http11) {
    set(Kind.NONE, 0);
    boolean bodyless = toHead || status == 204 || status == 304;
    if (head.has(Name.TRANSFER_ENCODING)) {
      var fault = bodyless ? null : chunkedOnly(head, http11);
      return fault != null || bodyless ? fault : set(Kind.CHUNKED, 0);
    }
    long bytes = head.has(Name.CONTENT_LENGTH) ? length(head) : 0;
    if (bytes < 0) {
      return Fault.LENGTH;
    }
    if (bodyless) {
      return null;
    }
    return head.has(Name.CONTENT_LENGTH) ? set(Kind.LENGTH, bytes) : set(Kind.UNTIL_CLOSE, 0);
  }

  private static @Nullable Fault chunkedOnly(Head head, boolean http11) {
    if (head.has(Name.CONTENT_LENGTH)) {
      return Fault.LENGTH;
    }
    if (!http11 || head.repeats(Name.TRANSFER_ENCODING)) {
      return Fault.CODING;
    }
    int field = head.find(Name.TRANSFER_ENCODING);
    if (head.value(field, CHUNKED)) {
      return null;
    }
    int at = head.valueAt(field);
    while (at < head.valueEnd(field)) {
      int comma = head.comma(at, head.valueEnd(field));
      int from = head.memberAt(at, comma);
      int to = head.memberEnd(at, comma);
      if (from < to && !Octets.same(head.bytes, from, to, CHUNKED)) {
        return Fault.CODING_UNKNOWN;
      }
      at = comma + 1;
    }
    return Fault.CODING;
  }

  /** The one length that all fields of that name agree on, or -1. */
  private static long length(Head head) {
    int first = head.find(Name.CONTENT_LENGTH);
    int from = head.valueAt(first);
    int to = head.valueEnd(first);
    int next = head.repeats(Name.CONTENT_LENGTH) ? head.find(Name.CONTENT_LENGTH, first + 1) : -1;
    while (next >= 0) {
      if (!Bytes.equal(head.bytes, from, to, head.valueAt(next), head.valueEnd(next))) {
        return -1;
      }
      next = head.find(Name.CONTENT_LENGTH, next + 1);
    }
    if (from == to || to - from > LENGTH_DIGITS_MAX) {
      return -1;
    }
    long length = 0;
    for (int i = from; i < to; i++) {
      int digit = head.bytes[i] - '0';
      if (digit < 0 || digit > 9) {
        return -1;
      }
      length = length * 10 + digit;
    }
    return length;
  }
}
