package dev.holdfast.edge;

import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelPromise;
import io.netty.channel.epoll.EpollSocketChannel;
import io.netty.channel.socket.nio.NioSocketChannel;
import io.netty.channel.unix.Socket;
import io.netty.channel.unix.UnixChannel;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/**
 * What goes out on one connection. Small pieces are put together, so that a head and a small body
 * are one buffer and one system call; large ones are passed on as they are. Confined to its event
 * loop.
 */
final class Outgoing {
  /** Up to here, copying costs less than another buffer. */
  static final int COPY_BYTES_MAX = 4096;

  private static final int ROOM_MIN = 1024;

  private final Channel channel;
  private final boolean plain;
  private final @Nullable Socket socket;
  private final Flushes flushes;
  private boolean waiting;
  private @Nullable ByteBuf pending;

  Outgoing(Channel channel, Flushes flushes) {
    this.channel = channel;
    this.flushes = flushes;
    plain =
        (channel instanceof UnixChannel || channel instanceof NioSocketChannel)
            && channel.pipeline().names().size() <= 2;
    socket = plain && channel instanceof EpollSocketChannel epoll ? socket(epoll) : null;
  }

  private static @Nullable Socket socket(EpollSocketChannel channel) {
    return channel.fd() instanceof Socket socket ? socket : null;
  }

  /** Room for that many bytes. */
  ByteBuf room(int size) {
    var now = pending;
    if (now != null) {
      if (now.writableBytes() >= size) {
        return now;
      }
      pending = null;
      write(now);
    }
    var fresh = channel.alloc().directBuffer(Math.max(ROOM_MIN, size));
    pending = fresh;
    return fresh;
  }

  void add(Scratch scratch, int more) {
    scratch.into(room(scratch.length() + more));
  }

  void add(byte[] bytes) {
    room(bytes.length).writeBytes(bytes);
  }

  /** Takes a buffer over. */
  void pass(ByteBuf piece) {
    int size = piece.readableBytes();
    if (size <= COPY_BYTES_MAX) {
      room(size).writeBytes(piece);
      piece.release();
    } else {
      settle();
      write(piece);
    }
  }

  /** Takes that many bytes off a buffer that stays the caller's. */
  void take(ByteBuf in, int size) {
    if (size <= COPY_BYTES_MAX) {
      room(size).writeBytes(in, size);
    } else {
      settle();
      write(in.readRetainedSlice(size));
    }
  }

  void flush() {
    var now = pending;
    if (now != null && socket != null && now.hasMemoryAddress() && nothingQueued()) {
      pending = null;
      if (sendNow(now, socket)) {
        return;
      }
      write(now);
    } else {
      settle();
    }
    channel.flush();
  }

  /**
   * Flushes before the event loop waits again. Whoever ends the connection before has to {@link
   * #flush}.
   *
   * @return whether that is as good as sent: nothing is queued before it
   */
  boolean flushSoon() {
    if (pending == null || socket == null || !nothingQueued()) {
      flush();
      return sent();
    }
    if (!waiting) {
      waiting = true;
      flushes.add(this);
    }
    return true;
  }

  /** What {@link #flushSoon} promised. */
  void flushNow() {
    waiting = false;
    if (pending != null) {
      flush();
    }
  }

  private boolean nothingQueued() {
    var queue = channel.unsafe().outboundBuffer();
    return queue != null && queue.totalPendingWriteBytes() == 0;
  }

  /**
   * Hands a buffer to the kernel without the way through the queue, which takes what is left.
   * Whatever is wrong with the connection the queue will meet as well, and treat.
   *
   * @return whether nothing is left
   */
  private static boolean sendNow(ByteBuf bytes, Socket socket) {
    try {
      int from = bytes.readerIndex();
      int sent = socket.sendAddress(bytes.memoryAddress(), from, bytes.writerIndex());
      bytes.readerIndex(from + Math.max(0, sent));
    } catch (IOException e) {
      return false;
    }
    if (bytes.isReadable()) {
      return false;
    }
    bytes.release();
    return true;
  }

  /** Whether everything that was flushed is in the hands of the kernel. */
  boolean sent() {
    var buffer = channel.unsafe().outboundBuffer();
    return pending == null && (buffer == null || buffer.isEmpty());
  }

  void drop() {
    if (pending != null) {
      pending.release();
      pending = null;
    }
  }

  private void settle() {
    var now = pending;
    if (now != null) {
      pending = null;
      write(now);
    }
  }

  /** Nobody looks at single writes: one that fails shows as an event of its connection. */
  private void write(ByteBuf bytes) {
    var _ = channel.write(bytes, promise());
  }

  private ChannelPromise promise() {
    return plain ? channel.unsafe().voidPromise() : channel.newPromise();
  }
}
