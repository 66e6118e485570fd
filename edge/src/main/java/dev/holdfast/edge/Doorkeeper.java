package dev.holdfast.edge;

import dev.holdfast.limits.KnownRod;
import dev.holdfast.limits.RodView;
import io.netty.channel.Channel;
import io.netty.channel.ServerChannelRecvByteBufAllocator;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * Opens and closes the listeners: shut while the machine is short of something, ajar while the
 * control rod {@code connect-rate} is in, when connections come in at its share of the configured
 * rate and the others wait in the kernel's queue. Confined to the event loop of the first listener,
 * but for {@link #open}.
 */
final class Doorkeeper {
  /** Accepts in one go when nothing holds them back. */
  private static final int ACCEPTS_MAX = 16;

  private static final Duration TICK = Duration.ofMillis(20);
  private static final double NANOS_PER_SECOND = 1e9;
  private static final double BURST_SECONDS = 0.1;

  private final Shared shared;
  private final List<Channel> doors;
  private final ServerChannelRecvByteBufAllocator accepts;
  private volatile boolean open = true;
  private boolean ajar;
  private double credit;
  private long lastNanos;
  private long seen;

  Doorkeeper(Shared shared, List<Channel> doors, ServerChannelRecvByteBufAllocator accepts) {
    this.shared = shared;
    this.doors = doors;
    this.accepts = accepts;
  }

  /** What listeners accept with. */
  static ServerChannelRecvByteBufAllocator accepts() {
    var accepts = new ServerChannelRecvByteBufAllocator();
    accepts.maxMessagesPerRead(ACCEPTS_MAX);
    return accepts;
  }

  void start() {
    var _ =
        doors
            .getFirst()
            .eventLoop()
            .scheduleAtFixedRate(this::tick, 0, TICK.toNanos(), TimeUnit.NANOSECONDS);
  }

  /** Whether new connections may come in at all; from any thread. */
  void open(boolean may) {
    open = may;
    doors.getFirst().eventLoop().execute(() -> autoRead(may && !ajar));
  }

  private void autoRead(boolean on) {
    doors.stream().filter(Channel::isOpen).forEach(door -> door.config().setAutoRead(on));
  }

  private void tick() {
    var rods = shared.rods.get();
    if (!ajar && !rods.has(KnownRod.CONNECT_RATE)) {
      return;
    }
    var rod = rods.find(KnownRod.CONNECT_RATE, shared.time.now().toEpochMilli());
    if (rod != null) {
      pace(rod);
    } else if (ajar) {
      ajar = false;
      accepts.maxMessagesPerRead(ACCEPTS_MAX);
      autoRead(open);
    }
  }

  private void pace(RodView.Inserted rod) {
    long now = shared.time.nanos();
    long accepted = shared.accepted.get();
    if (!ajar) {
      ajar = true;
      credit = 0;
      lastNanos = now;
      seen = accepted;
      autoRead(false);
    }
    double perSecond =
        (double) shared.config.admission().connect().perSecond() * rod.level() / KnownRod.WHOLE;
    credit += perSecond * (now - lastNanos) / NANOS_PER_SECOND;
    credit = Math.min(credit, Math.max(1, perSecond * BURST_SECONDS)) - (accepted - seen);
    for (; seen < accepted; seen++) {
      rod.felt();
    }
    lastNanos = now;
    if (open && credit >= 1) {
      accepts.maxMessagesPerRead(Math.max(1, Math.min(ACCEPTS_MAX, (int) credit / doors.size())));
      doors.stream().filter(Channel::isOpen).forEach(Channel::read);
    }
  }
}
