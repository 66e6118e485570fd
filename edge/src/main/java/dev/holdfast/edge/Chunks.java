package dev.holdfast.edge;

import static java.nio.charset.StandardCharsets.US_ASCII;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;

/** Writes a piece of a body as one chunk (RFC 9112 section 7.1). Stateless. */
final class Chunks {
  private static final byte[] END = "\r\n".getBytes(US_ASCII);

  private Chunks() {}

  /** Takes the piece over. An empty piece would end the body and is left out. */
  static void write(Channel channel, ByteBuf piece) {
    int length = piece.readableBytes();
    if (length == 0) {
      piece.release();
      return;
    }
    var head = channel.alloc().buffer(10);
    head.writeCharSequence(Integer.toHexString(length), US_ASCII);
    Sockets.write(channel, head.writeBytes(END));
    Sockets.write(channel, piece);
    Sockets.write(channel, Unpooled.wrappedBuffer(END));
  }
}
