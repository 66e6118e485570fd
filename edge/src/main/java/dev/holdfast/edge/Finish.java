package dev.holdfast.edge;

import dev.holdfast.ledger.Policy.Encoding;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * How one answer leaves, where the policy of its place asks for more than to pass it as it came:
 * compressed, with a cookie, with a word to browsers. Used again for the next answer. Confined to
 * its event loop.
 *
 * <p>What is compressed is another representation (RFC 9110 section 8.8.1): its ETag becomes weak,
 * ranges of it are not offered, and what says a checksum of the body is left alone altogether. An
 * answer that depends on Accept-Encoding says so by Vary, compressed or not.
 */
final class Finish {
  private static final byte[] VARY = Bytes.ascii("Vary: Accept-Encoding\r\n");
  private static final byte[] ACCEPT_ENCODING = Bytes.ascii("accept-encoding");
  private static final byte[] STAR = Bytes.ascii("*");
  private static final byte[] ETAG = Bytes.ascii("ETag: ");
  private static final byte[] CODED = Bytes.ascii("Content-Encoding: ");
  private static final byte[] HSTS = Bytes.ascii("strict-transport-security");
  private static final byte[] NO_TRANSFORM = Bytes.ascii("no-transform");
  private static final byte[][] CHECKSUMS = {
    Bytes.ascii("content-md5"),
    Bytes.ascii("digest"),
    Bytes.ascii("content-digest"),
    Bytes.ascii("repr-digest"),
  };

  private byte @Nullable [] hsts;
  private byte @Nullable [] cookie;
  private @Nullable Encoding encoding;
  private boolean varies;
  private @Nullable String weak;
  private long drops;

  /**
   * Decides about the head of an answer.
   *
   * @param setCookie a line with its end, or null
   */
  void begin(
      Extras extras,
      Request asked,
      Response response,
      boolean secure,
      byte @Nullable [] setCookie) {
    var head = response.head;
    hsts = secure && !names(head, HSTS) ? extras.hsts() : null;
    cookie = setCookie;
    encoding = null;
    varies = false;
    weak = null;
    drops = 0;
    if (!extras.encodings().isEmpty()) {
      code(extras.encodings(), asked, response);
    }
  }

  private void code(List<Encoding> wanted, Request asked, Response response) {
    var head = response.head;
    if (response.status() == 304) {
      varies = !variesAlready(head);
      var etag = strong(head);
      var known = joined(asked.head, Name.IF_NONE_MATCH);
      if (etag != null && known != null && known.contains(Compression.weak(etag))) {
        weaken(etag); // it is the compressed one that the client has
      }
      return;
    }
    var about =
        new Compression.Head(
            response.status(),
            joined(head, Name.CONTENT_TYPE),
            joined(head, Name.CONTENT_ENCODING),
            joined(head, Name.CACHE_CONTROL),
            response.framing.kind() == Framing.Kind.LENGTH ? response.framing.length() : -1);
    if (!Compression.possible(wanted, about) || head.has(Name.CONTENT_RANGE) || checked(head)) {
      return;
    }
    varies = !variesAlready(head);
    boolean may =
        asked.http11()
            && response.framing.kind() != Framing.Kind.NONE
            && !asked.head.has(Name.RANGE)
            && !asked.head.lists(Name.CACHE_CONTROL, NO_TRANSFORM);
    encoding =
        may ? Compression.choose(wanted, joined(asked.head, Name.ACCEPT_ENCODING), about) : null;
  }

  /** What the body is to be compressed with, or null. */
  @Nullable Encoding encoding() {
    return encoding;
  }

  /** Nobody is there to compress it, so that it passes as it is. */
  void uncoded() {
    encoding = null;
  }

  /** The body is compressed, so the head has to say so. */
  void coded(Head head) {
    drops |= Name.set(Name.ACCEPT_RANGES);
    var etag = strong(head);
    if (etag != null) {
      weaken(etag);
    }
  }

  private void weaken(String etag) {
    weak = Compression.weak(etag);
    drops |= Name.set(Name.ETAG);
  }

  private static @Nullable String strong(Head head) {
    int field = head.find(Name.ETAG);
    return field < 0 || head.bytes[head.valueAt(field)] != '"'
        ? null
        : head.text(head.valueAt(field), head.valueEnd(field));
  }

  private static boolean variesAlready(Head head) {
    return head.has(Name.VARY)
        && (head.lists(Name.VARY, ACCEPT_ENCODING) || head.lists(Name.VARY, STAR));
  }

  private static boolean checked(Head head) {
    for (var name : CHECKSUMS) {
      if (names(head, name)) {
        return true;
      }
    }
    return false;
  }

  /** Whether a field of that name is here which {@link Name} does not know. */
  private static boolean names(Head head, byte[] name) {
    for (int i = 0; i < head.count(); i++) {
      if (head.id(i) == Name.OTHER
          && Octets.same(head.bytes, head.nameAt(i), head.nameEnd(i), name)) {
        return true;
      }
    }
    return false;
  }

  /** All fields of that name as one list, or null. */
  static @Nullable String joined(Head head, int name) {
    String list = null;
    for (int i = head.find(name); i >= 0; i = head.find(name, i + 1)) {
      var text = head.text(head.valueAt(i), head.valueEnd(i));
      list = list == null ? text : list + ", " + text;
    }
    return list;
  }

  /** The set of names that do not pass. */
  long drops() {
    return drops;
  }

  /** Writes the lines that are added. */
  void write(Scratch out) {
    if (hsts != null) {
      out.add(hsts);
    }
    if (cookie != null) {
      out.add(cookie);
    }
    if (varies) {
      out.add(VARY);
    }
    if (weak != null) {
      out.add(ETAG).add(Bytes.ascii(weak)).endLine();
    }
    if (encoding != null) {
      out.add(CODED).add(Bytes.ascii(Compression.name(encoding))).endLine();
    }
  }
}
