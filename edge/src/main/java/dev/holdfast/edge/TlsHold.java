package dev.holdfast.edge;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelDuplexHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelPromise;
import org.jspecify.annotations.Nullable;

/**
 * In front of the record layer of TLS: keeps a client's last word back while its answer is under
 * way. A close_notify ends only the client's side (RFC 8446 section 6.1), but the engines close
 * both sides when they see one, and the answer would be lost. Confined to its event loop.
 *
 * <p>The record cannot be read here, but its size can: an alert is 2 bytes, which makes 19 in TLS
 * 1.3, or 35 with the padding that Java's clients add. A few bytes of data look the same, so they
 * wait too; nothing depends on them, because nothing after a whole request is looked at before its
 * answer is over.
 */
final class TlsHold extends ChannelDuplexHandler {
  private static final int HEADER_BYTES = 5;
  private static final int ALERT = 21;
  private static final int APPLICATION_DATA = 23;
  private static final int ALERT_BYTES_13 = 2 + 1 + 16;
  private static final int PADDING_BYTES_MAX = 16;

  private @Nullable ChannelHandlerContext context;
  private @Nullable ClientConnection client;
  private @Nullable ByteBuf held;
  private boolean passed;

  /** What is still to come of the record that is passing, its header not counted. */
  private int left;

  /** A record's header that has not come whole, as a number, and how many bytes of it came. */
  private long header;

  private int headerBytes;

  /** From now on that client's answers are worth waiting for. */
  void serve(ClientConnection next) {
    client = next;
  }

  /** Closes without a close_notify. */
  void reset(ChannelPromise promise) {
    if (context == null) {
      promise.setSuccess();
    } else {
      var _ = context.close(promise);
    }
  }

  @Override
  public void handlerAdded(ChannelHandlerContext ctx) {
    context = ctx;
  }

  @Override
  public void handlerRemoved(ChannelHandlerContext ctx) {
    var last = held;
    held = null;
    if (last != null) {
      last.release();
    }
  }

  @Override
  public void channelRead(ChannelHandlerContext ctx, Object message) {
    var earlier = held;
    held = null;
    if (earlier != null) {
      passed = true;
      ctx.fireChannelRead(earlier); // more came, so it was not the last word
    }
    var bytes = (ByteBuf) message;
    int last = lastWord(bytes);
    if (last == 0) {
      passed = true;
      ctx.fireChannelRead(bytes);
    } else if (last == bytes.readableBytes()) {
      held = bytes;
    } else {
      var before = bytes.readRetainedSlice(bytes.readableBytes() - last);
      held = bytes;
      passed = true;
      ctx.fireChannelRead(before);
    }
  }

  @Override
  public void channelReadComplete(ChannelHandlerContext ctx) {
    if (passed || held == null) {
      passed = false;
      ctx.fireChannelReadComplete();
    }
    settle();
    if (held != null && client != null && client.in() == null) {
      ctx.read(); // so that a client that breaks off is still noticed
    }
  }

  @Override
  public void read(ChannelHandlerContext ctx) {
    if (held != null) {
      ctx.executor().execute(this::settle); // not now: whoever reads is in the middle of something
    }
    ctx.read();
  }

  private void settle() {
    var last = held;
    var ctx = context;
    if (last == null || ctx == null || ctx.isRemoved() || (client != null && client.answering())) {
      return;
    }
    held = null;
    ctx.fireChannelRead(last);
    ctx.fireChannelReadComplete();
  }

  /** The length of the record that ends the buffer, if it can be a close_notify; otherwise 0. */
  private int lastWord(ByteBuf bytes) {
    int at = bytes.readerIndex();
    int end = bytes.writerIndex();
    while (true) {
      int skip = Math.min(left, end - at);
      at += skip;
      left -= skip;
      if (at == end) {
        return 0;
      }
      int start = headerBytes == 0 ? at : -1;
      while (headerBytes < HEADER_BYTES && at < end) {
        header = (header << Byte.SIZE) | bytes.getUnsignedByte(at++);
        headerBytes++;
      }
      if (headerBytes < HEADER_BYTES) {
        return 0;
      }
      int type = (int) (header >> (4 * Byte.SIZE));
      left = (int) (header & 0xffff);
      header = 0;
      headerBytes = 0;
      boolean alert =
          type == ALERT || (type == APPLICATION_DATA && left <= ALERT_BYTES_13 + PADDING_BYTES_MAX);
      if (alert && start >= 0 && at + left == end) {
        left = 0;
        return end - start;
      }
    }
  }
}
