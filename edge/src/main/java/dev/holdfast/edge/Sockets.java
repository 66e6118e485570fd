package dev.holdfast.edge;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelOption;
import io.netty.channel.socket.DuplexChannel;
import io.netty.handler.ssl.SslHandler;

/**
 * Writing to a connection and the ways to end it. Nobody looks at the futures: a write that fails
 * shows as an event of its connection. Confined to the channel's event loop.
 */
final class Sockets {
  private Sockets() {}

  static void write(Channel channel, ByteBuf bytes) {
    var _ = channel.write(bytes);
  }

  static void writeAndFlush(Channel channel, ByteBuf bytes) {
    var _ = channel.writeAndFlush(bytes);
  }

  /** At once; what is not sent yet is lost. */
  static void close(Channel channel) {
    var _ = channel.close();
  }

  /** After everything written is sent. */
  static void closeAfterWrites(Channel channel) {
    var _ = channel.writeAndFlush(Unpooled.EMPTY_BUFFER).addListener(ChannelFutureListener.CLOSE);
  }

  /** Our direction only, after everything written is sent. */
  static void finish(Channel channel) {
    var _ =
        channel
            .writeAndFlush(Unpooled.EMPTY_BUFFER)
            .addListener(_ -> {
              if (channel.isActive() && channel instanceof DuplexChannel duplex) {
                shutdownOutput(duplex);
              }
            });
  }

  private static void shutdownOutput(DuplexChannel duplex) {
    var tls = duplex.pipeline().get(SslHandler.class);
    if (tls == null) {
      var _ = duplex.shutdownOutput();
    } else {
      var _ =
          tls.closeOutbound()
              .addListener(_ -> {
                var _ = duplex.shutdownOutput();
              }); // close_notify first
    }
  }

  /** With a reset, so that nobody takes a cut message for a whole one. */
  static void reset(Channel channel) {
    channel.flush();
    if (channel.isOpen()) {
      channel.config().setOption(ChannelOption.SO_LINGER, 0);
    }
    close(channel);
  }
}
