package dev.holdfast.cli;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.jspecify.annotations.Nullable;

/**
 * A platform that answers from a script: for each "METHOD path", the answers in order, of which the
 * last repeats. It writes its own {@code up.json} and {@code token}.
 */
final class FakePlatform implements AutoCloseable {
  static final String TOKEN = "hf_test-token";

  /** What was asked; each byte of the body is one character. */
  record Seen(String request, String body, @Nullable String key) {}

  /** What is answered; status 0 breaks the connection instead. */
  record Answer(int status, String type, String body, @Nullable String retryAfter) {
    static Answer json(int status, String body) {
      return new Answer(status, "application/json", body, null);
    }

    static Answer problem(int status, String detail) {
      var body = "{\"title\":\"No\",\"status\":" + status + ",\"detail\":\"" + detail + "\"}";
      return new Answer(status, "application/problem+json", body, null);
    }

    static Answer broken() {
      return new Answer(0, "", "", null);
    }
  }

  final List<Seen> seen = Collections.synchronizedList(new ArrayList<>());
  private final Map<String, Deque<Answer>> answers = new HashMap<>();
  private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
  private final HttpServer server;

  FakePlatform(Path home) throws IOException {
    server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.setExecutor(threads);
    server.createContext("/", this::handle);
    server.start();
    Files.createDirectories(home);
    Files.writeString(home.resolve("token"), TOKEN + "\n");
    Files.writeString(
        home.resolve("up.json"), "{\"pid\":1,\"api\":\"" + url() + "\",\"edge\":\"\"}");
    on("GET /v1/health", Answer.json(200, "{\"status\":\"ok\"}"));
  }

  String url() {
    return "http://127.0.0.1:" + server.getAddress().getPort();
  }

  /** Answers this request so, in order; the last one for ever. */
  FakePlatform on(String request, Answer... script) {
    synchronized (answers) {
      answers.put(request, new ArrayDeque<>(List.of(script)));
    }
    return this;
  }

  /** As {@link #on} with 200 and JSON. */
  FakePlatform on(String request, String... bodies) {
    var script = new Answer[bodies.length];
    for (int i = 0; i < bodies.length; i++) {
      script[i] = Answer.json(200, bodies[i]);
    }
    return on(request, script);
  }

  /** The requests that began so. */
  List<Seen> asked(String request) {
    synchronized (seen) {
      return seen.stream().filter(s -> s.request().startsWith(request)).toList();
    }
  }

  private void handle(HttpExchange exchange) throws IOException {
    try (exchange) {
      var request = exchange.getRequestMethod() + " " + exchange.getRequestURI();
      byte[] body = exchange.getRequestBody().readAllBytes();
      var key = exchange.getRequestHeaders().getFirst("Idempotency-Key");
      seen.add(new Seen(request, new String(body, ISO_8859_1), key));
      var answer = answer(exchange, request);
      if (answer.status() == 0) {
        return; // closing without an answer breaks the connection
      }
      exchange.getResponseHeaders().set("Content-Type", answer.type());
      if (answer.retryAfter() != null) {
        exchange.getResponseHeaders().set("Retry-After", answer.retryAfter());
      }
      byte[] bytes = answer.body().getBytes(UTF_8);
      exchange.sendResponseHeaders(answer.status(), bytes.length == 0 ? -1 : bytes.length);
      if (bytes.length > 0) {
        exchange.getResponseBody().write(bytes);
      }
    }
  }

  private Answer answer(HttpExchange exchange, String request) {
    var auth = exchange.getRequestHeaders().getFirst("Authorization");
    if (!("Bearer " + TOKEN).equals(auth)) {
      return Answer.problem(401, "no such token");
    }
    synchronized (answers) {
      var script = answers.get(request);
      if (script == null) {
        script = answers.get(request.replaceFirst("\\?.*", ""));
      }
      if (script == null || script.isEmpty()) {
        return Answer.problem(404, "not scripted: " + request);
      }
      return script.size() > 1 ? script.remove() : script.getFirst();
    }
  }

  @Override
  public void close() {
    server.stop(0);
    threads.close();
  }

  static void write(Path file, String text) {
    try {
      Files.createDirectories(file.getParent());
      Files.writeString(file, text);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
