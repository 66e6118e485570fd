package dev.holdfast.edge;

import static java.nio.charset.StandardCharsets.US_ASCII;

/**
 * The field names that mean something to the edge, as small numbers, so that sets of them are bit
 * sets. Every other name is {@link #OTHER}.
 */
final class Name {
  static final int OTHER = 0;
  static final int HOST = 1;
  static final int CONNECTION = 2;
  static final int CONTENT_LENGTH = 3;
  static final int TRANSFER_ENCODING = 4;
  static final int TE = 5;
  static final int TRAILER = 6;
  static final int UPGRADE = 7;
  static final int KEEP_ALIVE = 8;
  static final int PROXY_CONNECTION = 9;
  static final int HTTP2_SETTINGS = 10;
  static final int EXPECT = 11;
  static final int VIA = 12;
  static final int REQUEST_ID = 13;
  static final int REQUEST_START = 14;
  static final int FORWARDED_FOR = 15;
  static final int FORWARDED_PROTO = 16;
  static final int FORWARDED_PORT = 17;
  static final int FORWARDED_HOST = 18;
  static final int FORWARDED = 19;
  static final int PROXY_AUTHORIZATION = 20;
  static final int COOKIE = 21;
  static final int AUTHORIZATION = 22;
  static final int SET_COOKIE = 23;
  static final int ACCEPT = 24;
  static final int USER_AGENT = 25;
  static final int ACCEPT_ENCODING = 26;
  static final int CONTENT_TYPE = 27;
  static final int CONTENT_ENCODING = 28;
  static final int CACHE_CONTROL = 29;
  static final int CONTENT_RANGE = 30;
  static final int RANGE = 31;
  static final int ETAG = 32;
  static final int VARY = 33;
  static final int TRACEPARENT = 34;
  static final int CLASS = 35;
  static final int DEADLINE = 36;
  static final int RETRY_ATTEMPT = 37;

  /** One of the edge's own names with {@code _} for {@code -}; it means nothing but is dropped. */
  static final int LOOKALIKE = 38;

  private static final String[] TEXT = {
    "",
    "host",
    "connection",
    "content-length",
    "transfer-encoding",
    "te",
    "trailer",
    "upgrade",
    "keep-alive",
    "proxy-connection",
    "http2-settings",
    "expect",
    "via",
    "x-request-id",
    "x-request-start",
    "x-forwarded-for",
    "x-forwarded-proto",
    "x-forwarded-port",
    "x-forwarded-host",
    "forwarded",
    "proxy-authorization",
    "cookie",
    "authorization",
    "set-cookie",
    "accept",
    "user-agent",
    "accept-encoding",
    "content-type",
    "content-encoding",
    "cache-control",
    "content-range",
    "range",
    "etag",
    "vary",
    "traceparent",
    "x-class",
    "x-deadline-ms",
    "retry-attempt",
  };

  /** Not for the other side (RFC 9110 section 7.6.1); framing is written anew. */
  static final long HOP =
      set(
          CONNECTION,
          KEEP_ALIVE,
          PROXY_CONNECTION,
          TE,
          TRANSFER_ENCODING,
          CONTENT_LENGTH,
          UPGRADE,
          HTTP2_SETTINGS);

  /** Written by the edge and therefore not copied from the client. */
  static final long OWN =
      set(
          HOST,
          FORWARDED_FOR,
          FORWARDED_PROTO,
          FORWARDED_PORT,
          FORWARDED_HOST,
          FORWARDED,
          REQUEST_ID,
          REQUEST_START,
          VIA,
          EXPECT,
          PROXY_AUTHORIZATION,
          CLASS,
          DEADLINE,
          LOOKALIKE);

  /** A Connection field may not take these away: without its length a body is another request. */
  static final long KEPT =
      set(
          HOST,
          CONTENT_LENGTH,
          VIA,
          REQUEST_ID,
          REQUEST_START,
          FORWARDED_FOR,
          FORWARDED_PROTO,
          FORWARDED_PORT,
          FORWARDED_HOST,
          COOKIE,
          AUTHORIZATION);

  /** May not come after the body (RFC 9110 section 6.5.1). */
  static final long NO_TRAILER =
      HOP
          | OWN
          | set(
              TRAILER,
              AUTHORIZATION,
              COOKIE,
              SET_COOKIE,
              CONTENT_TYPE,
              CONTENT_ENCODING,
              CONTENT_RANGE,
              CACHE_CONTROL,
              RANGE);

  private static final int SLOTS = 512;
  private static final int CHARS_MAX = 19;
  private static final byte[][] WORDS = new byte[TEXT.length][];

  /** Two candidates per slot suffice for this list; the static initializer proves it. */
  private static final byte[] SLOT = new byte[SLOTS * 2];

  static {
    for (int id = 1; id < TEXT.length; id++) {
      var word = TEXT[id].getBytes(US_ASCII);
      WORDS[id] = word;
      int slot = slot(word, 0, word.length) * 2;
      if (SLOT[slot] != 0) {
        slot++;
      }
      if (SLOT[slot] != 0 || word.length > CHARS_MAX) {
        throw new AssertionError("no slot for " + TEXT[id]);
      }
      SLOT[slot] = (byte) id;
    }
  }

  private Name() {}

  static long set(int... ids) {
    long set = 0;
    for (int id : ids) {
      set |= 1L << id;
    }
    return set;
  }

  static boolean in(long set, int id) {
    return (set >>> id & 1) != 0;
  }

  /** Which name it is. */
  static int of(byte[] in, int from, int to) {
    int length = to - from;
    if (length > CHARS_MAX) {
      return OTHER;
    }
    int slot = slot(in, from, length) * 2;
    int id = SLOT[slot];
    if (id != 0 && same(in, from, to, WORDS[id])) {
      return id;
    }
    id = SLOT[slot + 1];
    if (id != 0 && same(in, from, to, WORDS[id])) {
      return id;
    }
    return underscored(in, from, to) ? lookalike(in, from, to) : OTHER;
  }

  /** Length, first and last byte, and one from the middle, letters without case. */
  private static int slot(byte[] in, int from, int length) {
    if (length == 0) {
      return 0;
    }
    int first = in[from] | 0x20;
    int last = in[from + length - 1] | 0x20;
    int middle = in[from + length / 2] | 0x20;
    return (length * 53 + first * 7 + last * 31 + middle * 13) & (SLOTS - 1);
  }

  /** As {@link Octets#same}; a word has only letters, digits and {@code -}. */
  private static boolean same(byte[] in, int from, int to, byte[] word) {
    return Octets.same(in, from, to, word);
  }

  private static boolean underscored(byte[] in, int from, int to) {
    for (int i = from; i < to; i++) {
      if (in[i] == '_') {
        return true;
      }
    }
    return false;
  }

  private static int lookalike(byte[] in, int from, int to) {
    var dashed = new byte[to - from];
    for (int i = from; i < to; i++) {
      dashed[i - from] = in[i] == '_' ? (byte) '-' : in[i];
    }
    return in(OWN, of(dashed, 0, dashed.length)) ? LOOKALIKE : OTHER;
  }
}
