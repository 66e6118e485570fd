package dev.holdfast.edge;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.List;

/** An edge on a free port of the loopback with waits that a test can sit out. */
final class TestConfig {
  InetSocketAddress listen = new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
  Duration connectTimeout = Duration.ofSeconds(2);
  Duration firstByteTimeout = Duration.ofSeconds(8);
  Duration idleTimeout = Duration.ofSeconds(8);
  Duration bootWait = Duration.ofSeconds(8);
  Duration clientIdleTimeout = Duration.ofSeconds(8);
  Duration upstreamIdleTimeout = Duration.ofSeconds(4);
  Duration drainWait = Duration.ofMillis(300);
  int connectTriesMax = 10;
  int connectionsMax = 1000;
  int waitingMax = 100;
  int requestsPerEndpointMax = 200;
  int eventLoops = 2;
  boolean startsTraces;
  boolean json;
  List<AccessLogConfig.Sink> sinks = List.of();
  EdgeConfig.Drain drain = new EdgeConfig.Drain(100_000, Duration.ofMillis(300));
  EdgeConfig.Pause pause = EdgeConfig.Pause.defaults();
  AdmissionConfig admission = AdmissionConfig.defaults().withAll(Limiter.Mode.OFF);

  /** Waits longer than any test, so that only a policy can end what is silent. */
  static TestConfig patient() {
    var config = new TestConfig();
    config.idleTimeout = Duration.ofSeconds(60);
    config.firstByteTimeout = Duration.ofSeconds(60);
    config.clientIdleTimeout = Duration.ofSeconds(60);
    return config;
  }

  EdgeConfig build() {
    var defaults = EdgeConfig.defaults();
    return new EdgeConfig(
        listen,
        eventLoops,
        defaults.transport(),
        defaults.httpsPort(),
        connectTimeout,
        firstByteTimeout,
        idleTimeout,
        bootWait,
        clientIdleTimeout,
        upstreamIdleTimeout,
        drainWait,
        connectTriesMax,
        defaults.requestLineBytesMax(),
        defaults.headerLineBytesMax(),
        defaults.headersMax(),
        defaults.headBytesMax(),
        connectionsMax,
        waitingMax,
        requestsPerEndpointMax,
        defaults.idlePerEndpointMax(),
        defaults.idlePerLoopMax(),
        defaults.writeBufferLowBytes(),
        defaults.writeBufferHighBytes(),
        new AccessLogConfig(
            defaults.accessLog().lanes(),
            Duration.ofMillis(5),
            json ? AccessLogConfig.Format.JSON : AccessLogConfig.Format.LOGFMT,
            1,
            100_000,
            sinks),
        admission,
        true,
        startsTraces,
        drain,
        pause);
  }
}
