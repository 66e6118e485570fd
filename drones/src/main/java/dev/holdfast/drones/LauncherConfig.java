package dev.holdfast.drones;

import dev.holdfast.limits.Check;
import java.time.Duration;

/**
 * How the launcher treats processes. Immutable.
 *
 * @param uidFirst user of drone 0 when the server is root; drone n has user {@code uidFirst + n}
 * @param startWait how long a wrapper may take to start its app
 * @param killWait how long to wait until every killed process is gone
 * @param watchEvery how often an adopted run, which is no child of this server, is looked at
 */
public record LauncherConfig(
    int uidFirst, Duration startWait, Duration killWait, Duration watchEvery) {

  /** Refuses system users and waits that would spin. */
  public LauncherConfig {
    Check.that(
        uidFirst >= 1000 && uidFirst <= 2_147_000_000, "uidFirst", uidFirst, "1000 to 2147000000");
    Check.that(startWait.isPositive(), "startWait", startWait, "> 0");
    Check.that(killWait.isPositive(), "killWait", killWait, "> 0");
    Check.that(watchEvery.toMillis() >= 1, "watchEvery", watchEvery, ">= 1 ms");
  }

  /** Users from 20000 on; 10 s to start, 10 s to die, a look at adopted runs every 100 ms. */
  public static LauncherConfig defaults() {
    return new LauncherConfig(
        20_000, Duration.ofSeconds(10), Duration.ofSeconds(10), Duration.ofMillis(100));
  }

  /** The same with another wait for the start. */
  public LauncherConfig withStartWait(Duration wait) {
    return new LauncherConfig(uidFirst, wait, killWait, watchEvery);
  }

  /** The same with other users. */
  public LauncherConfig withUidFirst(int uid) {
    return new LauncherConfig(uid, startWait, killWait, watchEvery);
  }
}
