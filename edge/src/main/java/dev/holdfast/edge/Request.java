package dev.holdfast.edge;

import io.netty.buffer.ByteBuf;
import org.jspecify.annotations.Nullable;

/**
 * What a client asks for: its head as it came, and what of it matters to the edge. Everything is a
 * range of {@link Head#bytes}; nothing is copied into objects. Used again for other requests.
 * Confined to its event loop.
 *
 * <p>Read strictly (RFC 9112 sections 2 and 3): what two readers could understand differently is
 * refused.
 */
final class Request {
  private static final int METHOD_BYTES_MAX = 127;
  private static final byte[] VERSION = Bytes.ascii("HTTP/");
  private static final int VERSION_BYTES = 8;
  private static final byte[] CLOSE = Bytes.ascii("close");
  private static final byte[] KEEP_ALIVE = Bytes.ascii("keep-alive");
  private static final byte[] UPGRADE = Bytes.ascii("upgrade");
  private static final byte[] WEBSOCKET = Bytes.ascii("websocket");
  private static final byte[] CONTINUE = Bytes.ascii("100-continue");
  private static final byte[] CONNECT = Bytes.ascii("CONNECT");
  private static final byte[] OPTIONS = Bytes.ascii("OPTIONS");
  private static final byte[] HEAD = Bytes.ascii("HEAD");
  private static final byte[][] REPLAYABLE = {
    Bytes.ascii("GET"),
    HEAD,
    OPTIONS,
    Bytes.ascii("TRACE"),
    Bytes.ascii("PUT"),
    Bytes.ascii("DELETE"),
  };
  private static final byte[][] SCHEMES = {Bytes.ascii("http://"), Bytes.ascii("https://")};

  final Head head = new Head();
  final Framing framing = new Framing();
  final Authority authority = new Authority();
  private boolean lineRead;
  private boolean emptyLineSkipped;
  private int lineAt;
  private int methodEnd;
  private int targetAt;
  private int targetEnd;
  private int hostAt;
  private int hostEnd;
  private boolean asIs;
  private boolean http11;
  private boolean keepAlive;
  private boolean expectsContinue;
  private boolean upgrades;
  private boolean toHead;
  private boolean idempotent;

  /** Ready for a new request. */
  Request reset(Head.Limits limits) {
    head.reset(limits);
    lineRead = false;
    emptyLineSkipped = false;
    lineAt = 0;
    methodEnd = 0;
    targetAt = 0;
    targetEnd = 0;
    hostAt = 0;
    hostEnd = 0;
    return this;
  }

  // Reading

  /** Takes what is there; null unless something is wrong. */
  @Nullable Fault feed(ByteBuf in) {
    while (!lineRead) {
      int first = head.peek(in);
      if (first >= 0 && !Octets.token(first) && (first != '\r' || emptyLineSkipped)) {
        return Fault.LINE; // such as a TLS handshake: no need to wait for a line that never ends
      }
      int end = head.startLine(in);
      if (end == Line.MORE) {
        return null;
      }
      if (end == Line.TOO_LONG) {
        return Fault.LINE_LONG;
      }
      if (end == Line.BAD_END) {
        return Fault.LINE;
      }
      lineAt = head.lineAt();
      if (end == lineAt) {
        emptyLineSkipped = true; // RFC 9112 section 2.2
      } else {
        var fault = line(lineAt, end);
        if (fault != null) {
          return fault;
        }
        lineRead = true;
      }
      head.skipLine(end);
    }
    return head.fields(in);
  }

  boolean done() {
    return head.done();
  }

  /** Whether anything of it came. */
  boolean begun() {
    return head.length() > 0;
  }

  private @Nullable Fault line(int from, int to) {
    var b = head.bytes;
    int space = Octets.tokenEnd(b, from, to);
    if (space == from || space - from > METHOD_BYTES_MAX || space == to || b[space] != ' ') {
      return Fault.LINE;
    }
    int version = to - VERSION_BYTES;
    if (version <= space + 2 || b[version - 1] != ' ' || !target(b, space + 1, version - 1)) {
      return Fault.LINE;
    }
    for (int i = 0; i < VERSION.length; i++) {
      if (b[version + i] != VERSION[i]) {
        return Fault.LINE;
      }
    }
    if (!Octets.digit(b[version + 5]) || b[version + 6] != '.' || !Octets.digit(b[version + 7])) {
      return Fault.LINE;
    }
    methodEnd = space;
    targetAt = space + 1;
    targetEnd = version - 1;
    if (b[version + 5] != '1') {
      return Fault.VERSION;
    }
    http11 = b[version + 7] != '0'; // RFC 9110 section 2.5: a higher minor version is read as 1.1
    asIs = b[version + 7] == '1' && from == 0;
    return null;
  }

  private static boolean target(byte[] b, int from, int to) {
    for (int i = from; i < to; i++) {
      int octet = b[i] & 0xff;
      if (octet <= ' ' || octet == 0x7f || octet == '#') {
        return false;
      }
    }
    return true;
  }

