package dev.holdfast.edge;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import org.jspecify.annotations.Nullable;

/** How a certificate authority is answered that asks whether a host is ours (RFC 8555 8.3). */
final class Challenges {
  private static final byte[] PATH = Bytes.ascii("/.well-known/acme-challenge/");
  private static final int TOKEN_BYTES_MAX = 256;

  private Challenges() {}

  /** Whether the request may be one; cheap, since every request is looked at. */
  static boolean asked(Request request) {
    int from = request.targetAt();
    int size = request.targetEnd() - from;
    return request.isGet()
        && size > PATH.length
        && size <= PATH.length + TOKEN_BYTES_MAX
        && request.head.bytes[from + 1] == '.'
        && Bytes.equal(request.head.bytes, from, from + PATH.length, PATH);
  }

  /** What proves it, or null when it is not us who was asked for that. */
  static @Nullable String response(Request request, TlsKeys keys) {
    var token = request.head.text(request.targetAt() + PATH.length, request.targetEnd());
    return keys.response(request.authority.text(), token);
  }

  /** The whole answer. */
  static ByteBuf page(String proof, boolean close) {
    var head =
        "HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nContent-Length: "
            + proof.length()
            + (close ? "\r\nConnection: close\r\n\r\n" : "\r\n\r\n");
    return Unpooled.wrappedBuffer(Bytes.ascii(head + proof));
  }
}
