package dev.holdfast.edge;

import io.netty.buffer.ByteBuf;
import org.jspecify.annotations.Nullable;

/**
 * One response head of an app, read strictly (RFC 9112 section 4). Used again for other responses.
 * Confined to its event loop.
 */
final class Response {
  /** Longest status line of an app. */
  static final int STATUS_LINE_BYTES_MAX = 8192;

  /** Longest header line of an app. */
  static final int FIELD_LINE_BYTES_MAX = 512 * 1024;

  /** All header lines of an app together. */
  static final int HEAD_BYTES_MAX = 1024 * 1024;

  /** Largest Set-Cookie of an app, as Heroku has it. */
  static final int COOKIE_BYTES_MAX = 8192;

  private static final byte[] PREFIX = Bytes.ascii("HTTP/1.");
  private static final byte[] CLOSE = Bytes.ascii("close");
  private static final byte[] KEEP_ALIVE = Bytes.ascii("keep-alive");
  private static final byte[] WEBSOCKET = Bytes.ascii("websocket");
  private static final byte[] EVENT_STREAM = Bytes.ascii("text/event-stream");
  private static final byte[] TIMEOUT = Bytes.ascii("timeout=");
  private static final int STATUS_AT = 9;
  private static final int SECONDS_DIGITS_MAX = 6;
  private static final long NANOS = 1_000_000_000L;

  final Head head = new Head();
  final Framing framing = new Framing();
  private int status;
  private int lineEnd;
  private boolean http11;
  private boolean asIs;

  /** Ready for a new response. */
  Response reset(Head.Limits limits) {
    head.reset(limits);
    status = 0;
    return this;
  }

  /** What an app may send. */
  static Head.Limits limits(EdgeConfig config) {
    return new Head.Limits(
        STATUS_LINE_BYTES_MAX,
        FIELD_LINE_BYTES_MAX,
        EdgeConfig.HEADER_NAME_BYTES_MAX,
        config.headersMax(),
        HEAD_BYTES_MAX);
  }

  /** Takes what is there; null unless something is wrong. */
  @Nullable Fault feed(ByteBuf in) {
    if (status == 0) {
      int end = head.startLine(in);
      if (!prefixed()) {
        return Fault.STATUS_LINE;
      }
      if (end == Line.MORE) {
        return null;
      }
      if (end == Line.TOO_LONG) {
        return Fault.STATUS_LINE_LONG;
      }
      if (end == Line.BAD_END || !line(end)) {
        return Fault.STATUS_LINE;
      }
      head.skipLine(end);
    }
    var fault = head.fields(in);
    return fault == null && head.done() ? cookies() : fault;
  }

  boolean done() {
    return head.done();
  }

  private @Nullable Fault cookies() {
    for (int i = head.find(Name.SET_COOKIE); i >= 0; i = head.find(Name.SET_COOKIE, i + 1)) {
      if (head.valueEnd(i) - head.valueAt(i) > COOKIE_BYTES_MAX) {
        return Fault.COOKIE_LARGE;
      }
    }
    return null;
  }

  /** Whether what has come so far can become a status line. */
  private boolean prefixed() {
    int length = Math.min(PREFIX.length, head.length());
    for (int i = 0; i < length; i++) {
      if (head.bytes[i] != PREFIX[i]) {
        return false;
      }
    }
    return true;
  }

  /** {@code HTTP/1.x SP 3DIGIT [SP reason]}; many apps leave the reason and its blank out. */
  private boolean line(int end) {
    var b = head.bytes;
    int after = STATUS_AT + 3;
    if (end < after || !Octets.digit(b[7]) || b[8] != ' ' || (end > after && b[after] != ' ')) {
      return false;
    }
    int code = 0;
    for (int i = STATUS_AT; i < after; i++) {
      if (!Octets.digit(b[i])) {
        return false;
      }
      code = code * 10 + b[i] - '0';
    }
    if (code < 100 || code > 599 || (end > after && !Octets.text(b, after + 1, end))) {
      return false;
    }
    http11 = b[7] != '0';
    asIs = b[7] == '1' && end > after;
    lineEnd = end;
    status = code;
    return true;
  }

  int status() {
    return status;
  }

  boolean http11() {
    return http11;
  }

  /** Whether the status line can be passed on as it came. */
  boolean asIs() {
    return asIs;
  }

  /** Where the reason begins; {@link #lineEnd} when there is none. */
  int reasonAt() {
    return Math.min(lineEnd, STATUS_AT + 4);
  }

  int lineEnd() {
    return lineEnd;
  }

  /** Whether the app keeps its connection open. */
  boolean persistent() {
    boolean connection = head.has(Name.CONNECTION);
    return http11
        ? !(connection && head.lists(Name.CONNECTION, CLOSE))
        : connection && head.lists(Name.CONNECTION, KEEP_ALIVE);
  }

  /** Whether a 101 switches to WebSocket and nothing else. */
  boolean websocket() {
    int field = head.find(Name.UPGRADE);
    return field >= 0 && !head.repeats(Name.UPGRADE) && head.value(field, WEBSOCKET);
  }

  /** Whether it is a stream of events (SSE), which ends when its reader has enough. */
  boolean eventStream() {
    int field = head.find(Name.CONTENT_TYPE);
    if (field < 0 || head.valueEnd(field) - head.valueAt(field) < EVENT_STREAM.length) {
      return false;
    }
    int from = head.valueAt(field);
    return Octets.same(head.bytes, from, from + EVENT_STREAM.length, EVENT_STREAM);
  }

  /** Nanoseconds for which the app says it keeps the connection, less a second; at most that. */
  long keepNanos(long most) {
    int field = head.find(Name.KEEP_ALIVE);
    if (field < 0) {
      return most;
    }
    int at = head.valueAt(field);
    int to = head.valueEnd(field);
    while (at < to) {
      int comma = head.comma(at, to);
      int from = head.memberAt(at, comma);
      int digits = from + TIMEOUT.length;
      int end = head.memberEnd(at, comma);
      if (digits < end
          && end - digits <= SECONDS_DIGITS_MAX
          && Octets.same(head.bytes, from, digits, TIMEOUT)) {
        return Math.min(most, seconds(digits, end, most));
      }
      at = comma + 1;
    }
    return most;
  }

  private long seconds(int from, int to, long otherwise) {
    long seconds = 0;
    for (int i = from; i < to; i++) {
      if (!Octets.digit(head.bytes[i])) {
        return otherwise;
      }
      seconds = seconds * 10 + head.bytes[i] - '0';
    }
    return NANOS * Math.max(0, seconds - 1);
  }
}
