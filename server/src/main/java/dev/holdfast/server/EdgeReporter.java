package dev.holdfast.server;

import dev.holdfast.edge.Edge;
import dev.holdfast.edge.Routing;
import dev.holdfast.ledger.Endpoint;
import dev.holdfast.ledger.Follower;
import dev.holdfast.ledger.HttpFeed;
import dev.holdfast.ledger.HttpFeedConfig;
import dev.holdfast.limits.Supervised;
import dev.holdfast.limits.Time;
import dev.holdfast.server.RodShapes.EdgeRodNotes;
import java.io.IOException;
import java.net.URI;
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
  private static final int NO_CONTENT = 204;
  private static final int ENDPOINTS_MAX = 10_000;

  private final String name;
  private final HttpFeed feed;
  private final HttpFeedConfig config;
  private final Follower<Routing> routing;
  private final Edge edge;
  private final RodBoard rods;
  private final Time time;
  private final HttpClient http;
  private final Supervised part;

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
    part = Supervised.virtual("edge-reporter", time, this::run);
  }

  EdgeReporter start() {
    part.start();
    return this;
  }

  Supervised part() {
    return part;
  }

  private void run(Supervised self) throws InterruptedException {
    while (!self.closed()) {
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
            drained(view.value()),
            rods.felt(),
            FollowerShape.of(routing.report()));
    var request =
        HttpRequest.newBuilder(heard.control().resolve("/v1/edges/" + name))
            .timeout(PATIENCE)
            .header("Authorization", "Bearer " + config.token())
            .header("Content-Type", "application/json")
            .PUT(BodyPublishers.ofByteArray(Json.bytes(report)))
            .build();
    http.send(request, BodyHandlers.discarding());
    noteRods(heard.control());
  }

  /** What was done to this edge's own rods belongs into the ledger's record, which is elsewhere. */
  private void noteRods(URI control) throws IOException, InterruptedException {
    var waiting = rods.local().waiting(EdgeRodNotes.NOTES_MAX);
    if (waiting.isEmpty()) {
      return;
    }
    var request =
        HttpRequest.newBuilder(control.resolve("/v1/edges/" + name + "/rod-notes"))
            .timeout(PATIENCE)
            .header("Authorization", "Bearer " + config.token())
            .header("Content-Type", "application/json")
            .POST(BodyPublishers.ofByteArray(Json.bytes(new EdgeRodNotes(waiting))))
            .build();
    if (http.send(request, BodyHandlers.discarding()).statusCode() == NO_CONTENT) {
      rods.local().written(waiting);
      var _ = rods.local().save();
    }
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
    part.close();
    http.shutdownNow();
  }
}
