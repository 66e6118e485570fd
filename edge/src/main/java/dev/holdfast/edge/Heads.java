package dev.holdfast.edge;

import org.jspecify.annotations.Nullable;

/**
 * Writes heads for the other side: which fields cross the edge, and which it writes itself. Fields
 * that pass untouched are copied as they came, many at once. Stateless.
 *
 * <p>X-Forwarded-Host and Forwarded of a client are dropped: Heroku does not set them, yet many
 * frameworks believe them, and the Host field already says everything. A name that differs from one
 * of the edge's own only by {@code _} for {@code -} is dropped too, because CGI-like interfaces
 * cannot tell the two apart.
 */
final class Heads {
  /** Through how many edges one request may pass before that is called a loop. */
  static final int PASSES_MAX = 8;

  private static final byte[] VIA = Bytes.ascii("1.1 holdfast");
  private static final byte[] VIA_LINE = Bytes.ascii("Via: 1.1 holdfast\r\n");
  private static final byte[] VIA_NAME = Bytes.ascii("Via: ");
  private static final byte[] VIA_NEXT = Bytes.ascii(", 1.1 holdfast\r\n");
  private static final byte[] EXPECT = Bytes.ascii("Expect: 100-continue\r\n");
  private static final byte[] TRACE = Bytes.ascii("traceparent: ");
  private static final byte[] LIST = Bytes.ascii(", ");
  private static final byte[] COLON = Bytes.ascii(": ");
  private static final byte[] REQUEST_END = Bytes.ascii(" HTTP/1.1\r\nHost: ");
  private static final byte[] STATUS = Bytes.ascii("HTTP/1.1 ");
  private static final byte[] LENGTH = Bytes.ascii("Content-Length: ");
  private static final byte[] CHUNKED = Bytes.ascii("Transfer-Encoding: chunked\r\n");
  private static final byte[] TE_TRAILERS = Bytes.ascii("TE: trailers\r\n");
  private static final byte[] TRAILERS = Bytes.ascii("trailers");
  private static final byte[] WEBSOCKET =
      Bytes.ascii("Connection: Upgrade\r\nUpgrade: websocket\r\n");
  private static final byte[] CLOSE = Bytes.ascii("Connection: close\r\n");
  private static final byte[] KEEP_ALIVE = Bytes.ascii("Connection: keep-alive\r\n");
  private static final byte[] FORWARDED_FOR = Bytes.ascii("X-Forwarded-For: ");
  private static final byte[] REQUEST_ID = Bytes.ascii("X-Request-Id: ");
  private static final byte[] REQUEST_START = Bytes.ascii("X-Request-Start: ");
  private static final byte[] X_FORWARDED = Bytes.ascii("x-forwarded-");
  private static final byte[] LAST_CHUNK = Bytes.ascii("0\r\n");
  private static final byte[][] OPTIONS = {
    Bytes.ascii("close"), Bytes.ascii("keep-alive"), Bytes.ascii("upgrade"), Bytes.ascii("te"),
  };
  private static final long TRACE_SET = Name.set(Name.TRACEPARENT, Name.TRACESTATE);
  private static final long LENGTH_SET = Name.set(Name.CONTENT_LENGTH);
  private static final long TRAILER_SET = Name.set(Name.TRAILER);
  private static final long HOST_SET = Name.set(Name.HOST);
  private static final long RESPONSE_SET = Name.HOP | Name.set(Name.VIA);

  private Heads() {}

  /** What is said of the connection at the end of a head. */
  enum Connection {
    /** Nothing: what the version means. */
    SILENT,
    /** It is the last message. */
    CLOSE,
    /** There may be more, which an old client has to be told. */
    KEEP_ALIVE,
    /** It turns into a WebSocket. */
    UPGRADE
  }

