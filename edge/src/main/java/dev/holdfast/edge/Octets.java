package dev.holdfast.edge;

import io.netty.buffer.ByteBuf;

/** Which bytes may stand where in a message (RFC 9110 section 5.6, RFC 9112). */
final class Octets {
  private static final boolean[] TOKEN = new boolean[256];

  static {
    for (int c = '0'; c <= '9'; c++) {
      TOKEN[c] = true;
    }
    for (int c = 'a'; c <= 'z'; c++) {
      TOKEN[c] = true;
      TOKEN[c - 'a' + 'A'] = true;
    }
    for (char c : "!#$%&'*+-.^_`|~".toCharArray()) {
      TOKEN[c] = true;
    }
  }

  private Octets() {}

  static boolean token(int octet) {
    return TOKEN[octet & 0xff];
  }

  static boolean token(ByteBuf in, int start, int length) {
    for (int i = start; i < start + length; i++) {
      if (!token(in.getByte(i))) {
        return false;
      }
    }
    return length > 0;
  }

  /** Visible characters, blanks and tabs, and bytes above ASCII (obs-text). */
  static boolean text(ByteBuf in, int start, int length) {
    for (int i = start; i < start + length; i++) {
      int octet = in.getByte(i) & 0xff;
      if ((octet < 0x20 && octet != '\t') || octet == 0x7f) {
        return false;
      }
    }
    return true;
  }

  static boolean blank(int octet) {
    return octet == ' ' || octet == '\t';
  }

  static boolean digit(int c) {
    return c >= '0' && c <= '9';
  }

  static boolean letterOrDigit(int c) {
    return digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
  }

  /** The value of a hexadecimal digit, or -1. */
  static int hex(int c) {
    if (digit(c)) {
      return c - '0';
    }
    int lower = c | 0x20;
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
  }
}
