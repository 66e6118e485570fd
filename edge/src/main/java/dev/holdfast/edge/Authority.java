package dev.holdfast.edge;

/**
 * A host and perhaps a port, as a Host field or an absolute target names them (RFC 9110 section
 * 7.2, RFC 3986 section 3.2), read into the form in which hosts are looked up: lower case, no port,
 * no trailing dot. Used again for the next request. Confined to its event loop.
 */
final class Authority {
  static final int BYTES_MAX = 512;

  private static final int PORT_MAX = 65535;
  private static final boolean[] NAME = new boolean[256];

  static {
    for (int c = 0; c < 128; c++) {
      NAME[c] = Octets.letterOrDigit(c) || "-._~%!$&'()*+,;=".indexOf(c) >= 0;
    }
  }

  final byte[] host = new byte[BYTES_MAX];
  private int length;
  private int hash;

  /** Bytes of the host. */
  int length() {
    return length;
  }

  /** A hash of the host's bytes. */
  int hash() {
    return hash;
  }

  /** Reads a range, or answers false when it is no authority. */
  boolean read(byte[] in, int from, int to) {
    length = 0;
    if (from == to || to - from > BYTES_MAX) {
      return false;
    }
    int end = in[from] == '[' ? literalEnd(in, from, to) : nameEnd(in, from, to);
    if (end == from || !port(in, end, to)) {
      return false;
    }
    int mixed = 0;
    for (int i = from; i < end; i++) {
      int c = Octets.lower(in[i]);
      host[i - from] = (byte) c;
      mixed = mixed * 31 + c;
    }
    length = end - from;
    if (host[length - 1] == '.') {
      length--;
      mixed = 0;
      for (int i = 0; i < length; i++) {
        mixed = mixed * 31 + host[i];
      }
    }
    hash = mixed ^ mixed >>> 15;
    return true;
  }

  /** The host as text; only for what is rare. */
  String text() {
    return new String(host, 0, length, java.nio.charset.StandardCharsets.ISO_8859_1);
  }

  private static int nameEnd(byte[] in, int from, int to) {
    int i = from;
    while (i < to && NAME[in[i] & 0xff]) {
      i++;
    }
    return i < to && in[i] != ':' ? from : i;
  }

  private static int literalEnd(byte[] in, int from, int to) {
    int i = from + 1;
    while (i < to && (Octets.hex(in[i]) >= 0 || in[i] == ':' || in[i] == '.')) {
      i++;
    }
    return i < to && in[i] == ']' && i >= from + 3 ? i + 1 : from;
  }

  private static boolean port(byte[] in, int at, int to) {
    if (at == to) {
      return true;
    }
    if (in[at] != ':' || to - at > 6) {
      return false;
    }
    int port = 0;
    for (int i = at + 1; i < to; i++) {
      if (!Octets.digit(in[i])) {
        return false;
      }
      port = port * 10 + in[i] - '0';
    }
    return port <= PORT_MAX;
  }
}
