package dev.holdfast.drills;

import dev.holdfast.limits.Check;
import dev.holdfast.limits.Deadline;
import dev.holdfast.limits.Time;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.json.JsonMapper;

/**
 * A platform on a home directory, in a process of its own, that can be killed and started again.
 * Confined to the drill's thread.
 */
final class Victim implements AutoCloseable {
  // Below the ports that drones get, and another place for each drill that runs beside this one.
  private static final int HTTP_FROM = 11_000;
  private static final int API_FROM = 15_000;
  private static final int SPREAD = (int) (ProcessHandle.current().pid() % 2_900);
  private static final AtomicInteger MADE = new AtomicInteger();
  private static final int MADE_MAX = 100;
  private static final int PORTS_EACH = 3;
  private static final Duration UP_WAIT = Duration.ofSeconds(60);
  private static final int END_WAIT_SECONDS = 40;
  private static final Duration LOOK_AGAIN = Duration.ofMillis(10);

  private final Path home;
  private final Time time;
  private final String http;
  private final String api;
  private final Map<String, String> environment;
  private final List<String> flags;
  private @Nullable Process process;

  Victim(Path home, Time time) throws IOException {
    this(home, time, Map.of(), List.of("-Xmx256m"));
  }

  /** One with settings of its own, which are ignored by a platform that does not know them. */
  Victim(Path home, Time time, Map<String, String> environment, List<String> flags)
      throws IOException {
    this.environment = environment;
    this.flags = flags;
    this.home = home;
    this.time = time;
    // Not all of them listen on both, so that a free port may be spoken for.
    int apart = MADE.getAndIncrement() % MADE_MAX * PORTS_EACH;
    http = "127.0.0.1:" + freePort(HTTP_FROM + SPREAD + apart);
    api = "127.0.0.1:" + freePort(API_FROM + SPREAD + apart);
  }

  /** Port of the edge for plain HTTP. */
  int httpPort() {
    return Integer.parseInt(http.substring(http.lastIndexOf(':') + 1));
  }

  /** Starts the platform and waits until it says that it serves. */
  void start() throws IOException, InterruptedException {
    launch();
    if (!up(UP_WAIT)) {
      throw new IOException(
          "the platform did not start: " + Files.readString(home.resolveSibling("platform.log")));
    }
  }

  /** Whether it says that it serves within that time. */
  boolean up(Duration wait) throws InterruptedException {
    var deadline = Deadline.after(time, wait);
    while (!Files.exists(home.resolve("up.json"))) {
      if (!isAlive() || deadline.passed()) {
        return false;
      }
      time.sleep(LOOK_AGAIN);
    }
    return true;
  }

  /** Starts the platform. */
  void launch() throws IOException {
    Files.deleteIfExists(home.resolve("up.json"));
    var command = new ArrayList<>(List.of(java(), "-XX:+UseSerialGC"));
    command.addAll(flags);
    command.addAll(
        List.of(
            "--enable-native-access=ALL-UNNAMED",
            "--sun-misc-unsafe-memory-access=allow",
            "-cp",
            System.getProperty("java.class.path"),
            "dev.holdfast.server.Main",
            "up",
            "--home",
            home.toString(),
            "--http",
            http,
            "--api",
            api));
    var builder = new ProcessBuilder(command).redirectErrorStream(true);
    builder.redirectOutput(
        ProcessBuilder.Redirect.appendTo(home.resolveSibling("platform.log").toFile()));
    builder.environment().keySet().removeIf(name -> name.startsWith("HOLDFAST_"));
    builder.environment().putAll(environment);
    process = builder.start();
  }

  Path home() {
    return home;
  }

  /** Address of the API, whether it answers or not. */
  String api() {
    return "http://" + api;
  }

  /** Ends the platform's process at once, as the kernel does it, and nothing else. */
  void kill() throws InterruptedException {
    var running = process;
    if (running != null) {
      running.destroyForcibly().waitFor();
    }
  }

