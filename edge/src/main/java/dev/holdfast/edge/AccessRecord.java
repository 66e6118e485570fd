package dev.holdfast.edge;

import io.netty.buffer.ByteBuf;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * What is to be said of one request that has ended. One record serves one request after the other:
 * its owner clears it, fills it and hands it to {@link AccessLog.Lane#write}, which copies it.
 * Values are octets as they came; cleaning them is the renderer's part. Confined to its owner.
 */
final class AccessRecord {
  /** A time that was never measured: the value stays empty. */
  static final long NONE = -1;

  /** Longest value that is repeated, in bytes. */
  static final int VALUE_BYTES_MAX = 8192;

  static final int METHOD = 0;
  static final int PATH = 1;
  static final int HOST = 2;
  static final int REQUEST_ID = 3;
  static final int FORWARDED_FOR = 4;
  static final int USER_AGENT = 5;

  /** The trace-id of {@link TraceContext}, 32 digits, or nothing. */
  static final int TRACE = 6;

  static final int FIELDS = 7;
  private static final int TEXT_BYTES_FIRST = 1024;

  /** Where the values are; either the record's own or the owner's, such as a copy of the head. */
  byte[] text = new byte[TEXT_BYTES_FIRST];

  final int[] offsets = new int[FIELDS];
  final int[] lengths = new int[FIELDS];

  /** Wall clock at the end of the request, milliseconds since 1970. */
  long epochMillis;

  int status;
  @Nullable Code code;

  /** A constant without any byte of the request, or null. */
  @Nullable String cause;

  @Nullable String service;
  @Nullable String dyno;
  @Nullable Arrival arrival;
  long connectMillis = NONE;
  long serviceMillis = NONE;
  long bytesOut;
  long bytesIn;
  private int end;

  /** As new; the text that it was pointed at is kept. */
  void clear() {
    Arrays.fill(lengths, 0);
    epochMillis = 0;
    status = 0;
    code = null;
    cause = null;
    service = null;
    dyno = null;
    arrival = null;
    connectMillis = NONE;
    serviceMillis = NONE;
    bytesOut = 0;
    bytesIn = 0;
    end = 0;
  }

  /** Says where in {@link #text} the value stands; what is too long is cut. */
  void point(int field, int offset, int length) {
    offsets[field] = offset;
    lengths[field] = Math.min(length, VALUE_BYTES_MAX);
  }

  /** Copies a value into the record's own text. */
  void put(int field, ByteBuf from, int index, int length) {
    int cut = Math.min(length, VALUE_BYTES_MAX);
    room(cut);
    from.getBytes(index, text, end, cut);
    added(field, cut);
  }

  /** Copies a value into the record's own text. */
  void put(int field, byte[] from, int index, int length) {
    int cut = Math.min(length, VALUE_BYTES_MAX);
    room(cut);
    System.arraycopy(from, index, text, end, cut);
    added(field, cut);
  }

  /** Copies a value of which one character is one byte (ISO 8859-1). */
  void put(int field, String value) {
    int cut = Math.min(value.length(), VALUE_BYTES_MAX);
    room(cut);
    for (int i = 0; i < cut; i++) {
      text[end + i] = (byte) value.charAt(i);
    }
    added(field, cut);
  }

  private void room(int bytes) {
    if (text.length - end < bytes) {
      text = Arrays.copyOf(text, Math.max(2 * text.length, end + bytes));
    }
  }

  private void added(int field, int length) {
    offsets[field] = end;
    lengths[field] = length;
    end += length;
  }
}
