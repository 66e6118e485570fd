package dev.holdfast.server;

import dev.holdfast.edge.Edge;
import dev.holdfast.edge.Routing;
import dev.holdfast.ledger.Endpoint;
import dev.holdfast.ledger.Follower;
import dev.holdfast.ledger.HttpFeed;
import dev.holdfast.ledger.HttpFeedConfig;
import dev.holdfast.limits.Time;
import java.io.IOException;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Executors;
import java.util.logging.Level;
import java.util.logging.Logger;

/** Tells the control process how far this edge is. Thread-safe. */
final class EdgeReporter implements AutoCloseable {
  private static final Logger LOG = Logger.getLogger(EdgeReporter.class.getName());
  private static final Duration BEAT = Duration.ofSeconds(1);
  private static final Duration PAUSE = Duration.ofMillis(200); // at most five a second
  private static final Duration PATIENCE = Duration.ofSeconds(5);
  private static final int ENDPOINTS_MAX = 10_000;

  private final String name;
  private final HttpFeed feed;
  private final HttpFeedConfig config;
  private final Follower<Routing> routing;
  private final Edge edge;
  private final RodBoard rods;
  private final Time time;
  private final HttpClient http;
  private final Thread thread;

  EdgeReporter(
      String name,
      HttpFeed feed,
      HttpFeedConfig config,
      Follower<Routing> routing,
      Edge edge,
      RodBoard rods,
      Time time) {
    this.name = name;
    this.feed = feed;
    this.config = config;
    this.routing = routing;
    this.edge = edge;
    this.rods = rods;
    this.time = time;
    http =
        HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .connectTimeout(config.connectTimeout())
            .executor(Executors.newVirtualThreadPerTaskExecutor())
            .build();
    thread = Thread.ofVirtual().name("edge-reporter").unstarted(this::run);
  }

  EdgeReporter start() {
    thread.start();
    return this;
  }

  private void run() {
    try {
      while (true) {
        rods.prune();
        long position = routing.view().position();
        try {
          report();
        } catch (IOException e) {
          LOG.log(Level.FINE, "the control process does not answer", e);
        }
        time.sleep(PAUSE);
        routing.awaitApplied(position + 1, BEAT.minus(PAUSE));
      }
    } catch (InterruptedException e) {
      LOG.log(Level.FINE, "the edge ends", e);
    }
  }

  private void report() throws IOException, InterruptedException {
    var heard = feed.heard();
    if (heard == null) {
      return;
    }
    var view = routing.view(); // before what is under way: a drain that it knows is counted
    var report =
        new EdgeReports.Report(
            view.position(),
            routing.standing().getClass().getSimpleName().toLowerCase(Locale.ROOT),
            Listen.url(edge.address()),
            drained(view.value()));
    var request =
        HttpRequest.newBuilder(heard.control().resolve("/v1/edges/" + name))
            .timeout(PATIENCE)
            .header("Authorization", "Bearer " + config.token())
            .header("Content-Type", "application/json")
            .PUT(BodyPublishers.ofByteArray(Json.bytes(report)))
            .build();
    http.send(request, BodyHandlers.discarding());
  }

  private Map<String, Integer> drained(Routing view) {
    var requests = new HashMap<String, Integer>();
    view.endpoints()
        .forEach((service, endpoints) -> {
          for (var endpoint : endpoints) {
            if (endpoint.state() == Endpoint.State.DRAINING && requests.size() < ENDPOINTS_MAX) {
              int count = edge.requests(service, endpoint.id());
              if (count > 0) {
                requests.put(endpoint.key(), count);
              }
            }
          }
        });
    return requests;
  }

  @Override
  public void close() {
    thread.interrupt();
    http.shutdownNow();
  }
}
