package dev.holdfast.edge;

import dev.holdfast.limits.Time;
import io.netty.channel.EventLoop;
import java.io.IOException;
import java.lang.System.Logger.Level;
import java.net.ConnectException;
import java.net.InetAddress;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Whether a new connection reached the instance that it is for, and not a process that took the
 * port of one that ended. Asked before a byte is sent on it. The socket that listens was proven
 * once for each instance and is known by its inode then, so a proof is a question to the kernel;
 * only a socket that is new costs a look at the processes. What this machine does not run is
 * believed. Thread-safe.
 */
final class Proofs implements AutoCloseable {
  private static final System.Logger LOG = System.getLogger(Edge.class.getName());

  /** Looks at one port while sockets there come and go. */
  private static final int LOOKS_MAX = 3;

  /** Why a connection is not used. */
  static final class StrangerException extends ConnectException {
    private static final long serialVersionUID = 1;

    StrangerException(Target target) {
      super(
          "port %d is held by another process than %s of %s (expected: its own)"
              .formatted(target.port(), target.id(), target.service()));
    }
  }

  /** How long a socket counts as a stranger's before the processes are looked at again. */
  private static final long STRANGE_NANOS = TimeUnit.SECONDS.toNanos(1);

  private final Owners owners;
  private final Time time;
  private final @Nullable SocketDiag diag;
  private final LongAdder strangers = new LongAdder();

  private Proofs(Owners owners, Time time, @Nullable SocketDiag diag) {
    this.owners = owners;
    this.time = time;
    this.diag = diag;
  }

  /** Proofs by what those owners know. */
  @SuppressWarnings("ReferenceEquality") // there is one of it
  static Proofs of(Owners owners, Time time) {
    if (owners == Owners.NONE) {
      return new Proofs(owners, time, null);
    }
    try {
      return new Proofs(owners, time, SocketDiag.open());
    } catch (IOException | RuntimeException | LinkageError e) {
      LOG.log(
          Level.WARNING,
          "connections to apps cannot be proven to reach them, the kernel does not say who"
              + " listens; health checks go on: "
              + e);
      return new Proofs(owners, time, null);
    }
  }

  /** Connections that were given up because a stranger had taken them. */
  long strangers() {
    return strangers.sum();
  }

  /**
   * Whether what is connected to that address may be used; told on the event loop, at once when the
   * socket is a known one.
   */
  void prove(Gauge gauge, InetAddress address, EventLoop loop, Consumer<Boolean> then) {
    var asked = diag;
    if (asked == null || !applies(gauge.target, address)) {
      then.accept(true);
      return;
    }
    if (known(asked, gauge, address)) {
      then.accept(true);
      return;
    }
    Thread.ofVirtual()
        .name("edge-proof")
        .start(() -> {
          boolean own = look(asked, gauge, address);
          loop.execute(() -> then.accept(own));
        });
  }

  /** The same for whoever may wait. */
  boolean proven(Gauge gauge, InetAddress address) {
    var asked = diag;
    return asked == null || !applies(gauge.target, address) || look(asked, gauge, address);
  }

  private static boolean applies(Target target, InetAddress address) {
    return !target.service().isEmpty() && address.isLoopbackAddress();
  }

  private static boolean known(SocketDiag diag, Gauge gauge, InetAddress address) {
    long socket = gauge.ownSocket;
    try {
      return socket != 0 && diag.listener(address, gauge.target.port()) == socket;
    } catch (IOException e) {
      return false; // the long way finds out
    }
  }

  /** One look at a time for each instance: who waited finds what the first one found. */
  private boolean look(SocketDiag diag, Gauge gauge, InetAddress address) {
    gauge.proving.lock();
    try {
      for (int i = 0; i < LOOKS_MAX; i++) {
        long socket = diag.listener(address, gauge.target.port());
        if (socket == 0) {
          break;
        }
        if (socket == gauge.ownSocket) {
          return true;
        }
        if (socket == gauge.strangeSocket && time.nanos() - gauge.strangeUntilNanos < 0) {
          break;
        }
        var target = gauge.target;
        var holder = owners.holder(target.service(), target.id(), target.port());
        if (diag.listener(address, target.port()) != socket) {
          continue; // the answer may be about either
        }
        if (holder != Owners.Holder.STRANGER) {
          gauge.ownSocket = holder == Owners.Holder.ENDPOINT ? socket : 0;
          return true;
        }
        gauge.strangeSocket = socket;
        gauge.strangeUntilNanos = time.nanos() + STRANGE_NANOS;
        LOG.log(Level.WARNING, new StrangerException(target).getMessage());
        break;
      }
      strangers.increment();
      return false;
    } catch (IOException | RuntimeException e) { // out of descriptors, for one
      LOG.log(Level.WARNING, "a connection to " + gauge.target + " is not proven: " + e);
      return true; // as where the kernel never says
    } finally {
      gauge.proving.unlock();
    }
  }

  @Override
  public void close() {
    if (diag != null) {
      diag.close();
    }
  }
}
