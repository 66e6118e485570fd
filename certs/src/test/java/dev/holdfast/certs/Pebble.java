package dev.holdfast.certs;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.limits.Time;
import java.io.File;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;

/** A real certificate authority for tests, Debian's pebble, with a DNS server that lies. */
final class Pebble implements AutoCloseable {
  private static final Duration START_WAIT = Duration.ofSeconds(20);
  private static final Random PORTS = new Random();

  final int httpPort = freePort();
  final int tlsPort = freePort();
  final Path roots;
  final URI directory;
  private final Path folder;
  private final Process dns;
  private final Process authority;

  /** Whether both programs are on the path. */
  static boolean installed() {
    return found("pebble") && found("pebble-challtestsrv");
  }

  private static boolean found(String program) {
    return Arrays.stream(System.getenv("PATH").split(File.pathSeparator, -1))
        .anyMatch(folder -> Files.isExecutable(Path.of(folder, program)));
  }

  Pebble(Path folder) throws IOException, InterruptedException {
    this.folder = folder;
    int port = freePort();
    int dnsPort = freePort();
    directory = URI.create("https://localhost:" + port + "/dir");
    roots = folder.resolve("pebble.pem");
    var own = HomeMade.local(Time.system(), "test");
    Files.writeString(roots, own.chain());
    Files.writeString(
        folder.resolve("pebble.key"),
        "-----BEGIN PRIVATE KEY-----\n" + own.key().privateKey() + "\n-----END PRIVATE KEY-----\n");
    Files.writeString(folder.resolve("pebble.json"), config(port));
    dns =
        start(
            "pebble-challtestsrv",
            "-dns01",
            "127.0.0.1:" + dnsPort,
            "-management",
            "127.0.0.1:" + freePort(),
            "-defaultIPv6",
            "",
            "-http01",
            "",
            "-https01",
            "",
            "-tlsalpn01",
            "");
    authority =
        start(
            "pebble",
            "-config",
            folder.resolve("pebble.json").toString(),
            "-dnsserver",
            "127.0.0.1:" + dnsPort);
    awaitListening(port);
    awaitListening(dnsPort);
  }

  private String config(int port) {
    return """
    {"pebble": {"listenAddress": "127.0.0.1:%d", "managementListenAddress": "",
     "certificate": "%s", "privateKey": "%s", "httpPort": %d, "tlsPort": %d,
     "ocspResponderURL": "", "externalAccountBindingRequired": false}}
    """
        .formatted(port, roots, folder.resolve("pebble.key"), httpPort, tlsPort);
  }

  private Process start(String... command) throws IOException {
    var log = folder.resolve(command[0] + ".log").toFile();
    var builder = new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(log);
    builder.environment().put("PEBBLE_VA_NOSLEEP", "1");
    builder.environment().put("PEBBLE_AUTHZREUSE", "0");
    builder.environment().keySet().removeAll(List.of("http_proxy", "https_proxy"));
    return builder.start();
  }

  private void awaitListening(int port) throws IOException, InterruptedException {
    long end = System.nanoTime() + START_WAIT.toNanos();
    while (true) {
      try (var socket = new Socket()) {
        socket.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), 1_000);
        return;
      } catch (IOException e) {
        if (System.nanoTime() > end || !authority.isAlive() || !dns.isAlive()) {
          throw new IOException("pebble does not listen at " + port + ": " + log(), e);
        }
        Thread.sleep(20);
      }
    }
  }

  /** What both programs said. */
  String log() throws IOException {
    var said = new StringBuilder();
    for (var name : List.of("pebble.log", "pebble-challtestsrv.log")) {
      var file = folder.resolve(name);
      said.append(Files.exists(file) ? Files.readString(file, UTF_8) : "");
    }
    return said.toString();
  }

  /** A port that nobody uses, below those that the kernel gives to clients. */
  private static int freePort() {
    for (int i = 0; i < 1_000; i++) {
      int port = 10_000 + PORTS.nextInt(9_000);
      try (var socket = new ServerSocket(port, 1, InetAddress.getLoopbackAddress())) {
        return socket.getLocalPort();
      } catch (IOException e) {
        // somebody has it: the next one
      }
    }
    throw new IllegalStateException("no free port");
  }

  @Override
  public void close() {
    try {
      for (var process : List.of(authority, dns)) {
        assertThat(process.destroyForcibly().waitFor(10, TimeUnit.SECONDS)).isTrue();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
