package dev.holdfast.cli;

import java.time.Duration;
import java.time.Instant;
import java.util.HexFormat;
import java.util.random.RandomGenerator;

/** The command's only door to clock, waiting and chance. */
interface Pace {

  /** The time of day. */
  Instant now();

  /**
   * Waits.
   *
   * @throws InterruptedException when the thread is asked to end
   */
  void rest(Duration duration) throws InterruptedException;

  /** A source of chance. */
  RandomGenerator random();

  /** A key that no other request has, for the Idempotency-Key header: 128 random bits. */
  default String requestKey() {
    byte[] bytes = new byte[16];
    random().nextBytes(bytes);
    return HexFormat.of().formatHex(bytes);
  }

  /** The machine's own. */
  static Pace system() {
    return new SystemPace();
  }
}
