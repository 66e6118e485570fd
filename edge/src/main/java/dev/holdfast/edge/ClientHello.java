package dev.holdfast.edge;

import static java.nio.charset.StandardCharsets.US_ASCII;

import io.netty.buffer.ByteBuf;
import io.netty.util.NetUtil;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * What of a ClientHello (RFC 8446 section 4.1.2) decides which certificate answers it. Immutable.
 *
 * @param host the server name (RFC 6066 section 3), lower case, no trailing dot; empty when none
 * @param acme whether it is a certificate authority that checks a TLS-ALPN-01 challenge
 */
record ClientHello(String host, boolean acme) {
  /** The ALPN name of a TLS-ALPN-01 challenge (RFC 8737 section 3). */
  static final String ACME = "acme-tls/1";

  private static final int HOST_BYTES_MAX = 255;
  private static final int VERSION_AND_RANDOM_BYTES = 2 + 32;
  private static final int SERVER_NAME = 0;
  private static final int ALPN = 16;

  /** Reads it without moving the buffer's indices; null when it is malformed. */
  static @Nullable ClientHello parse(ByteBuf body) {
    try {
      return read(body.duplicate());
    } catch (IndexOutOfBoundsException e) {
      return null; // some length points beyond the end
    }
  }

  private static @Nullable ClientHello read(ByteBuf in) {
    in.skipBytes(VERSION_AND_RANDOM_BYTES);
    in.skipBytes(in.readUnsignedByte());
    in.skipBytes(in.readUnsignedShort());
    in.skipBytes(in.readUnsignedByte());
    var host = "";
    boolean acme = false;
    var extensions = in.isReadable() ? in.readSlice(in.readUnsignedShort()) : in;
    while (extensions.isReadable()) {
      int type = extensions.readUnsignedShort();
      var extension = extensions.readSlice(extensions.readUnsignedShort());
      if (type == SERVER_NAME) {
        var name = host(extension);
        if (name == null) {
          return null;
        }
        host = name;
      } else if (type == ALPN) {
        acme = acme(extension);
      }
    }
    return new ClientHello(host, acme);
  }

  private static @Nullable String host(ByteBuf in) {
    var names = in.readSlice(in.readUnsignedShort());
    int type = names.readUnsignedByte();
    int length = names.readUnsignedShort();
    if (type != 0 || length == 0 || length > HOST_BYTES_MAX) {
      return null;
    }
    for (int i = 0; i < length; i++) {
      int octet = names.getByte(names.readerIndex() + i);
      if (!Octets.letterOrDigit(octet) && octet != '.' && octet != '-' && octet != '_') {
        return null;
      }
    }
    var host = names.readSlice(length).toString(US_ASCII).toLowerCase(Locale.ROOT);
    if (NetUtil.isValidIpV4Address(host)) {
      return ""; // an address is no name (RFC 6066 section 3), but some clients send it
    }
    return host.endsWith(".") ? host.substring(0, host.length() - 1) : host;
  }

  /** RFC 8737 section 3: the challenge's protocol must be the only one offered. */
  private static boolean acme(ByteBuf in) {
    var names = in.readSlice(in.readUnsignedShort());
    int length = names.readUnsignedByte();
    return length == ACME.length()
        && names.readableBytes() == length
        && names.readSlice(length).toString(US_ASCII).equals(ACME);
  }
}
