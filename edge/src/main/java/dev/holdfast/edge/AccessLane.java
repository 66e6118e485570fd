package dev.holdfast.edge;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import org.jspecify.annotations.Nullable;

/**
 * What waits between one event loop and the access log: a ring of requests and a ring of their
 * values, of fixed size. One thread writes, one reads, and neither waits for the other.
 *
 * <p>Positions only grow; a request at position n has slot n mod slots, and its values lie in one
 * piece of the ring of bytes, before whose end a rest is skipped when they do not fit there. Names
 * are kept as they are, so that they need not be made again: a slot holds on to the names of its
 * last request, which bounds what is kept alive.
 */
final class AccessLane {
  private static final VarHandle WRITTEN;
  private static final VarHandle READ;
  private static final VarHandle DROPPED;

  static {
    try {
      var lookup = MethodHandles.lookup();
      WRITTEN = lookup.findVarHandle(AccessLane.class, "written", long.class);
      READ = lookup.findVarHandle(AccessLane.class, "read", long.class);
      DROPPED = lookup.findVarHandle(AccessLane.class, "dropped", long.class);
    } catch (ReflectiveOperationException e) {
      throw new ExceptionInInitializerError(e);
    }
  }

  private static final int NUMBERS = 9;
  private static final int NAMES = 5;
  private static final int LENGTH_BITS = 16;
  private static final int LENGTH_MASK = (1 << LENGTH_BITS) - 1;
  private static final int LENGTHS_PER_LONG = 4;
  private static final int SAMPLED_BELOW = 400;

  private final int slots;
  private final int textBytes;
  private final int sampleOneIn;
  private final Runnable wake;
  private final long[] numbers;
  private final @Nullable Object[] names;
  private final byte[] text;

  // The writer's.
  private long written;
  private long textWritten;
  private long readSeen;
  private long textReadSeen;
  private long wokenAt;
  private long textWokenAt;
  private long dropped;
  private int sample;

  // The reader's; textRead is published by read.
  private long read;
  private long textRead;
  private long textEnd;

  AccessLane(AccessLogConfig.Lanes bounds, int sampleOneIn, Runnable wake) {
    slots = bounds.slots();
    textBytes = bounds.textBytes();
    this.sampleOneIn = sampleOneIn;
    this.wake = wake;
    numbers = new long[slots * NUMBERS];
    names = new @Nullable Object[slots * NAMES];
    text = new byte[textBytes];
  }

  /** How many requests found the lane full; any thread may ask. */
  long dropped() {
    return (long) DROPPED.getOpaque(this);
  }

  /**
   * Copies what the record says; the owner may use it again at once. Only for the one event loop.
   *
   * @return whether there was room; if not, the request is counted as dropped
   */
  boolean write(AccessRecord record) {
    if (sampleOneIn > 1 && record.status < SAMPLED_BELOW && record.code == null) {
      sample = sample + 1 == sampleOneIn ? 0 : sample + 1;
      if (sample != 0) {
        return true;
      }
    }
    int length = 0;
    for (int i = 0; i < AccessRecord.FIELDS; i++) {
      length += record.lengths[i];
    }
    long start = start(length);
    if (!room(start + length)) {
      DROPPED.setOpaque(this, dropped + 1);
      wake.run();
      return false;
    }
    copy(record, start);
    textWritten = start + length;
    long next = written + 1;
    WRITTEN.setRelease(this, next);
    if (next - wokenAt >= slots / 4 || textWritten - textWokenAt >= textBytes / 4) {
      wokenAt = next;
      textWokenAt = textWritten;
      wake.run();
    }
    return true;
  }

  /** Where values of that length lie in one piece. */
  private long start(int length) {
    int at = (int) (textWritten & (textBytes - 1));
    return textBytes - at >= length ? textWritten : textWritten + textBytes - at;
  }

  private boolean room(long end) {
    if (written - readSeen < slots && end - textReadSeen <= textBytes) {
      return true;
    }
    readSeen = (long) READ.getAcquire(this);
    textReadSeen = textRead;
    return written - readSeen < slots && end - textReadSeen <= textBytes;
  }

  private void copy(AccessRecord record, long start) {
    int slot = (int) (written & (slots - 1));
    int at = (int) (start & (textBytes - 1));
    long lengthsLow = 0;
    long lengthsHigh = 0;
    for (int i = 0; i < AccessRecord.FIELDS; i++) {
      int length = record.lengths[i];
      System.arraycopy(record.text, record.offsets[i], text, at, length);
      at += length;
      if (i < LENGTHS_PER_LONG) {
        lengthsLow |= (long) length << (LENGTH_BITS * i);
      } else {
        lengthsHigh |= (long) length << (LENGTH_BITS * (i - LENGTHS_PER_LONG));
      }
    }
    int n = slot * NUMBERS;
    numbers[n] = record.epochMillis;
    numbers[n + 1] = record.connectMillis;
    numbers[n + 2] = record.serviceMillis;
    numbers[n + 3] = record.bytesOut;
    numbers[n + 4] = record.bytesIn;
    numbers[n + 5] = record.status;
    numbers[n + 6] = lengthsLow;
    numbers[n + 7] = lengthsHigh;
    numbers[n + 8] = start;
    int name = slot * NAMES;
    names[name] = record.code;
    names[name + 1] = record.cause;
    names[name + 2] = record.service;
    names[name + 3] = record.dyno;
    names[name + 4] = record.arrival;
  }

  /**
   * Points the view at the oldest request that waits, until {@link #taken}. Only for the log.
   *
   * @return whether there is one
   */
  boolean read(AccessRecord view) {
    if (read == (long) WRITTEN.getAcquire(this)) {
      return false;
    }
    int slot = (int) (read & (slots - 1));
    int n = slot * NUMBERS;
    view.epochMillis = numbers[n];
    view.connectMillis = numbers[n + 1];
    view.serviceMillis = numbers[n + 2];
    view.bytesOut = numbers[n + 3];
    view.bytesIn = numbers[n + 4];
    view.status = (int) numbers[n + 5];
    view.text = text;
    long start = numbers[n + 8];
    int at = (int) (start & (textBytes - 1));
    int length = 0;
    for (int i = 0; i < AccessRecord.FIELDS; i++) {
      long lengths = numbers[n + 6 + i / LENGTHS_PER_LONG];
      view.offsets[i] = at + length;
      view.lengths[i] = (int) (lengths >>> (LENGTH_BITS * (i % LENGTHS_PER_LONG))) & LENGTH_MASK;
      length += view.lengths[i];
    }
    textEnd = start + length;
    int name = slot * NAMES;
    view.code = (Code) names[name];
    view.cause = (String) names[name + 1];
    view.service = (String) names[name + 2];
    view.dyno = (String) names[name + 3];
    view.arrival = (Arrival) names[name + 4];
    return true;
  }

  /** Gives the room of the request that was read back. Only for the log. */
  void taken() {
    textRead = textEnd;
    READ.setRelease(this, read + 1);
  }
}
