package dev.holdfast.drills;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static java.nio.charset.StandardCharsets.UTF_8;

import com.sun.net.httpserver.HttpServer;
import dev.holdfast.limits.Check;
import dev.holdfast.limits.Deadline;
import dev.holdfast.limits.Time;
import java.io.File;
import java.io.IOException;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.jar.Attributes;
import java.util.jar.JarOutputStream;
import java.util.jar.Manifest;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.json.JsonMapper;

/**
 * Kills the process that serves with SIGKILL while visitors come over new connections, and
 * promises: no visitor is refused, and whoever came when nobody was there is answered by the next
 * process. It runs the launcher as operators do; the oracle is the visitors' own record. On the
 * naive side the launcher starts the platform again but holds no sockets meanwhile. Confined to one
 * thread.
 *
 * <p>Requests that the killed process had taken in are lost with it on either side; they are
 * counted apart.
 */
final class AnchorDrill {
  private static final String HOST = "anchor.example.org";
  private static final byte[] REQUEST =
      ("GET / HTTP/1.1\r\nHost: " + HOST + "\r\nConnection: close\r\n\r\n").getBytes(US_ASCII);
  private static final Duration UP_WAIT = Duration.ofMinutes(1);
  private static final Duration ANSWER_WAIT = Duration.ofSeconds(30);
  private static final Duration END_WAIT = Duration.ofMinutes(2);
  private static final Duration LOOK_AGAIN = Duration.ofMillis(5);
  private static final int PORT_FROM = 21_000;

  private final Profile profile;
  private final Path directory;
  private final Path home;
  private final Path launcher;
  private final Time time;
  private final int http;
  private final int api;
  private final AtomicLong answered = new AtomicLong();
  private final AtomicLong otherwise = new AtomicLong();
  private final AtomicLong refused = new AtomicLong();
  private final AtomicLong lostInside = new AtomicLong();
  private final AtomicLong lostOutside = new AtomicLong();
  private final AtomicLong waited = new AtomicLong();
  private final AtomicLong longestNanos = new AtomicLong();
  private volatile long deadAt = Long.MAX_VALUE;
  private volatile long backAt = Long.MAX_VALUE;

  /**
   * What the visitors met. Immutable.
   *
   * @param offered visitors in all
   * @param answered those who got a 200
   * @param otherwise those who got another answer
   * @param refused those whose connection was refused
   * @param lostInside those whose connection broke and who came while the killed process lived
   * @param lostOutside those whose connection broke or who got no answer, and who came later
   * @param waited those who were answered and came while nobody served
   * @param away from the death to the next process's word that it serves
   * @param longest longest wait for an answer
   * @param ended how the launcher ended after {@code down}
   */
  record Report(
      long offered,
      long answered,
      long otherwise,
      long refused,
      long lostInside,
      long lostOutside,
      long waited,
      Duration away,
      Duration longest,
      int ended) {}

  /**
   * A drill in a directory of its own.
   *
   * @param launcher the {@code holdfast} script; the drill runs a copy of it on its own class path
   */
  AnchorDrill(Path directory, Path launcher, Time time, Profile profile) throws IOException {
    this.profile = profile;
    this.directory = directory;
    this.time = time;
    home = Files.createDirectories(directory.resolve("home"));
    this.launcher = release(launcher);
    http = freePort(PORT_FROM + (int) (ProcessHandle.current().pid() % 2_000));
    api = freePort(http + 1);
  }

