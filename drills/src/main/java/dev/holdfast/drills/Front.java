package dev.holdfast.drills;

import java.net.InetSocketAddress;
import java.time.Duration;

/**
 * What stands between visitors and the app. Immutable.
 *
 * @param visitors where visitors connect to
 * @param control where operators ask for the platform's health
 * @param pid of the platform's process
 */
record Front(InetSocketAddress visitors, InetSocketAddress control, long pid) {
  /** The host name by which visitors ask for the app. */
  static final String HOST = "app.drill.test";

  static final String HEALTH = "/v1/health";

  /** Nothing: visitors reach the app itself, which then has to defend itself. */
  static Front none(TestApp app) {
    return new Front(app.address(), app.address(), ProcessHandle.current().pid());
  }

  /** Processor time that it has used so far. */
  Duration cpu() {
    return ProcessHandle.of(pid)
        .flatMap(process -> process.info().totalCpuDuration())
        .orElse(Duration.ZERO);
  }
}
