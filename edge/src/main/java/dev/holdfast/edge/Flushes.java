package dev.holdfast.edge;

import io.netty.channel.EventLoop;

/**
 * What an event loop has ready to send when it has looked at everything that came: sends one after
 * the other find the kernel's code in the cache and let whoever receives them stay awake. Bounded,
 * so that the first does not wait for many. Confined to its event loop.
 */
final class Flushes implements Runnable {
  /** So many wait at most. */
  static final int MAX = 64;

  private final EventLoop eventLoop;
  private final Outgoing[] waiting = new Outgoing[MAX];
  private int count;

  Flushes(EventLoop eventLoop) {
    this.eventLoop = eventLoop;
  }

  /** Flushes that connection before the event loop waits again. */
  void add(Outgoing outgoing) {
    if (count == MAX) {
      run();
    }
    if (count == 0) {
      eventLoop.execute(this);
    }
    waiting[count++] = outgoing;
  }

  @Override
  public void run() {
    for (int i = 0; i < count; i++) {
      try {
        waiting[i].flushNow();
      } catch (RuntimeException e) {
        Shared.bug("a connection could not be flushed", e); // the others have their turn
      }
    }
    count = 0;
  }
}
