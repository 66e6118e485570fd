package dev.holdfast.edge;

import java.time.LocalDateTime;
import java.time.ZoneOffset;

/**
 * Writes times as RFC 3339 says, in UTC with milliseconds; the last second is kept, since lines
 * come in order of time. Confined to one thread.
 */
final class Timestamp {
  private final LineBuffer second = new LineBuffer();
  private long secondWritten = Long.MIN_VALUE;

  /** {@code 2026-11-22T01:57:13.042Z}. */
  void write(LineBuffer out, long epochMillis) {
    long wanted = Math.floorDiv(epochMillis, 1000);
    if (wanted != secondWritten) {
      var time = LocalDateTime.ofEpochSecond(wanted, 0, ZoneOffset.UTC);
      second.clear();
      second.padded(time.getYear(), 4).octet('-').padded(time.getMonthValue(), 2).octet('-');
      second.padded(time.getDayOfMonth(), 2).octet('T').padded(time.getHour(), 2).octet(':');
      second.padded(time.getMinute(), 2).octet(':').padded(time.getSecond(), 2).octet('.');
      secondWritten = wanted;
    }
    out.raw(second.bytes, 0, second.length);
    out.padded((int) Math.floorMod(epochMillis, 1000L), 3).octet('Z');
  }
}
