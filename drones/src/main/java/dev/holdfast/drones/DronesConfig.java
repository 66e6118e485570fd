package dev.holdfast.drones;

import dev.holdfast.limits.Backoff;
import dev.holdfast.limits.Check;
import java.time.Duration;

/**
 * The pool's bounds and the times of a process's life. Immutable.
 *
 * @param drones how many processes may run on this machine at a time
 * @param portFirst first port that is given to a process
 * @param portLast last port that is given to a process; the range is a ring
 * @param portRest how long a port rests after every edge forgot it
 * @param bootTimeout how long a web process may take until it answers (R10)
 * @param healthTimeout how long one health check may take
 * @param drainTimeout how long requests under way may take at the end of an instance
 * @param stopTimeout time between SIGTERM and SIGKILL (R12)
 * @param releaseTimeout how long a release command may take
 * @param stableAfter how long a process must be up until its crashes are forgotten
 * @param launchesMax how many processes are unpacked and started at a time
 * @param releasesKept how many releases of an app are kept to roll back to
 * @param appsMax how many apps there may be
 * @param ownersProven whether who listens on a port has to be the process that was given it; only
 *     drills switch this off
 * @param crashesPaced whether what crashes again and again is started ever more slowly; only drills
 *     switch this off
 */
public record DronesConfig(
    int drones,
    int portFirst,
    int portLast,
    Duration portRest,
    Duration bootTimeout,
    Duration healthTimeout,
    Duration drainTimeout,
    Duration stopTimeout,
    Duration releaseTimeout,
    Duration stableAfter,
    int launchesMax,
    int releasesKept,
    int appsMax,
    boolean ownersProven,
    boolean crashesPaced) {

  /** When a crashed process is tried again: at once, then ever more slowly, for ever. */
  static final Backoff CRASH_BACKOFF =
      Backoff.steps(
          0.2,
          Duration.ZERO,
          Duration.ofSeconds(10),
          Duration.ofSeconds(30),
          Duration.ofMinutes(1),
          Duration.ofMinutes(2),
          Duration.ofMinutes(5),
          Duration.ofMinutes(10),
          Duration.ofMinutes(20));

  private static final Backoff AT_ONCE = Backoff.steps(0, Duration.ZERO);

  /** A pool with its defences. */
  public DronesConfig(
      int drones,
      int portFirst,
      int portLast,
      Duration portRest,
      Duration bootTimeout,
      Duration healthTimeout,
      Duration drainTimeout,
      Duration stopTimeout,
      Duration releaseTimeout,
      Duration stableAfter,
      int launchesMax,
      int releasesKept,
      int appsMax) {
    this(
        drones,
        portFirst,
        portLast,
        portRest,
        bootTimeout,
        healthTimeout,
        drainTimeout,
        stopTimeout,
        releaseTimeout,
        stableAfter,
        launchesMax,
        releasesKept,
        appsMax,
        true,
        true);
  }

  /** Refuses a pool that could not hold what it must. */
  public DronesConfig {
    Check.that(drones >= 1 && drones <= 10_000, "drones", drones, "1 to 10000");
    Check.that(
        portFirst >= 1024 && portFirst <= portLast, "portFirst", portFirst, "1024 to " + portLast);
    Check.that(portLast <= 32_767, "portLast", portLast, "at most 32767, below outgoing ports");
    Check.that(
        portLast - portFirst + 1 >= 2 * drones,
        "ports",
        portLast - portFirst + 1,
        "at least two for each of " + drones + " drones, since ports rest");
    Check.that(bootTimeout.isPositive(), "bootTimeout", bootTimeout, "> 0");
    Check.that(healthTimeout.isPositive(), "healthTimeout", healthTimeout, "> 0");
    Check.that(launchesMax >= 1, "launchesMax", launchesMax, ">= 1");
    Check.that(releasesKept >= 2, "releasesKept", releasesKept, ">= 2");
    Check.that(appsMax >= 1, "appsMax", appsMax, ">= 1");
  }

  /** 100 drones on ports 20000 to 29999; 90 s to boot, 30 s to drain, 30 s to stop. */
  public static DronesConfig defaults() {
    return new DronesConfig(
        100,
        20_000,
        29_999,
        Duration.ofSeconds(30),
        Duration.ofSeconds(90),
        Duration.ofSeconds(5),
        Duration.ofSeconds(30),
        Duration.ofSeconds(30),
        Duration.ofHours(1),
        Duration.ofMinutes(10),
        4,
        50,
        1_000);
  }

  /** The same without defences, as drills want it. */
  public DronesConfig undefended(boolean owners, boolean crashes) {
    return new DronesConfig(
        drones,
        portFirst,
        portLast,
        portRest,
        bootTimeout,
        healthTimeout,
        drainTimeout,
        stopTimeout,
        releaseTimeout,
        stableAfter,
        launchesMax,
        releasesKept,
        appsMax,
        ownersProven && !owners,
        crashesPaced && !crashes);
  }

  /** When a crashed process is tried again. */
  Backoff crashBackoff() {
    return crashesPaced ? CRASH_BACKOFF : AT_ONCE;
  }
}
