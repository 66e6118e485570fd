package dev.holdfast.edge;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.ReentrantLock;

/** What the edge knows by experience of one target, over all event loops. Thread-safe. */
final class Gauge {
  final Target target;
  final long bornNanos;
  final Quarantine quarantine = new Quarantine();

  /** Held while somebody finds out whose process listens there; see {@link Proofs}. */
  final ReentrantLock proving = new ReentrantLock();

  /** Inode of the socket that was proven to be the target's own, or 0. */
  volatile long ownSocket;

  /** Inode of one that was proven not to be; read and written while {@link #proving}. */
  long strangeSocket;

  long strangeUntilNanos;

  private final AtomicInteger inFlight = new AtomicInteger();
  private final AtomicInteger tunnels = new AtomicInteger();
  private final AtomicInteger connections = new AtomicInteger();
  private final AtomicInteger generation = new AtomicInteger();
  private volatile long avoidUntilNanos;
  private volatile boolean avoided;
  private volatile boolean sick;
  private volatile boolean swept;

  Gauge(Target target, long now) {
    this.target = target;
    bornNanos = now;
  }

  void enter() {
    inFlight.incrementAndGet();
  }

  void leave() {
    inFlight.decrementAndGet();
  }

  void tunnel(int change) {
    tunnels.addAndGet(change);
  }

  void connection(int change) {
    connections.addAndGet(change);
  }

  /** Connections that are open, idle ones counted; of HTTP/2 none are. */
  int connections() {
    return connections.get();
  }

  /** Tunnels under way. */
  int tunnels() {
    return tunnels.get();
  }

  /** Requests and tunnels under way. */
  int inFlight() {
    return inFlight.get();
  }

  /** Requests under way; a tunnel waits for nothing and is not one. */
  int requests() {
    return inFlight.get() - tunnels.get();
  }

  /** Connections of an older generation are not used again. */
  int generation() {
    return generation.get();
  }

  void forget() {
    generation.incrementAndGet();
  }

  /** Others are preferred until that time. */
  void avoidUntil(long nanos) {
    avoidUntilNanos = nanos;
    avoided = true;
  }

  void reached() {
    if (avoided) {
      avoided = false;
    }
  }

  boolean avoided(long now) {
    return avoided && avoidUntilNanos - now > 0;
  }

  /** Whether it failed its health check; see {@link Checkups}. */
  boolean sick() {
    return sick;
  }

  void sick(boolean isSick) {
    sick = isSick;
  }

  /** Whether it was taken out of the map, so that whoever holds it has to ask for another. */
  boolean swept() {
    return swept;
  }

  void sweep() {
    swept = true;
  }
}
