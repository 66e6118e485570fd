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
  static final int ACCEPT_RANGES = 38;
  static final int TRACESTATE = 39;
  static final int IF_NONE_MATCH = 40;

  /** One of the edge's own names with {@code _} for {@code -}; it means nothing but is dropped. */
  static final int LOOKALIKE = 41;

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
    "accept-ranges",
    "tracestate",
    "if-none-match",
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

  private static final int SLOT_BITS = 10;
  private static final int CHARS_MAX = 19;
  private static final long SPREAD = 0x9e3779b97f4a7c15L;
  private static final long CASE = 0x2020202020202020L;
  private static final long UNDERSCORES = 0x7f7f7f7f7f7f7f7fL; // as the case bit leaves them

  /** The names' letters, eight to a number, at three times the id. */
  private static final long[] LETTERS = new long[TEXT.length * 3];

  /** At most one name in a slot: the static initializer proves it. */
  private static final byte[] SLOT = new byte[1 << SLOT_BITS];

  static {
    for (int id = 1; id < TEXT.length; id++) {
      var word = TEXT[id].getBytes(US_ASCII);
      for (int i = 0; i < word.length; i++) {
        LETTERS[id * 3 + i / 8] |= (long) word[i] << (i % 8 * 8);
      }
      int slot = slot(LETTERS[id * 3], LETTERS[id * 3 + 1], LETTERS[id * 3 + 2]);
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

  /**
   * Which name it is; letters count without case. A token has no byte that the case bit would turn
   * into a letter, a digit or {@code -} of another name.
   */
  static int of(byte[] in, int from, int to) {
    int length = to - from;
    if (length > CHARS_MAX) {
      return OTHER;
    }
    long first = letters(in, from, length);
    long second = length > 8 ? letters(in, from + 8, length - 8) : 0;
    long third = length > 16 ? letters(in, from + 16, length - 16) : 0;
    int id = SLOT[slot(first, second, third)];
    int at = id * 3;
    if (id != OTHER
        && LETTERS[at] == first
        && LETTERS[at + 1] == second
        && LETTERS[at + 2] == third) {
      return id;
    }
    boolean underscored =
        Octets.zeros(first ^ UNDERSCORES) != 0
            || Octets.zeros(second ^ UNDERSCORES) != 0
            || Octets.zeros(third ^ UNDERSCORES) != 0;
    return underscored ? lookalike(in, from, to) : OTHER;
  }

  /** Up to eight letters in lower case, and zeros behind them. */
  private static long letters(byte[] in, int from, int count) {
    if (from + 8 <= in.length) {
      long eight = Octets.eight(in, from) | CASE;
      return count >= 8 ? eight : eight & ~(-1L << (count << 3));
    }
    long some = 0;
    for (int i = 0; i < Math.min(8, count); i++) {
      some |= (long) ((in[from + i] & 0xff) | 0x20) << (i << 3);
    }
    return some;
  }

  private static int slot(long first, long second, long third) {
    long mixed = (first ^ Long.rotateLeft(second, 25) ^ Long.rotateLeft(third, 47)) * SPREAD;
    return (int) (mixed >>> (Long.SIZE - SLOT_BITS));
  }

  private static int lookalike(byte[] in, int from, int to) {
    var dashed = new byte[to - from];
    for (int i = from; i < to; i++) {
      dashed[i - from] = in[i] == '_' ? (byte) '-' : in[i];
    }
    return in(OWN, of(dashed, 0, dashed.length)) ? LOOKALIKE : OTHER;
  }
}
