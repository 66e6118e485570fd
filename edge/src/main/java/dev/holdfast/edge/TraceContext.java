package dev.holdfast.edge;

import java.util.random.RandomGenerator;

/**
 * W3C Trace Context (Recommendation of 2021) in bytes: what came is passed on as it is, and only
 * what is valid is believed. Nothing here makes objects. Stateless.
 *
 * <pre>
 * 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01
 * version  trace-id (32)               parent-id (16)   flags
 * </pre>
 */
final class TraceContext {
  /** Length of a traceparent of version 00. */
  static final int BYTES = 55;

  /** Where the trace-id begins. */
  static final int TRACE_AT = 3;

  /** Length of the trace-id. */
  static final int TRACE_BYTES = 32;

  private static final int PARENT_AT = 36;
  private static final int PARENT_BYTES = 16;
  private static final int FLAGS_AT = 53;
  private static final byte[] HEX = {
    '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f'
  };

  private TraceContext() {}

  /**
   * Whether that is a traceparent: lower case, neither id all zeros, not version ff, and longer
   * than version 00 only when its version is later.
   */
  static boolean valid(byte[] in, int offset, int length) {
    if (length < BYTES
        || offset < 0
        || offset + length > in.length
        || in[offset + 2] != '-'
        || in[offset + PARENT_AT - 1] != '-'
        || in[offset + FLAGS_AT - 1] != '-'
        || !hex(in, offset, 2)
        || !hex(in, offset + FLAGS_AT, 2)
        || !id(in, offset + TRACE_AT, TRACE_BYTES)
        || !id(in, offset + PARENT_AT, PARENT_BYTES)) {
      return false;
    }
    if (in[offset] == 'f' && in[offset + 1] == 'f') {
      return false;
    }
    boolean first = in[offset] == '0' && in[offset + 1] == '0';
    return length == BYTES || (!first && in[offset + BYTES] == '-');
  }

  /** Whether whoever began the trace may have recorded it. Only for what is valid. */
  static boolean sampled(byte[] in, int offset) {
    return (Octets.hex(in[offset + FLAGS_AT + 1]) & 1) == 1;
  }

  /**
   * Writes a traceparent that begins a new trace, {@link #BYTES} bytes, not sampled: the edge
   * records no spans itself, so whoever comes next decides.
   */
  static void begin(byte[] out, int offset, RandomGenerator random) {
    out[offset] = '0';
    out[offset + 1] = '0';
    out[offset + 2] = '-';
    hex(out, offset + TRACE_AT, random.nextLong());
    hex(out, offset + TRACE_AT + 16, random.nextLong() | 1); // never all zeros
    out[offset + PARENT_AT - 1] = '-';
    hex(out, offset + PARENT_AT, random.nextLong() | 1);
    out[offset + FLAGS_AT - 1] = '-';
    out[offset + FLAGS_AT] = '0';
    out[offset + FLAGS_AT + 1] = '0';
  }

  /** Says where the request's context stands; where there is none one may begin here. */
  static void of(Head head, RandomGenerator random, boolean begins, Heads.Sent sent) {
    sent.traceAt = -1;
    sent.traceBegun = false;
    int given = head.find(Name.TRACEPARENT);
    if (given >= 0 && !head.repeats(Name.TRACEPARENT)) {
      int at = head.valueAt(given);
      if (valid(head.bytes, at, head.valueEnd(given) - at)) {
        sent.traceAt = at;
        return;
      }
    }
    if (begins) {
      int at = head.note(BYTES);
      begin(head.bytes, at, random);
      sent.traceAt = at;
      sent.traceBegun = true;
    }
  }

  private static void hex(byte[] out, int offset, long value) {
    for (int i = 0; i < 16; i++) {
      out[offset + i] = HEX[(int) (value >>> (60 - 4 * i)) & 0xf];
    }
  }

  private static boolean hex(byte[] in, int offset, int length) {
    for (int i = offset; i < offset + length; i++) {
      int c = in[i];
      if (!Octets.digit(c) && (c < 'a' || c > 'f')) {
        return false;
      }
    }
    return true;
  }

  private static boolean id(byte[] in, int offset, int length) {
    if (!hex(in, offset, length)) {
      return false;
    }
    for (int i = offset; i < offset + length; i++) {
      if (in[i] != '0') {
        return true;
      }
    }
    return false;
  }
}
