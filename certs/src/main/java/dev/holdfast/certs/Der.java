package dev.holdfast.certs;

import java.io.ByteArrayOutputStream;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;

/** The few values of ASN.1 that a certificate is made of, in DER (ITU-T X.690). */
final class Der {
  private static final int BOOLEAN = 0x01;
  private static final int INTEGER = 0x02;
  private static final int BIT_STRING = 0x03;
  private static final int OCTET_STRING = 0x04;
  private static final int OBJECT_IDENTIFIER = 0x06;
  private static final int UTF8_STRING = 0x0C;
  private static final int UTC_TIME = 0x17;
  private static final int GENERALIZED_TIME = 0x18;
  private static final int SEQUENCE = 0x30;
  private static final int SET = 0x31;
  private static final int CONTEXT = 0x80;
  private static final int CONSTRUCTED = 0x20;
  private static final int UTC_TIME_END = 2050; // RFC 5280 section 4.1.2.5

  private static final DateTimeFormatter UTC =
      DateTimeFormatter.ofPattern("yyMMddHHmmss'Z'").withZone(ZoneOffset.UTC);
  private static final DateTimeFormatter GENERALIZED =
      DateTimeFormatter.ofPattern("uuuuMMddHHmmss'Z'").withZone(ZoneOffset.UTC);

  private Der() {}

  static byte[] sequence(byte[]... parts) {
    return value(SEQUENCE, parts);
  }

  static byte[] set(byte[]... parts) {
    return value(SET, parts);
  }

  static byte[] integer(BigInteger number) {
    return value(INTEGER, number.toByteArray());
  }

  static byte[] yes() {
    return value(BOOLEAN, new byte[] {(byte) 0xFF});
  }

  static byte[] octets(byte[] bytes) {
    return value(OCTET_STRING, bytes);
  }

  static byte[] bits(byte[] bytes) {
    return value(BIT_STRING, new byte[] {0}, bytes); // no bit of the last byte is unused
  }

  static byte[] text(String text) {
    return value(UTF8_STRING, text.getBytes(StandardCharsets.UTF_8));
  }

  static byte[] time(Instant at) {
    return at.atOffset(ZoneOffset.UTC).getYear() < UTC_TIME_END
        ? value(UTC_TIME, UTC.format(at).getBytes(StandardCharsets.US_ASCII))
        : value(GENERALIZED_TIME, GENERALIZED.format(at).getBytes(StandardCharsets.US_ASCII));
  }

  /** {@code [number]} around whole values. */
  static byte[] explicit(int number, byte[]... parts) {
    return value(CONTEXT | CONSTRUCTED | number, parts);
  }

  /** {@code [number]} instead of a value's own tag. */
  static byte[] implicit(int number, byte[] content) {
    return value(CONTEXT | number, content);
  }

  /** Of numbers with dots between. */
  static byte[] oid(String dotted) {
    var arcs = dotted.split("\\.", -1);
    var out = new ByteArrayOutputStream();
    out.write(40 * Integer.parseInt(arcs[0]) + Integer.parseInt(arcs[1]));
    for (int i = 2; i < arcs.length; i++) {
      int arc = Integer.parseInt(arcs[i]);
      for (int shift = 28; shift > 0; shift -= 7) {
        if ((arc >>> shift) != 0) {
          out.write(0x80 | ((arc >>> shift) & 0x7F));
        }
      }
      out.write(arc & 0x7F);
    }
    return value(OBJECT_IDENTIFIER, out.toByteArray());
  }

  private static byte[] value(int tag, byte[]... parts) {
    int length = 0;
    for (var part : parts) {
      length += part.length;
    }
    var out = new ByteArrayOutputStream(length + 6);
    out.write(tag);
    if (length < 0x80) {
      out.write(length);
    } else {
      byte[] bytes = BigInteger.valueOf(length).toByteArray();
      int skipped = bytes[0] == 0 ? 1 : 0;
      out.write(0x80 | (bytes.length - skipped));
      out.write(bytes, skipped, bytes.length - skipped);
    }
    for (var part : parts) {
      out.writeBytes(part);
    }
    return out.toByteArray();
  }
}
