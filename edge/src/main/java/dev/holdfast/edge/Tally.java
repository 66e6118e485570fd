package dev.holdfast.edge;

import org.jspecify.annotations.Nullable;

/**
 * What one request will be said to have been, gathered while it runs. Used again for the next.
 * Confined to its event loop.
 */
final class Tally {
  @Nullable Code code;
  @Nullable String cause;
  String dyno = "";
  long connectMillis = AccessRecord.NONE;
  long serviceMillis = AccessRecord.NONE;
  int status;
  long bytesIn;
  long bytesOut;
  private byte @Nullable [] kept;
  private int @Nullable [] keptEnds;

  void reset() {
    code = null;
    cause = null;
    dyno = "";
    connectMillis = AccessRecord.NONE;
    serviceMillis = AccessRecord.NONE;
    status = 0;
    bytesIn = 0;
    bytesOut = 0;
    kept = null;
    keptEnds = null;
  }

  /** Bytes of both bodies so far. */
  long bytes() {
    return bytesIn + bytesOut;
  }

  /** Copies what the log needs, so that a long life does not hold a whole head. */
  void keep(@Nullable Request request, Heads.Sent seen) {
    if (request == null) {
      return;
    }
    var record = new AccessRecord();
    point(record, request, seen);
    int length = 0;
    var ends = new int[AccessRecord.FIELDS];
    for (int i = 0; i < ends.length; i++) {
      length += record.lengths[i];
      ends[i] = length;
    }
    var text = new byte[length];
    for (int i = 0; i < ends.length; i++) {
      System.arraycopy(
          record.text, record.offsets[i], text, ends[i] - record.lengths[i], record.lengths[i]);
    }
    kept = text;
    keptEnds = ends;
  }

  /** Hands it to the log. */
  void write(
      Loop loop,
      Arrival arrival,
      @Nullable String service,
      @Nullable Request request,
      Heads.Sent seen) {
    var record = loop.record();
    record.clear();
    var text = kept;
    var ends = keptEnds;
    if (text != null && ends != null) {
      record.text = text;
      for (int i = 0; i < ends.length; i++) {
        int from = i == 0 ? 0 : ends[i - 1];
        record.point(i, from, ends[i] - from);
      }
    } else if (request != null) {
      point(record, request, seen);
    }
    record.epochMillis = loop.millis();
    record.arrival = arrival;
    record.service = service;
    record.dyno = dyno;
    record.code = code;
    record.cause = cause;
    record.connectMillis = connectMillis;
    record.serviceMillis = serviceMillis;
    record.status = status;
    record.bytesIn = bytesIn;
    record.bytesOut = bytesOut;
    loop.log().write(record);
  }

  private static void point(AccessRecord record, Request request, Heads.Sent seen) {
    var head = request.head;
    request.showHost();
    record.text = head.bytes;
    record.point(AccessRecord.METHOD, request.methodAt(), request.methodEnd() - request.methodAt());
    record.point(AccessRecord.PATH, request.targetAt(), request.targetEnd() - request.targetAt());
    record.point(AccessRecord.HOST, request.hostAt(), request.hostEnd() - request.hostAt());
    record.point(AccessRecord.REQUEST_ID, seen.idAt, seen.idEnd - seen.idAt);
    record.point(
        AccessRecord.FORWARDED_FOR, seen.forwardedAt, seen.forwardedEnd - seen.forwardedAt);
    if (seen.traceAt >= 0) {
      int trace = seen.traceAt + TraceContext.TRACE_AT;
      record.point(AccessRecord.TRACE, trace, TraceContext.TRACE_BYTES);
    }
    int agent = head.find(Name.USER_AGENT);
    if (agent >= 0) {
      record.point(
          AccessRecord.USER_AGENT, head.valueAt(agent), head.valueEnd(agent) - head.valueAt(agent));
    }
  }
}
