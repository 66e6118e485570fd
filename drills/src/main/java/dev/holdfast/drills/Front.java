package dev.holdfast.drills;

import java.net.InetSocketAddress;

/**
 * What stands between visitors and the app. Immutable.
 *
 * @param visitors where visitors connect to
 * @param control where operators ask for the platform's health
 */
record Front(InetSocketAddress visitors, InetSocketAddress control) {
  /** The host name by which visitors ask for the app. */
  static final String HOST = "app.drill.test";

  static final String HEALTH = "/v1/health";

  /** Nothing: visitors reach the app itself, which then has to defend itself. */
  static Front none(TestApp app) {
    return new Front(app.address(), app.address());
  }
}