  /** What a whole head means; null unless it is refused. */
  @Nullable Fault understand() {
    if (method(CONNECT)) {
      return Fault.METHOD;
    }
    var fault = framing.ofRequest(head, http11);
    if (fault != null) {
      return fault;
    }
    int host = head.find(Name.HOST);
    if (host < 0 || head.repeats(Name.HOST)) {
      return Fault.HOST;
    }
    hostAt = head.valueAt(host);
    hostEnd = head.valueEnd(host);
    if (!authority.read(head.bytes, hostAt, hostEnd)) {
      return Fault.HOST;
    }
    asIs &= head.plain(host);
    if (!originForm() && !absoluteForm()) {
      return Fault.LINE;
    }
    boolean expects = http11 && head.has(Name.EXPECT);
    if (expects && (head.repeats(Name.EXPECT) || !head.value(head.find(Name.EXPECT), CONTINUE))) {
      return Fault.EXPECT;
    }
    expectsContinue = expects && framing.kind() != Framing.Kind.NONE;
    boolean connection = head.has(Name.CONNECTION);
    keepAlive =
        http11
            ? !(connection && head.lists(Name.CONNECTION, CLOSE))
            : connection && head.lists(Name.CONNECTION, KEEP_ALIVE);
    upgrades =
        http11
            && connection
            && head.has(Name.UPGRADE)
            && head.lists(Name.CONNECTION, UPGRADE)
            && head.lists(Name.UPGRADE, WEBSOCKET);
    toHead = method(HEAD);
    idempotent = false;
    for (var word : REPLAYABLE) {
      idempotent |= method(word);
    }
    return null;
  }

  private boolean originForm() {
    return head.bytes[targetAt] == '/'
        || (head.bytes[targetAt] == '*' && targetEnd - targetAt == 1 && method(OPTIONS));
  }

  /** {@code scheme://authority/path}: its authority counts, whatever Host says. */
  private boolean absoluteForm() {
    int start = -1;
    for (var scheme : SCHEMES) {
      int end = targetAt + scheme.length;
      if (end < targetEnd && Octets.same(head.bytes, targetAt, end, scheme)) {
        start = end;
      }
    }
    if (start < 0) {
      return false;
    }
    int path = start;
    while (path < targetEnd && head.bytes[path] != '/' && head.bytes[path] != '?') {
      path++;
    }
    if (!authority.read(head.bytes, start, path)) {
      return false;
    }
    asIs = false;
    hostAt = start;
    hostEnd = path;
    if (path < targetEnd && head.bytes[path] == '/') {
      targetAt = path;
    } else {
      rootOf(path);
    }
    return true;
  }

  /** An absolute target without a path is noted in origin form. */
  private void rootOf(int query) {
    int size = targetEnd - query;
    boolean all = size == 0 && method(OPTIONS);
    int at = head.note(1 + size);
    head.bytes[at] = (byte) (all ? '*' : '/');
    System.arraycopy(head.bytes, query, head.bytes, at + 1, size);
    targetAt = at;
    targetEnd = at + 1 + size;
  }

  private boolean method(byte[] word) {
    return Bytes.equal(head.bytes, lineAt, methodEnd, word);
  }

  // What it says

  int methodAt() {
    return lineAt;
  }

  int methodEnd() {
    return methodEnd;
  }

  /** Where the target in origin form, or {@code *}, begins. */
  int targetAt() {
    return targetAt;
  }

  int targetEnd() {
    return targetEnd;
  }

  /** Where the authority begins that the request is for, as it was sent. */
  int hostAt() {
    return hostAt;
  }

  int hostEnd() {
    return hostEnd;
  }

  /** Whether start line and Host can be passed on as they came. */
  boolean asIs() {
    return asIs;
  }

  /** Whether the client may be answered in chunks and with interim responses. */
  boolean http11() {
    return http11;
  }

  /** Whether the client wants to send more on this connection. */
  boolean keepAlive() {
    return keepAlive;
  }

  /** Whether the client waits for a 100 before it sends the body. */
  boolean expectsContinue() {
    return expectsContinue;
  }

  /** Whether the client offers to switch to WebSocket, the one protocol that is passed through. */
  boolean upgrades() {
    return upgrades;
  }

  /** Whether the answer has no body whatever it says. */
  boolean toHead() {
    return toHead;
  }

  /** Whether doing it twice is the same as doing it once (RFC 9110 section 9.2.2). */
  boolean idempotent() {
    return idempotent;
  }

  /** Whether the method is GET. */
  boolean isGet() {
    return method(REPLAYABLE[0]);
  }

  /** The same at a port for HTTPS, without the scheme. */
  String location(int port) {
    var host = authority.text();
    return host + (port == 443 ? "" : ":" + port) + head.text(targetAt, targetEnd);
  }

  /** Whether the method is HEAD, as far as it is known. */
  boolean forHead() {
    return method(HEAD);
  }

  /** Points at the one Host that can be read, when the request was refused before it was asked. */
  void showHost() {
    int host = hostEnd > 0 || head.repeats(Name.HOST) ? -1 : head.find(Name.HOST);
    if (host >= 0 && authority.read(head.bytes, head.valueAt(host), head.valueEnd(host))) {
      hostAt = head.valueAt(host);
      hostEnd = head.valueEnd(host);
    }
  }
}
