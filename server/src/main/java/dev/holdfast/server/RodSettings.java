package dev.holdfast.server;

import dev.holdfast.edge.EdgeConfig;
import dev.holdfast.limits.Check;
import dev.holdfast.limits.RodsConfig;
import java.util.List;

/** What the operator set about control rods. Immutable. */
record RodSettings(ServerConfig config) {
  static final ServerConfig.Key TTL =
      new ServerConfig.Key("rods.ttl", "1h", "How long a control rod is in when nobody says.");
  static final ServerConfig.Key TTL_MAX =
      new ServerConfig.Key(
          "rods.ttl-max",
          "24h",
          "Longest time that may be said; beyond it only `forever`, with a reason.");
  static final ServerConfig.Key RULES =
      new ServerConfig.Key(
          "rods.rules",
          "on",
          "`on`: the platform denies deploys, but not rollbacks, while its ledger, its disk, its "
              + "pool or its stream cannot take them. `off`: it does not.");
  static final ServerConfig.Key DISK_FREE =
      new ServerConfig.Key(
          "rods.disk-free-min",
          "134217728",
          "Free bytes of the home's disk below which the rule `disk` denies deploys; it stops at "
              + "twice as many.");
  static final ServerConfig.Key PAUSE_MAX =
      new ServerConfig.Key(
          "edge.pause-max", "1000", "Requests that the rod `pause` holds at a time.");
  static final ServerConfig.Key PAUSE_WAIT =
      new ServerConfig.Key(
          "edge.pause-wait", "30s", "How long it holds each, at most `30m`; then 503.");
  static final ServerConfig.Key PAUSE_RATE =
      new ServerConfig.Key(
          "edge.pause-rate",
          "200",
          "Requests a second that go on when it is lifted, 1 to 100000; the edge's event loops "
              + "share it.");

  RodsConfig rods() {
    return new RodsConfig(
        config.duration(TTL), config.duration(TTL_MAX), RodsConfig.defaults().drilledWithin());
  }

  boolean rules() {
    var value = config.value(RULES);
    Check.that(List.of("on", "off").contains(value), RULES.name(), value, "on or off");
    return value.equals("on");
  }

  long diskFreeMin() {
    return config.bytes(DISK_FREE);
  }

  EdgeConfig.Pause pause() {
    return new EdgeConfig.Pause(
        config.integer(PAUSE_MAX), config.duration(PAUSE_WAIT), config.integer(PAUSE_RATE));
  }

  /** Reads every value once. */
  void check() {
    rods();
    rules();
    diskFreeMin();
    pause();
  }
}