  /**
   * Runs it: visitors from the beginning to the end, the kill after a quarter of that.
   *
   * @throws IOException when the platform does not start at all
   * @throws InterruptedException when the thread is asked to end
   */
  Report run(int perSecond, Duration length) throws IOException, InterruptedException {
    var app = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 4096);
    app.setExecutor(Executors.newVirtualThreadPerTaskExecutor());
    app.createContext(
        "/",
        exchange -> {
          try (exchange) {
            exchange.sendResponseHeaders(200, 2);
            exchange.getResponseBody().write("ok".getBytes(US_ASCII));
          }
        });
    app.start();
    var up = launch("up", "--http", "127.0.0.1:" + http, "--api", "127.0.0.1:" + api);
    try {
      long first = awaitPid(up, -1);
      route(app.getAddress().getPort());
      int offered = Math.toIntExact(perSecond * length.toSeconds());
      var visitors = new ArrayList<Thread>();
      long from = time.nanos();
      long step = TimeUnit.SECONDS.toNanos(1) / perSecond;
      @Nullable Thread killer = null;
      for (int i = 0; i < offered; i++) {
        long ahead = from + i * step - time.nanos();
        if (ahead > 0) {
          time.sleep(Duration.ofNanos(ahead));
        }
        visitors.add(Thread.ofVirtual().start(this::visit));
        if (i == offered / 4) {
          killer = Thread.ofVirtual().start(() -> kill(up, first));
        }
      }
      for (var visitor : visitors) {
        visitor.join();
      }
      if (killer != null) {
        killer.join();
      }
      return report(offered, down(up));
    } finally {
      app.stop(0);
      if (up.isAlive()) {
        up.descendants().forEach(ProcessHandle::destroyForcibly);
        up.destroyForcibly();
      }
    }
  }

  private Report report(int offered, int ended) {
    return new Report(
        offered,
        answered.get(),
        otherwise.get(),
        refused.get(),
        lostInside.get(),
        lostOutside.get(),
        waited.get(),
        Duration.ofNanos(backAt - deadAt),
        Duration.ofNanos(longestNanos.get()),
        ended);
  }

  /** One request over a connection of its own, counted by how it ended. */
  private void visit() {
    long came = time.nanos();
    try (var socket = new Socket()) {
      socket.connect(
          new InetSocketAddress(InetAddress.getLoopbackAddress(), http),
          (int) ANSWER_WAIT.toMillis());
      socket.setSoTimeout((int) ANSWER_WAIT.toMillis());
      socket.getOutputStream().write(REQUEST);
      var status = new String(socket.getInputStream().readAllBytes(), US_ASCII);
      if (status.isEmpty()) {
        lost(came);
        return;
      }
      boolean good = status.startsWith("HTTP/1.1 200 ");
      (good ? answered : otherwise).incrementAndGet();
      if (good && came > deadAt && came < backAt) {
        waited.incrementAndGet();
      }
      longestNanos.accumulateAndGet(time.nanos() - came, Math::max);
    } catch (ConnectException e) {
      refused.incrementAndGet();
    } catch (IOException e) {
      lost(came);
    }
  }

  private void lost(long came) {
    (came <= deadAt ? lostInside : lostOutside).incrementAndGet();
  }

  /** Ends the process that serves and waits for the next one to say that it does. */
  private void kill(Process up, long pid) {
    try {
      var process = ProcessHandle.of(pid).orElseThrow();
      process.destroyForcibly();
      while (process.isAlive()) {
        time.sleep(Duration.ofMillis(1));
      }
      deadAt = time.nanos();
      awaitPid(up, pid);
      backAt = time.nanos();
    } catch (IOException e) {
      backAt = time.nanos(); // nobody came back: what the visitors met says so
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void route(int port) throws IOException, InterruptedException {
    try (var client =
        new Client(
            "http://127.0.0.1:" + api,
            "http://127.0.0.1:" + http,
            Files.readString(home.resolve("token")).strip())) {
      var answer = client.put("/v1/routes/" + HOST, "{\"to\":\"http://127.0.0.1:" + port + "\"}");
      Check.that(answer.status() == 200, "route", answer.status() + " " + answer.body(), "200");
      var deadline = Deadline.after(time, UP_WAIT);
      do {
        Check.that(!deadline.passed(), "route", "not served", "served in " + UP_WAIT);
        visit();
      } while (answered.get() == 0);
      answered.set(0);
      otherwise.set(0);
      longestNanos.set(0);
    }
  }

  /** The process that says it serves and is another one than that. */
  private long awaitPid(Process up, long other) throws IOException, InterruptedException {
    var deadline = Deadline.after(time, UP_WAIT);
    var file = home.resolve("up.json");
    while (true) {
      if (Files.exists(file)) {
        long pid = JsonMapper.shared().readTree(Files.readString(file)).get("pid").asLong();
        if (pid != other) {
          return pid;
        }
      }
      if (!up.isAlive() || deadline.passed()) {
        throw new IOException(
            "the platform did not start: " + Files.readString(directory.resolve("up.log")));
      }
      time.sleep(LOOK_AGAIN);
    }
  }

  /** Ends everything by the verb for that, and says how {@code up} ended. */
  private int down(Process up) throws IOException, InterruptedException {
    var down = launch("down");
    boolean ended = down.waitFor(END_WAIT.toSeconds(), TimeUnit.SECONDS);
    Check.that(ended && down.exitValue() == 0, "down", down, "an orderly end; see down.log");
    Check.that(up.waitFor(END_WAIT.toSeconds(), TimeUnit.SECONDS), "up", up, "its end after down");
    return up.exitValue();
  }

  private Process launch(String verb, String... more) throws IOException {
    var command =
        new ArrayList<>(List.of("/bin/sh", launcher.toString(), verb, "--home", home.toString()));
    command.addAll(List.of(more));
    var builder = new ProcessBuilder(command).redirectErrorStream(true);
    builder.redirectOutput(directory.resolve(verb + ".log").toFile());
    builder.environment().keySet().removeIf(name -> name.startsWith("HOLDFAST_"));
    builder.environment().put("HOLDFAST_HEAP", "256m");
    builder.environment().put("HOLDFAST_ANCHOR", profile == Profile.NAIVE ? "off" : "on");
    builder.environment().put("JAVA_HOME", System.getProperty("java.home"));
    return builder.start();
  }

  /** A folder as a release is one: the script, and jars that lead to this process's classes. */
  private Path release(Path script) throws IOException {
    var lib = Files.createDirectories(directory.resolve("release/lib"));
    var classes =
        List.of(System.getProperty("java.class.path").split(File.pathSeparator)).stream()
            .map(part -> Path.of(part).toUri().toString())
            .collect(Collectors.joining(" "));
    var manifest = new Manifest();
    manifest.getMainAttributes().put(Attributes.Name.MANIFEST_VERSION, "1.0");
    manifest.getMainAttributes().put(Attributes.Name.CLASS_PATH, classes);
    var jar = lib.resolve("holdfast-server-0.jar");
    new JarOutputStream(Files.newOutputStream(jar), manifest).close();
    return Files.writeString(
        lib.resolveSibling("holdfast"), Files.readString(script, UTF_8), UTF_8);
  }

  private static int freePort(int from) throws IOException {
    for (int port = from; port < from + 1_000; port++) {
      try (var probe = new ServerSocket()) {
        probe.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
        return port;
      } catch (IOException e) {
        // somebody has it
      }
    }
    throw new IOException("no free port from " + from);
  }
}