  /** Ends the platform's process at once, and with it every process that it started. */
  void killWithChildren() throws InterruptedException {
    var running = process;
    if (running != null) {
      var children = running.descendants().toList();
      kill();
      children.forEach(ProcessHandle::destroyForcibly);
    }
  }

  /** Stops the platform's process, as a machine does that hangs; {@link #resume} ends it. */
  void pause() throws IOException, InterruptedException {
    signal("STOP");
  }

  /** Lets a process go on that was stopped. */
  void resume() throws IOException, InterruptedException {
    signal("CONT");
  }

  private void signal(String name) throws IOException, InterruptedException {
    var pid = Long.toString(running().pid());
    int status = new ProcessBuilder("kill", "-" + name, pid).inheritIO().start().waitFor();
    Check.that(status == 0, "kill -" + name + " " + pid, status, "0");
  }

  /** Whether the platform's process lives. */
  boolean isAlive() {
    var running = process;
    return running != null && running.isAlive();
  }

  /** Asks the platform to end, as an operator does; returns at once. */
  Process end() {
    var running = running();
    running.destroy();
    return running;
  }

  /** Resident memory of the platform's process after a full collection, in KiB. */
  long residentKib() throws IOException, InterruptedException {
    var pid = Long.toString(running().pid());
    var jcmd = Path.of(System.getProperty("java.home"), "bin", "jcmd").toString();
    var collect = new ProcessBuilder(jcmd, pid, "GC.run").redirectErrorStream(true);
    collect.redirectOutput(ProcessBuilder.Redirect.DISCARD);
    int status = collect.start().waitFor();
    Check.that(status == 0, "jcmd " + pid + " GC.run", status, "0");
    for (var line : Files.readAllLines(Path.of("/proc", pid, "status"))) {
      if (line.startsWith("VmRSS:")) {
        return Long.parseLong(line.replaceAll("[^0-9]", ""));
      }
    }
    throw new IOException("/proc/" + pid + "/status has no VmRSS");
  }

  private Process running() {
    var running = process;
    if (running == null) {
      throw new IllegalStateException("the platform was not started");
    }
    return running;
  }

  /** What stands between visitors and the app. */
  Front front() throws IOException {
    return new Front(address("edge"), address("api"), running().pid());
  }

  private InetSocketAddress address(String key) throws IOException {
    var url = JsonMapper.shared().readTree(Files.readString(home.resolve("up.json"))).get(key);
    int port = Integer.parseInt(url.asString().replaceAll(".*:([0-9]+)/?", "$1"));
    return new InetSocketAddress(InetAddress.getLoopbackAddress(), port);
  }

  /** A client for the platform as it is now. */
  Client client() throws IOException {
    var up = JsonMapper.shared().readTree(Files.readString(home.resolve("up.json")));
    return new Client(
        up.get("api").asString(),
        up.path("edge").asString(""),
        Files.readString(home.resolve("token")).strip());
  }

  /** Ends the platform and every process that it ran. */
  @Override
  public void close() throws IOException {
    try {
      var running = process;
      if (running != null) {
        running.destroy();
        if (!running.waitFor(END_WAIT_SECONDS, TimeUnit.SECONDS)) {
          kill();
        }
      }
      var down =
          new ProcessBuilder(
                  java(),
                  "-cp",
                  System.getProperty("java.class.path"),
                  "dev.holdfast.server.Main",
                  "down",
                  "--home",
                  home.toString())
              .redirectErrorStream(true)
              .redirectOutput(ProcessBuilder.Redirect.DISCARD)
              .start();
      Check.that(
          down.waitFor(2 * END_WAIT_SECONDS, TimeUnit.SECONDS), "down", "unfinished", "its end");
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private static String java() {
    return Path.of(System.getProperty("java.home"), "bin", "java").toString();
  }

  private static int freePort(int from) throws IOException {
    for (int port = from; port < from + 1_000; port++) {
      try (var socket = new ServerSocket(port)) {
        return socket.getLocalPort();
      } catch (IOException e) {
        // taken: the next one
      }
    }
    throw new IOException("no free port from " + from);
  }
}
