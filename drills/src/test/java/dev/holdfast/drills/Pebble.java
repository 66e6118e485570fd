package dev.holdfast.drills;

import java.io.File;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;

/**
 * Debian's pebble, a real certificate authority for tests, for which every name is this machine.
 */
final class Pebble implements AutoCloseable {
  private static final Duration START_WAIT = Duration.ofSeconds(20);
  private static final Random PORTS = new Random();

  final int port = freePort();
  private final Path folder;
  private final Process dns;
  private final Process authority;

  /** Whether both programs are on the path. */
  static boolean installed() {
    return List.of("pebble", "pebble-challtestsrv").stream().allMatch(Pebble::found);
  }

  static boolean found(String program) {
    return Arrays.stream(System.getenv("PATH").split(File.pathSeparator, -1))
        .anyMatch(folder -> Files.isExecutable(Path.of(folder, program)));
  }

  /** One that proves hosts at that port. */
  Pebble(Path folder, TestKey key, int httpPort) throws IOException, InterruptedException {
    this.folder = folder;
    int dnsPort = freePort();
    var config = folder.resolve("pebble.json");
    Files.writeString(
        config,
        """
        {"pebble": {"listenAddress": "127.0.0.1:%d", "managementListenAddress": "",
         "certificate": "%s", "privateKey": "%s", "httpPort": %d, "tlsPort": 1,
         "ocspResponderURL": "", "externalAccountBindingRequired": false}}
        """
            .formatted(port, key.certificate(), key.key(), httpPort));
    var off = new String[] {"-http01", "", "-https01", "", "-tlsalpn01", "", "-defaultIPv6", ""};
    var command = new String[off.length + 5];
    command[0] = "pebble-challtestsrv";
    command[1] = "-dns01";
    command[2] = "127.0.0.1:" + dnsPort;
    command[3] = "-management";
    command[4] = "127.0.0.1:" + freePort();
    System.arraycopy(off, 0, command, 5, off.length);
    dns = start(command);
    authority = start("pebble", "-config", config.toString(), "-dnsserver", "127.0.0.1:" + dnsPort);
    awaitListening(port);
    awaitListening(dnsPort);
  }

  private Process start(String... command) throws IOException {
    var log = folder.resolve(command[0] + ".log").toFile();
    var builder = new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(log);
    builder.environment().put("PEBBLE_VA_NOSLEEP", "1");
    builder.environment().put("PEBBLE_AUTHZREUSE", "0");
    builder.environment().put("PEBBLE_WFE_NONCEREJECT", "0");
    builder.environment().keySet().removeAll(List.of("http_proxy", "https_proxy"));
    return builder.start();
  }

  private void awaitListening(int at) throws IOException, InterruptedException {
    long end = System.nanoTime() + START_WAIT.toNanos();
    while (true) {
      try (var socket = new Socket()) {
        socket.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), at), 1_000);
        return;
      } catch (IOException e) {
        if (System.nanoTime() > end || !authority.isAlive() || !dns.isAlive()) {
          throw new IOException("pebble does not listen at " + at + ": " + log(), e);
        }
        Thread.sleep(20);
      }
    }
  }

  /** What it said. */
  String log() throws IOException {
    return Files.readString(folder.resolve("pebble.log"));
  }

  /** A port that nobody uses, below those that the kernel gives to clients. */
  static int freePort() {
    for (int i = 0; i < 1_000; i++) {
      try (var socket =
          new ServerSocket(30_000 + PORTS.nextInt(2_700), 1, InetAddress.getLoopbackAddress())) {
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
        if (!process.destroyForcibly().waitFor(10, TimeUnit.SECONDS)) {
          throw new IllegalStateException("pebble does not end");
        }
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
