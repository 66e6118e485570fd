package dev.holdfast.server;

import dev.holdfast.edge.AccessLogConfig;
import dev.holdfast.edge.AccessLogConfig.Sink;
import dev.holdfast.edge.AdmissionConfig;
import dev.holdfast.edge.EdgeConfig;
import dev.holdfast.edge.FrontConfig;
import dev.holdfast.edge.Limiter;
import dev.holdfast.limits.Check;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** What the operator set about the edge, in the edge's own terms. Immutable. */
record EdgeSettings(ServerConfig config) {
  private static final String AUTO = "auto";
  private static final String OFF = "off";
  private static final String NONE = "none";
  private static final String FILE = "file:";
  private static final String UNIX = "syslog:unix:";
  private static final String UDP = "syslog:udp:";
  private static final String TCP = "syslog:tcp:";
  private static final long FILE_BYTES_MAX = 64L * 1024 * 1024;
  private static final int FILES_KEPT = 5;

  EdgeConfig edge() {
    return EdgeConfig.of(
        new EdgeConfig.Choices(
            config.listen(ServerConfig.HTTP).socket(),
            eventLoops(),
            choice(ServerConfig.EDGE_TRANSPORT, List.of(AUTO, "epoll", "nio", "io_uring")),
            httpsPort(),
            config.integer(ServerConfig.EDGE_CONNECTIONS),
            accessLog(),
            AdmissionConfig.in(
                Limiter.Mode.valueOf(
                    choice(ServerConfig.EDGE_ADMISSION, List.of(OFF, "observe", "enforce"))
                        .toUpperCase(Locale.ROOT))),
            choice(ServerConfig.EDGE_RETRY_BUDGET, List.of("on", OFF)).equals("on"),
            choice(ServerConfig.EDGE_TRACES, List.of("follow", "begin")).equals("begin"),
            new EdgeConfig.Drain(
                config.integer(ServerConfig.EDGE_DRAIN_RATE),
                config.duration(ServerConfig.EDGE_DRAIN_MAX)),
            new RodSettings(config).pause()));
  }

  FrontConfig front() {
    var proxies = list(ServerConfig.EDGE_PROXIES);
    boolean announced = choice(ServerConfig.EDGE_PROXY_PROTOCOL, List.of("on", OFF)).equals("on");
    boolean any = announced && !proxies.isEmpty();
    return FrontConfig.defaults().withTlsListen(https()).withProxies(any, any, proxies);
  }

  private int eventLoops() {
    return config.value(ServerConfig.EDGE_LOOPS).equals(AUTO)
        ? EdgeConfig.defaults().eventLoops()
        : config.integer(ServerConfig.EDGE_LOOPS);
  }

  /** Where TLS is spoken, or null. */
  private @Nullable InetSocketAddress https() {
    var value = config.value(ServerConfig.HTTPS);
    if (value.equals(OFF)) {
      return null;
    }
    if (!value.equals(AUTO)) {
      return config.listen(ServerConfig.HTTPS).socket();
    }
    var http = config.listen(ServerConfig.HTTP);
    return http.port() == EdgeConfig.PORT
        ? new Listen(http.host(), FrontConfig.TLS_PORT).socket()
        : null;
  }

  private int httpsPort() {
    var https = https();
    return https == null ? EdgeConfig.HTTPS_PORT : https.getPort();
  }

  private AccessLogConfig accessLog() {
    var format = choice(ServerConfig.EDGE_ACCESS_LOG_FORMAT, List.of("logfmt", "json"));
    var sinks = new ArrayList<Sink>();
    for (var item : list(ServerConfig.EDGE_ACCESS_LOG)) {
      sinks.add(sink(item));
    }
    return AccessLogConfig.defaults()
        .withSinks(AccessLogConfig.Format.valueOf(format.toUpperCase(Locale.ROOT)), sinks)
        .withSample(config.integer(ServerConfig.EDGE_ACCESS_LOG_SAMPLE));
  }

  private static Sink sink(String item) {
    if (item.equals("stdout")) {
      return new Sink.Stdout();
    }
    if (item.startsWith(FILE) && item.length() > FILE.length()) {
      var path = Path.of(item.substring(FILE.length()));
      return new Sink.File(path, FILE_BYTES_MAX, FILES_KEPT);
    }
    if (item.startsWith(UNIX) && item.length() > UNIX.length()) {
      return new Sink.SyslogUnix(Path.of(item.substring(UNIX.length())));
    }
    if (item.startsWith(UDP)) {
      var at = Listen.parse(ServerConfig.EDGE_ACCESS_LOG.name(), item.substring(UDP.length()));
      return new Sink.SyslogUdp(at.host(), at.port());
    }
    if (item.startsWith(TCP)) {
      var at = Listen.parse(ServerConfig.EDGE_ACCESS_LOG.name(), item.substring(TCP.length()));
      return new Sink.SyslogTcp(at.host(), at.port());
    }
    throw new IllegalArgumentException(
        Check.message(
            ServerConfig.EDGE_ACCESS_LOG.name(),
            item,
            "none, stdout, file:PATH, syslog:unix:PATH, syslog:udp:HOST:PORT or"
                + " syslog:tcp:HOST:PORT"));
  }

  private List<String> list(ServerConfig.Key key) {
    var value = config.value(key);
    return value.equals(NONE)
        ? List.of()
        : Arrays.stream(value.split(",", -1)).map(String::strip).toList();
  }

  private String choice(ServerConfig.Key key, List<String> choices) {
    var value = config.value(key);
    Check.that(choices.contains(value), key.name(), value, "one of " + choices);
    return value;
  }
}