  /** The head that the app gets. */
  static void request(Scratch out, Request request, Sent sent, Arrival arrival, long millis) {
    var head = request.head;
    long drop = Name.HOP | Name.OWN;
    boolean counted = request.framing.kind() == Framing.Kind.LENGTH;
    boolean inPlace = counted && !head.repeats(Name.CONTENT_LENGTH);
    if (inPlace) {
      drop &= ~LENGTH_SET;
    }
    if (!request.framing.chunked()) {
      drop |= TRAILER_SET;
    }
    if (sent.traceBegun) {
      drop |= TRACE_SET;
    }
    int block = -1;
    if (request.asIs()) {
      drop &= ~HOST_SET;
      block = 0;
    } else {
      out.add(head.bytes, request.methodAt(), request.methodEnd()).add((byte) ' ');
      out.add(head.bytes, request.targetAt(), request.targetEnd()).add(REQUEST_END);
      out.add(head.bytes, request.hostAt(), request.hostEnd()).endLine();
    }
    fields(out, head, drop, block);
    if (counted && !inPlace) {
      out.add(LENGTH).number(request.framing.length()).endLine();
    }
    if (request.framing.chunked()) {
      out.add(CHUNKED);
    }
    if (head.has(Name.TE) && head.lists(Name.TE, TRAILERS)) {
      out.add(TE_TRAILERS);
    }
    if (request.upgrades()) {
      out.add(WEBSOCKET);
    }
    if (sent.expects) {
      out.add(EXPECT);
    }
    if (sent.traceBegun) {
      out.add(TRACE).add(head.bytes, sent.traceAt, sent.traceAt + TraceContext.BYTES).endLine();
    }
    out.add(FORWARDED_FOR).add(head.bytes, sent.forwardedAt, sent.forwardedEnd).endLine();
    out.add(arrival.forwarded());
    out.add(REQUEST_ID).add(head.bytes, sent.idAt, sent.idEnd).endLine();
    out.add(REQUEST_START).number(millis).endLine();
    via(out, head);
    out.endLine();
  }

  /** What the edge adds to a request, as ranges of its head; see {@link Head#note}. */
  static final class Sent {
    int idAt;
    int idEnd;
    int forwardedAt;
    int forwardedEnd;

    /** Where the traceparent begins, or -1. */
    int traceAt = -1;

    /** Whether the trace begins here, so that what the client said of one is dropped. */
    boolean traceBegun;

    /** Whether the app is asked whether it wants the body. */
    boolean expects;
  }

  /**
   * The head that the client gets; {@code framing} is that of the body towards the client.
   *
   * @param finish what the policy of the place adds, or null
   */
  static void response(
      Scratch out,
      Response response,
      Framing.Kind framing,
      Connection connection,
      @Nullable Finish finish) {
    var head = response.head;
    int status = response.status();
    long drop = RESPONSE_SET;
    if (finish != null) {
      drop |= finish.drops();
    }
    boolean told =
        head.has(Name.CONTENT_LENGTH)
            && (framing == Framing.Kind.LENGTH
                || (framing == Framing.Kind.NONE // of what a GET would have had
                    && status >= 200
                    && status != 204
                    && !head.has(Name.TRANSFER_ENCODING)));
    boolean inPlace = told && !head.repeats(Name.CONTENT_LENGTH);
    if (inPlace) {
      drop &= ~LENGTH_SET;
    }
    if (framing != Framing.Kind.CHUNKED) {
      drop |= TRAILER_SET;
    }
    int block = -1;
    if (response.asIs()) {
      block = 0;
    } else {
      out.add(STATUS).number(status).add((byte) ' ');
      out.add(head.bytes, response.reasonAt(), response.lineEnd()).endLine();
    }
    fields(out, head, drop, block);
    if (told && !inPlace) {
      int first = head.find(Name.CONTENT_LENGTH);
      out.add(LENGTH).add(head.bytes, head.valueAt(first), head.valueEnd(first)).endLine();
    }
    if (framing == Framing.Kind.CHUNKED) {
      out.add(CHUNKED);
    }
    switch (connection) {
      case SILENT -> {}
      case CLOSE -> out.add(CLOSE);
      case KEEP_ALIVE -> out.add(KEEP_ALIVE);
      case UPGRADE -> out.add(WEBSOCKET);
    }
    if (finish != null) {
      finish.write(out);
    }
    via(out, head);
    out.endLine();
  }

  /** The end of a chunked body with the trailers that may pass. */
  static void trailers(Scratch out, @Nullable Head trailers) {
    out.add(LAST_CHUNK);
    if (trailers != null) {
      for (int i = 0; i < trailers.count(); i++) {
        if (!Name.in(Name.NO_TRAILER, trailers.id(i))) {
          field(out, trailers, i);
        }
      }
    }
    out.endLine();
  }

