package dev.holdfast.edge;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import org.jspecify.annotations.Nullable;

/**
 * What one event loop counts of one service. Written by that loop alone, without locks and without
 * objects; any thread may read, and may miss the latest.
 */
final class Meter {
  private static final VarHandle CELL = MethodHandles.arrayElementVarHandle(long[].class);

  /** Status classes: none, 1xx to 5xx. */
  static final int CLASSES = 6;

  static final int CODES = Code.values().length;
  static final int STATUS = 0;
  static final int CODE = STATUS + CLASSES;
  static final int BYTES_IN = CODE + CODES;
  static final int BYTES_OUT = BYTES_IN + 1;
  static final int RETRIES = BYTES_OUT + 1;
  static final int CONNECTS = RETRIES + 1;
  static final int CONNECT_FAILURES = CONNECTS + 1;
  static final int REUSES = CONNECT_FAILURES + 1;

  /** From here on, numbers go down again. */
  static final int IN_FLIGHT = REUSES + 1;

  static final int CONNECTIONS = IN_FLIGHT + 1;
  static final int WEB_SOCKETS = CONNECTIONS + 1;
  static final int STREAMS = WEB_SOCKETS + 1;
  static final int COUNTS = STREAMS + 1;

  final String service;
  final Timings serviceTime = new Timings();
  final Timings firstByte = new Timings();
  final Timings connect = new Timings();
  private final long[] counts = new long[COUNTS];

  Meter(String service) {
    this.service = service;
  }

  /** A request's head is read. */
  void begun() {
    add(IN_FLIGHT, 1);
  }

  /**
   * A request has ended, after {@link #begun}.
   *
   * @param status as it is logged; 0 when none was sent
   */
  @SuppressWarnings("EnumOrdinal") // a count for each code, for as long as the process lives
  void ended(int status, @Nullable Code code, long bytesIn, long bytesOut, long serviceNanos) {
    add(IN_FLIGHT, -1);
    add(STATUS + (status >= 100 && status < 600 ? status / 100 : 0), 1);
    if (code != null) {
      add(CODE + code.ordinal(), 1);
    }
    add(BYTES_IN, bytesIn);
    add(BYTES_OUT, bytesOut);
    serviceTime.record(serviceNanos);
  }

  /** The app began to answer so long after it had the request. */
  void firstByte(long nanos) {
    firstByte.record(nanos);
  }

  /** A connection to an endpoint is open, after so long. */
  void connected(long nanos) {
    add(CONNECTS, 1);
    connect.record(nanos);
  }

  /** An endpoint took no connection. */
  void connectFailed() {
    add(CONNECT_FAILURES, 1);
  }

  /** A connection of the pool serves once more. */
  void reused() {
    add(REUSES, 1);
  }

  /** A request is sent once more. */
  void retried() {
    add(RETRIES, 1);
  }

  /** One more or one fewer connection to endpoints, idle ones counted. */
  void connection(int change) {
    add(CONNECTIONS, change);
  }

  /** One more or one fewer tunnel after a 101. */
  void webSocket(int change) {
    add(WEB_SOCKETS, change);
  }

  /** One more or one fewer response that is an event stream. */
  void stream(int change) {
    add(STREAMS, change);
  }

  /** Whether nothing is under way. */
  boolean idle() {
    long busy = 0;
    for (int i = IN_FLIGHT; i < COUNTS; i++) {
      busy |= counts[i];
    }
    return busy == 0;
  }

  long count(int what) {
    return (long) CELL.getOpaque(counts, what);
  }

  private void add(int what, long change) {
    CELL.setOpaque(counts, what, counts[what] + change);
  }
}
