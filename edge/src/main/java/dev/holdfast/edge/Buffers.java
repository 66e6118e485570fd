package dev.holdfast.edge;

import io.netty.buffer.AbstractByteBufAllocator;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.UnpooledUnsafeDirectByteBuf;
import io.netty.channel.EventLoop;
import io.netty.util.internal.PlatformDependent;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * One event loop's direct buffers, in two sizes, last in, first out: the memory that was used last
 * is still in the processor's cache and is used next. Everything else, and whatever another thread
 * asks for, comes from Netty's own allocator.
 *
 * <p>Thread-safe, since a buffer may be released by any thread; only those that its event loop
 * gives back are kept.
 */
final class Buffers extends AbstractByteBufAllocator {
  /** Most requests, answers and heads. */
  static final int SMALL_BYTES = 4096;

  /** The largest read. */
  static final int LARGE_BYTES = Loop.READ_BYTES_MAX;

  /** 4 MiB of small ones. */
  static final int SMALL_MAX = 1024;

  /** 4 MiB of large ones. */
  static final int LARGE_MAX = 128;

  private static final ByteBufAllocator OTHERS = ByteBufAllocator.DEFAULT;

  private final EventLoop eventLoop;
  private final Stack small = new Stack(SMALL_BYTES, SMALL_MAX);
  private final Stack large = new Stack(LARGE_BYTES, LARGE_MAX);
  private final AtomicInteger releasedElsewhere = new AtomicInteger();
  private int lent;

  private Buffers(EventLoop eventLoop) {
    super(true);
    this.eventLoop = eventLoop;
  }

  /** Those of that event loop; Netty's own where the memory of a buffer has no address. */
  static ByteBufAllocator of(EventLoop eventLoop) {
    return PlatformDependent.hasUnsafe() ? new Buffers(eventLoop) : OTHERS;
  }

  @Override
  protected ByteBuf newDirectBuffer(int initialCapacity, int maxCapacity) {
    if (initialCapacity > LARGE_BYTES || maxCapacity < LARGE_BYTES || !eventLoop.inEventLoop()) {
      return OTHERS.directBuffer(initialCapacity, maxCapacity);
    }
    lent++;
    return (initialCapacity <= SMALL_BYTES ? small : large).take();
  }

  @Override
  protected ByteBuf newHeapBuffer(int initialCapacity, int maxCapacity) {
    return OTHERS.heapBuffer(initialCapacity, maxCapacity);
  }

  @Override
  public boolean isDirectBufferPooled() {
    return true;
  }

  /** How many buffers are in use; exact when the event loop has ended. */
  int inUse() {
    return lent - releasedElsewhere.get();
  }

  /** Whether a buffer that nobody uses any more is kept. */
  private boolean giveBack(Piece piece) {
    if (!eventLoop.inEventLoop()) {
      releasedElsewhere.incrementAndGet();
      return false;
    }
    lent--;
    return piece.home.give(piece);
  }

  /** Buffers of one size that nobody uses. Confined to the event loop. */
  private final class Stack {
    private final int bytes;
    private final @Nullable Piece[] pieces;
    private int count;

    Stack(int bytes, int max) {
      this.bytes = bytes;
      pieces = new @Nullable Piece[max];
    }

    ByteBuf take() {
      if (count > 0) {
        var piece = pieces[--count];
        pieces[count] = null;
        if (piece != null) {
          return piece.again();
        }
      }
      return new Piece(this);
    }

    boolean give(Piece piece) {
      if (count == pieces.length || piece.capacity() != bytes) {
        return false; // one that grew is not of this size any more
      }
      pieces[count++] = piece;
      return true;
    }
  }

  /** A buffer that goes back to where it came from. */
  private final class Piece extends UnpooledUnsafeDirectByteBuf {
    private final Stack home;

    Piece(Stack home) {
      super(Buffers.this, home.bytes, Integer.MAX_VALUE);
      this.home = home;
    }

    Piece again() {
      resetRefCnt();
      clear();
      return this;
    }

    @Override
    protected void deallocate() {
      if (!giveBack(this)) {
        super.deallocate();
      }
    }
  }
}