  /**
   * Copies what may pass; the block of bytes that is passed on as it came may have begun before.
   */
  private static void fields(Scratch out, Head head, long drop, int begun) {
    boolean listed = head.has(Name.CONNECTION) && lists(head);
    int block = begun;
    for (int i = 0; i < head.count(); i++) {
      boolean passes = !Name.in(drop, head.id(i)) && !(listed && removed(head, i));
      if (passes && head.plain(i)) {
        block = block < 0 ? head.nameAt(i) : block;
        continue;
      }
      if (block >= 0) {
        out.add(head.bytes, block, head.nameAt(i));
        block = -1;
      }
      if (passes) {
        field(out, head, i);
      }
    }
    if (block >= 0) {
      out.add(head.bytes, block, head.end() - 2);
    }
  }

  private static void field(Scratch out, Head head, int i) {
    out.add(head.bytes, head.nameAt(i), head.nameEnd(i)).add(COLON);
    out.add(head.bytes, head.valueAt(i), head.valueEnd(i)).endLine();
  }

  /** Whether the Connection fields list anything but the usual options. */
  private static boolean lists(Head head) {
    for (int i = head.find(Name.CONNECTION); i >= 0; i = head.find(Name.CONNECTION, i + 1)) {
      int at = head.valueAt(i);
      while (at < head.valueEnd(i)) {
        int comma = head.comma(at, head.valueEnd(i));
        if (!option(head, head.memberAt(at, comma), head.memberEnd(at, comma))) {
          return true;
        }
        at = comma + 1;
      }
    }
    return false;
  }

  private static boolean option(Head head, int from, int to) {
    for (var option : OPTIONS) {
      if (Octets.same(head.bytes, from, to, option)) {
        return true;
      }
    }
    return from >= to;
  }

  /** Whether a Connection field takes field {@code i} away. */
  private static boolean removed(Head head, int i) {
    int from = head.nameAt(i);
    int prefix = Math.min(from + X_FORWARDED.length, head.nameEnd(i));
    return !Name.in(Name.KEPT, head.id(i))
        && !Octets.same(head.bytes, from, prefix, X_FORWARDED)
        && head.listsName(Name.CONNECTION, i);
  }

  private static void via(Scratch out, Head head) {
    if (!head.has(Name.VIA)) {
      out.add(VIA_LINE);
      return;
    }
    out.add(VIA_NAME);
    joined(out, head, Name.VIA);
    out.add(VIA_NEXT);
  }

  private static void joined(Scratch out, Head head, int id) {
    boolean first = true;
    for (int i = head.find(id); i >= 0; i = head.find(id, i + 1)) {
      if (!first) {
        out.add(LIST);
      }
      first = false;
      out.add(head.bytes, head.valueAt(i), head.valueEnd(i));
    }
  }

  /**
   * Whether the request went round in circles, such as by a route that leads to the edge itself.
   */
  static boolean loops(Head head) {
    if (!head.has(Name.VIA)) {
      return false;
    }
    int passes = 0;
    for (int i = head.find(Name.VIA); i >= 0; i = head.find(Name.VIA, i + 1)) {
      int at = head.valueAt(i);
      while (at < head.valueEnd(i)) {
        int comma = head.comma(at, head.valueEnd(i));
        passes +=
            Octets.same(head.bytes, head.memberAt(at, comma), head.memberEnd(at, comma), VIA)
                ? 1
                : 0;
        at = comma + 1;
      }
    }
    return passes >= PASSES_MAX;
  }

  /** Notes who the request came from: what proxies before said, then the peer. */
  static void noteForwardedFor(Head head, byte[] peer, Sent sent) {
    int size = peer.length;
    for (int i = head.find(Name.FORWARDED_FOR); i >= 0; i = head.find(Name.FORWARDED_FOR, i + 1)) {
      size += head.valueEnd(i) - head.valueAt(i) + LIST.length;
    }
    int at = head.note(size);
    sent.forwardedAt = at;
    sent.forwardedEnd = at + size;
    for (int i = head.find(Name.FORWARDED_FOR); i >= 0; i = head.find(Name.FORWARDED_FOR, i + 1)) {
      int length = head.valueEnd(i) - head.valueAt(i);
      System.arraycopy(head.bytes, head.valueAt(i), head.bytes, at, length);
      at = Bytes.copy(LIST, head.bytes, at + length);
    }
    Bytes.copy(peer, head.bytes, at);
  }
}
