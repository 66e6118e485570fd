package dev.holdfast.edge;

import static dev.holdfast.edge.AccessRecord.FORWARDED_FOR;
import static dev.holdfast.edge.AccessRecord.HOST;
import static dev.holdfast.edge.AccessRecord.METHOD;
import static dev.holdfast.edge.AccessRecord.NONE;
import static dev.holdfast.edge.AccessRecord.PATH;
import static dev.holdfast.edge.AccessRecord.REQUEST_ID;
import static dev.holdfast.edge.AccessRecord.TRACE;
import static dev.holdfast.edge.AccessRecord.USER_AGENT;

import org.jspecify.annotations.Nullable;

/** Writes one request as a line, from bytes to bytes. Confined to one thread. */
final class AccessLine {
  private final Timestamp timestamp = new Timestamp();

  /** {@code 2026-11-22T01:57:13.042Z}. */
  void time(LineBuffer out, AccessRecord record) {
    timestamp.write(out, record.epochMillis);
  }

  /** Heroku's router format, its keys in its order; no time and no line end. */
  void logfmt(LineBuffer out, AccessRecord record) {
    var code = record.code;
    if (code == null) {
      out.text("at=info");
    } else {
      coded(out, code, record.cause);
    }
    bare(out.text(" method="), record, METHOD);
    quoted(out.text(" path=\""), record, PATH);
    bare(out.text("\" host="), record, HOST);
    // checked or made by the edge; may hold '='
    out.text(" request_id=");
    out.raw(record.text, record.offsets[REQUEST_ID], record.lengths[REQUEST_ID]);
    quoted(out.text(" fwd=\""), record, FORWARDED_FOR);
    out.text("\" dyno=");
    if (record.dyno != null) {
      out.name(record.dyno);
    }
    millis(out.text(" connect="), record.connectMillis);
    millis(out.text(" service="), record.serviceMillis);
    out.text(" status=");
    if (record.status > 0) {
      out.number(record.status);
    }
    out.text(" bytes=").number(record.bytesOut);
    var arrival = record.arrival;
    out.text(arrival != null && arrival.http2() ? " protocol=http2.0" : " protocol=http1.1");
    if (arrival != null && !arrival.tls().isEmpty()) {
      out.text(" tls=true tls_version=").text(arrival.tls());
    } else {
      out.text(" tls=false");
    }
    if (code == Code.H31) {
      quoted(out.text(" agent=\""), record, USER_AGENT);
      out.octet('"');
    }
  }

  private static void coded(LineBuffer out, Code code, @Nullable String cause) {
    out.text(code.socket()).text("at=").text(code.level());
    out.text(" code=").text(code.name()).text(" desc=\"").text(code.description());
    if (code == Code.H25 && cause != null) {
      out.text(": ").text(cause);
    }
    out.octet('"');
    if (code != Code.H25 && cause != null) {
      out.text(" cause=\"").text(cause).octet('"');
    }
  }

  /**
   * One JSON object; a key whose value is not known is left out, but for the status, which is null.
   *
   * @param sample of how many requests with a status below 400 this one stands for all, or 1
   */
  void json(LineBuffer out, AccessRecord record, int sample) {
    time(out.text("{\"time\":\""), record);
    var code = record.code;
    out.text("\",\"at\":\"").text(code == null ? "info" : code.level()).octet('"');
    if (code != null) {
      out.text(",\"code\":\"").text(code.name());
      out.text("\",\"desc\":\"").text(code.description()).octet('"');
    }
    if (record.cause != null) {
      out.text(",\"cause\":\"").text(record.cause).octet('"');
    }
    field(out, "method", record, METHOD);
    field(out, "path", record, PATH);
    field(out, "host", record, HOST);
    field(out, "request_id", record, REQUEST_ID);
    field(out, "trace_id", record, TRACE);
    field(out, "fwd", record, FORWARDED_FOR);
    field(out, "user_agent", record, USER_AGENT);
    known(out, "app", record.service);
    known(out, "dyno", record.dyno);
    number(out, "connect_ms", record.connectMillis);
    number(out, "service_ms", record.serviceMillis);
    out.text(",\"status\":");
    if (record.status > 0) {
      out.number(record.status);
    } else {
      out.text("null");
    }
    number(out, "bytes", record.bytesOut);
    number(out, "bytes_in", record.bytesIn);
    var arrival = record.arrival;
    if (arrival != null) {
      known(out, "peer", arrival.peer());
      if (arrival.peerPort() > 0) {
        number(out, "peer_port", arrival.peerPort());
      }
      known(out, "protocol", arrival.http2() ? "http2.0" : "http1.1");
      if (!arrival.tls().isEmpty()) {
        known(out, "tls_version", arrival.tls());
      }
    }
    if (sample > 1 && record.status < 400 && code == null) {
      number(out, "sample", sample);
    }
    out.octet('}');
  }

  private static void bare(LineBuffer out, AccessRecord record, int field) {
    out.bare(record.text, record.offsets[field], record.lengths[field]);
  }

  private static void quoted(LineBuffer out, AccessRecord record, int field) {
    out.quoted(record.text, record.offsets[field], record.lengths[field]);
  }

  private static void millis(LineBuffer out, long millis) {
    if (millis != NONE) {
      out.number(millis).text("ms");
    }
  }

  private static void field(LineBuffer out, String key, AccessRecord record, int field) {
    if (record.lengths[field] > 0) {
      out.text(",\"").text(key).text("\":\"");
      out.json(record.text, record.offsets[field], record.lengths[field]).octet('"');
    }
  }

  /** A name that the platform knows: labels, literals of addresses. */
  private static void known(LineBuffer out, String key, @Nullable String value) {
    if (value != null) {
      out.text(",\"").text(key).text("\":\"").name(value).octet('"');
    }
  }

  private static void number(LineBuffer out, String key, long value) {
    if (value != NONE) {
      out.text(",\"").text(key).text("\":").number(value);
    }
  }
}
