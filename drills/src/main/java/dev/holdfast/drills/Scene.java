package dev.holdfast.drills;

import static java.nio.charset.StandardCharsets.US_ASCII;

import dev.holdfast.limits.Check;
import dev.holdfast.limits.Deadline;
import dev.holdfast.limits.Time;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;

/**
 * A platform with one route to an app, in a directory of its own; it is there when visitors are
 * answered. Confined to the drill's thread.
 */
final class Scene implements AutoCloseable {
  private static final List<String> FLAGS = List.of("-Xmx256m");
  private static final Duration ROUTE_WAIT = Duration.ofSeconds(10);
  private static final Duration LOOK_AGAIN = Duration.ofMillis(20);

  private final Victim victim;

  Scene(Path directory, Time time, Profile profile, InetSocketAddress app)
      throws IOException, InterruptedException {
    this(directory, time, profile.environment(), FLAGS, app);
  }

  /** One with settings of its own. */
  Scene(Path directory, Time time, Map<String, String> settings, InetSocketAddress app)
      throws IOException, InterruptedException {
    this(directory, time, settings, FLAGS, app);
  }

  /** One whose virtual machine has other flags. */
  Scene(Path directory, Time time, Profile profile, List<String> flags, InetSocketAddress app)
      throws IOException, InterruptedException {
    this(directory, time, profile.environment(), flags, app);
  }

  private Scene(
      Path directory,
      Time time,
      Map<String, String> settings,
      List<String> flags,
      InetSocketAddress app)
      throws IOException, InterruptedException {
    var home = directory.resolve("home");
    Files.createDirectories(home);
    victim = new Victim(home, time, settings, flags);
    try {
      victim.start();
      route(app);
      awaitRoute(time);
    } catch (IOException | InterruptedException | RuntimeException e) {
      close();
      throw e;
    }
  }

  Front front() throws IOException {
    return victim.front();
  }

  long residentKib() throws IOException, InterruptedException {
    return victim.residentKib();
  }

  Process end() {
    return victim.end();
  }

  private void route(InetSocketAddress app) throws IOException, InterruptedException {
    try (var client = victim.client()) {
      var to = "http://127.0.0.1:" + app.getPort();
      var answer = client.put("/v1/routes/" + Front.HOST, "{\"to\":\"" + to + "\"}");
      Check.that(answer.status() == 200, "route", answer.status() + " " + answer.body(), "200");
    }
  }

  private void awaitRoute(Time time) throws IOException, InterruptedException {
    var deadline = Deadline.after(time, ROUTE_WAIT);
    while (!answers(front().visitors())) {
      if (deadline.passed()) {
        throw new IOException("the route is not there after " + ROUTE_WAIT);
      }
      time.sleep(LOOK_AGAIN);
    }
  }

  private static boolean answers(InetSocketAddress edge) throws IOException {
    try (var socket = new Socket()) {
      socket.connect(edge);
      socket.setSoTimeout((int) ROUTE_WAIT.toMillis());
      var request =
          "GET /bytes/1 HTTP/1.1\r\nHost: " + Front.HOST + "\r\nConnection: close\r\n\r\n";
      socket.getOutputStream().write(request.getBytes(US_ASCII));
      var status = new String(socket.getInputStream().readNBytes(12), US_ASCII);
      return status.equals("HTTP/1.1 200");
    }
  }

  /** Ends the platform at once: it runs no apps that would have to be ended, too. */
  @Override
  public void close() {
    try {
      victim.kill();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
