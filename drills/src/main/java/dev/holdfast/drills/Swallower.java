package dev.holdfast.drills;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.util.Base64;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicLong;
import java.util.regex.Pattern;

/**
 * Stands between an edge and its control process and makes a follower of it that loses a change now
 * and then: the edge is told that there is nothing for it at that position, which nothing but the
 * sum over everything contradicts. All else passes as it is. Thread-safe.
 */
final class Swallower implements AutoCloseable {
  private static final Pattern ENTRY =
      Pattern.compile("\\{\"position\":(\\d{1,18}),\"envelope\":\"([A-Za-z0-9+/=]+)\"}");
  private static final List<String> ASKED =
      List.of("Authorization", "Accept", "Accept-Encoding", "Content-Type", "If-None-Match");
  private static final List<String> ANSWERED =
      List.of("Content-Type", "Content-Encoding", "ETag", "Holdfast-Position");
  private static final int BACKLOG = 64;

  private final String control;
  private final int every;
  private final Timeline timeline;
  private final HttpServer server;
  private final HttpClient http =
      HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
  private final List<Swallowed> swallowed = new CopyOnWriteArrayList<>();
  private final AtomicLong last = new AtomicLong(Long.MAX_VALUE);
  private final AtomicLong changes = new AtomicLong();

  /** A change that did not arrive, when, in the seconds of the timeline. */
  record Swallowed(long position, String key, double at) {}

  /** Listens on a free port in front of a control process; swallows nothing yet. */
  Swallower(String control, int every, Timeline timeline) throws IOException {
    this.control = control;
    this.every = every;
    this.timeline = timeline;
    server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), BACKLOG);
    server.setExecutor(Executors.newVirtualThreadPerTaskExecutor());
    server.createContext("/", this::pass);
    server.start();
  }

  String url() {
    return "http://127.0.0.1:" + server.getAddress().getPort();
  }

  /** From now on, behind that position, every so many changes one is swallowed. */
  void begin(long behind) {
    last.set(behind);
  }

  /** What did not arrive so far, in order. */
  List<Swallowed> swallowed() {
    return List.copyOf(swallowed);
  }

  private void pass(HttpExchange exchange) throws IOException {
    try (exchange) {
      var asked = exchange.getRequestURI();
      var request = HttpRequest.newBuilder(URI.create(control + asked));
      for (var name : ASKED) {
        var value = exchange.getRequestHeaders().getFirst(name);
        if (value != null) {
          request.header(name, value);
        }
      }
      var body = exchange.getRequestBody().readAllBytes();
      request.method(
          exchange.getRequestMethod(),
          body.length == 0 ? BodyPublishers.noBody() : BodyPublishers.ofByteArray(body));
      HttpResponse<InputStream> answer = http.send(request.build(), BodyHandlers.ofInputStream());
      try (var in = answer.body()) {
        for (var name : ANSWERED) {
          answer
              .headers()
              .firstValue(name)
              .ifPresent(value -> exchange.getResponseHeaders().set(name, value));
        }
        boolean empty = answer.statusCode() == 204 || answer.statusCode() == 304;
        exchange.sendResponseHeaders(answer.statusCode(), empty ? -1 : 0);
        if (answer.statusCode() == 200 && asked.getPath().equals("/v1/ledger")) {
          lines(in, exchange);
        } else if (!empty) {
          in.transferTo(exchange.getResponseBody());
        }
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void lines(InputStream in, HttpExchange exchange) throws IOException {
    var out = exchange.getResponseBody();
    var lines = new BufferedReader(new InputStreamReader(in, ISO_8859_1));
    for (var line = lines.readLine(); line != null; line = lines.readLine()) {
      out.write((harmed(line) + "\n").getBytes(ISO_8859_1));
      out.flush();
    }
  }

  private String harmed(String line) {
    var entry = ENTRY.matcher(line);
    if (!entry.matches()) {
      return line;
    }
    long position = Long.parseLong(entry.group(1));
    if (position > last.get()) {
      last.set(position);
      var key = Seal.key(Base64.getDecoder().decode(entry.group(2)));
      if (key.startsWith("route/") && changes.incrementAndGet() % every == 0) {
        swallowed.add(new Swallowed(position, key, timeline.now()));
      }
    }
    return swallowed.stream().anyMatch(one -> one.position() == position)
        ? "{\"position\":" + position + ",\"withheld\":true}"
        : line;
  }

  @Override
  public void close() {
    server.stop(0);
    http.shutdownNow();
  }
}
