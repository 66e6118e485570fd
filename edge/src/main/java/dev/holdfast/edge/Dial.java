package dev.holdfast.edge;

import dev.holdfast.limits.Backoff;
import dev.holdfast.limits.Time;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * When to try to reach a host again, and its address, which is looked up beside the caller so that
 * a slow name server holds up nobody. Confined to one thread.
 */
final class Dial {
  private static final Backoff TRIES =
      Backoff.fullJitter(Duration.ofMillis(500), Duration.ofSeconds(30));

  private final String host;
  private final int port;
  private final Time time;
  private int failures;
  private long nextNanos;
  private boolean asked;
  private volatile @Nullable InetSocketAddress found;
  private volatile boolean answered;

  Dial(String host, int port, Time time) {
    this.host = host;
    this.port = port;
    this.time = time;
    nextNanos = time.nanos();
  }

  /** The address to connect to now, or null when it is not time or not known yet. */
  @Nullable InetSocketAddress due() {
    if (time.nanos() - nextNanos < 0) {
      return null;
    }
    if (!asked) {
      asked = true;
      answered = false;
      var _ = Thread.ofVirtual().start(this::resolve);
      return null;
    }
    if (!answered) {
      return null;
    }
    asked = false;
    var address = found;
    if (address == null) {
      failed();
    }
    return address;
  }

  private void resolve() {
    try {
      found = new InetSocketAddress(InetAddress.getByName(host), port);
    } catch (UnknownHostException e) {
      found = null; // counts as a failed try
    }
    answered = true;
  }

  void failed() {
    failures++;
    nextNanos = time.nanos() + TRIES.delay(failures, time.random()).toNanos();
  }

  void reached() {
    failures = 0;
  }
}
