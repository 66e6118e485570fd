package dev.holdfast.drills;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Locale;

/**
 * Finds the status and the end of one HTTP/1.1 answer after the other. Only as strict as a load
 * generator must be: an answer that it cannot read counts as failed. Confined to the load's thread.
 */
final class AnswerReader {
  private static final int HEAD_BYTES_MAX = 16 * 1024;
  private static final byte[] HEAD_END = "\r\n\r\n".getBytes(ISO_8859_1);
  private static final byte[] CHUNKS_END = "0\r\n\r\n".getBytes(ISO_8859_1);
  private static final int UNKNOWN = -1;

  private byte[] head = new byte[1024];
  private int headBytes;
  private int status = UNKNOWN;
  private long bodyLeft;
  private boolean chunked;
  private boolean untilClose;
  private boolean closes;

  /** What is known after some more bytes. */
  enum Progress {
    /** More is needed. */
    MORE,
    /** The answer is complete. */
    DONE,
    /** This is no answer. */
    BROKEN
  }

  /** Forgets the last answer. */
  void reset() {
    headBytes = 0;
    status = UNKNOWN;
    bodyLeft = 0;
    chunked = false;
    untilClose = false;
    closes = false;
  }

  /** Status of the answer, meaningful once it is done. */
  int status() {
    return status;
  }

  /** Whether the server will close the connection after the answer. */
  boolean closes() {
    return closes;
  }

  /** Whether an answer ends properly when the server closes now. */
  boolean endsWithClose() {
    return untilClose;
  }

  /** Reads all of {@code bytes}. */
  Progress read(ByteBuffer bytes) {
    if (status == UNKNOWN) {
      if (!readHead(bytes)) {
        return headBytes < HEAD_BYTES_MAX ? Progress.MORE : Progress.BROKEN;
      }
      if (status == UNKNOWN) {
        return Progress.BROKEN;
      }
    }
    if (untilClose) {
      bytes.position(bytes.limit());
      return Progress.MORE;
    }
    if (chunked) {
      // The last bytes seen decide: no body in a drill ends like this but at its end.
      while (bytes.hasRemaining()) {
        System.arraycopy(head, 1, head, 0, CHUNKS_END.length - 1);
        head[CHUNKS_END.length - 1] = bytes.get();
      }
      return Arrays.equals(head, 0, CHUNKS_END.length, CHUNKS_END, 0, CHUNKS_END.length)
          ? Progress.DONE
          : Progress.MORE;
    }
    long taken = Math.min(bodyLeft, bytes.remaining());
    bodyLeft -= taken;
    bytes.position(bytes.position() + (int) taken);
    if (bodyLeft > 0) {
      return Progress.MORE;
    }
    return bytes.hasRemaining() ? Progress.BROKEN : Progress.DONE;
  }

  private boolean readHead(ByteBuffer bytes) {
    while (bytes.hasRemaining() && headBytes < HEAD_BYTES_MAX) {
      if (headBytes == head.length) {
        head = Arrays.copyOf(head, 2 * head.length);
      }
      head[headBytes++] = bytes.get();
      if (headBytes >= HEAD_END.length
          && Arrays.equals(
              head, headBytes - HEAD_END.length, headBytes, HEAD_END, 0, HEAD_END.length)) {
        parse(new String(head, 0, headBytes, ISO_8859_1));
        Arrays.fill(head, 0, CHUNKS_END.length, (byte) 0);
        return true;
      }
    }
    return false;
  }

  private void parse(String text) {
    var lines = text.split("\r\n", -1);
    if (!lines[0].matches("HTTP/1\\.[01] [1-5][0-9][0-9].*")) {
      return;
    }
    status = Integer.parseInt(lines[0].substring(9, 12));
    closes = lines[0].startsWith("HTTP/1.0");
    boolean framed = status == 204 || status == 304 || status < 200;
    for (int i = 1; i < lines.length; i++) {
      int colon = lines[i].indexOf(':');
      if (colon < 0) {
        continue;
      }
      var value = lines[i].substring(colon + 1).strip();
      switch (lines[i].substring(0, colon).toLowerCase(Locale.ROOT)) {
        case "content-length" -> {
          bodyLeft = Long.parseLong(value);
          framed = true;
        }
        case "transfer-encoding" -> {
          chunked = true;
          framed = true;
        }
        case "connection" -> closes = value.toLowerCase(Locale.ROOT).contains("close");
        default -> {}
      }
    }
    untilClose = !framed;
  }
}
