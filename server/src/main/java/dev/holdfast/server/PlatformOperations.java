package dev.holdfast.server;

import static dev.holdfast.server.AppOperations.take;

import dev.holdfast.drones.AppLogs;
import dev.holdfast.drones.Drones;
import dev.holdfast.drones.LogLine;
import dev.holdfast.limits.BoundedQueue;
import dev.holdfast.limits.Check;
import dev.holdfast.limits.Refusal;
import dev.holdfast.server.Operation.Query;
import dev.holdfast.server.Shapes.Health;
import dev.holdfast.server.Shapes.LogShape;
import dev.holdfast.server.Shapes.NewToken;
import dev.holdfast.server.Shapes.TokenList;
import dev.holdfast.server.Shapes.TokenMade;
import dev.holdfast.server.Shapes.TokenShape;
import io.javalin.http.Context;
import io.javalin.http.HandlerType;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** What the API can do with logs, tokens and the installation. Thread-safe. */
final class PlatformOperations {
  private static final Duration HEARTBEAT = Duration.ofSeconds(15);
  private static final int FOLLOW_BATCH = 256;
  private static final int FOLLOW_QUEUE_MAX = 4_096;
  private static final int LOG_LINES_MAX = 10_000;
  private static final String NDJSON = "application/x-ndjson";
  private static final byte[] NEWLINE = {'\n'};

  private final Drones drones;
  private final AppLogs logs;
  private final Tokens tokens;
  private final Backup backup;
  private final Supplier<Health> health;

  PlatformOperations(
      Drones drones, AppLogs logs, Tokens tokens, Backup backup, Supplier<Health> health) {
    this.drones = drones;
    this.logs = logs;
    this.tokens = tokens;
    this.backup = backup;
    this.health = health;
  }

  List<Operation> all() {
    return List.of(
        Operation.get("/v1/health", "Says how the platform is.", Health.class, _ -> health.get())
            .as(Operation.Access.OPEN, null),
        Operation.get(
                "/v1/apps/{app}/logs",
                "The app's log, one JSON object a line.",
                LogShape.class,
                this::logs)
            .with(
                new Query("lines", "How many lines of the past, 0 to " + LOG_LINES_MAX),
                new Query("follow", "`true`: the answer goes on as lines come"),
                new Query("source", "`app`, `router` or `platform`: only those"),
                new Query("process", "Such as `web.1` or `web`: only those"))
            .as(Operation.Access.STREAM, NDJSON),
        Operation.get("/v1/tokens", "Lists the API tokens.", TokenList.class, this::tokens)
            .with(
                new Query("limit", "At most so many, 1 to 1000"),
                new Query("cursor", "The `next` of the page before")),
        Operation.of(
            HandlerType.POST,
            "/v1/tokens",
            "Makes an API token, which is shown this once.",
            NewToken.class,
            TokenMade.class,
            201,
            this::makeToken),
        Operation.delete("/v1/tokens/{id}", "Revokes an API token.", this::revokeToken)
            .doing(Operation.Effect.CONTROLS),
        Operation.of(
                HandlerType.POST,
                "/v1/backup",
                "A copy of the whole installation, as of one moment, as a tar file.",
                null,
                null,
                200,
                this::backup)
            .as(Operation.Access.STREAM, "application/x-tar")
            .doing(Operation.Effect.READS));
  }

  // ---- logs

  private @Nullable Object logs(Context context) throws IOException, InterruptedException {
    var app = context.pathParam("app");
    if (drones.apps().fleet().app(app) == null) {
      throw Problem.of(new Refusal.NotFound("app " + Check.printable(app) + ": does not exist"));
    }
    int lines = (int) Api.number(context, "lines", 100, 0, LOG_LINES_MAX);
    var wanted = wanted(context);
    boolean follow = "true".equals(context.queryParam("follow"));
    context.status(200).contentType(NDJSON);
    if (!follow) {
      for (var line : last(app, lines, wanted)) {
        write(context, shape(line));
      }
      context.res().flushBuffer();
      return null;
    }
    var queue = new BoundedQueue<LogLine>("log follower", FOLLOW_QUEUE_MAX);
    try (var reading =
        logs.follow(
            app,
            lines,
            line -> {
              if (wanted.test(line) && !queue.offer(line)) {
                queue.close(); // cut off: it reads again from where it is
              }
            })) {
      var _ = reading.ended().thenRun(queue::close);
      stream(context, queue);
    }
    return null;
  }

  private List<LogLine> last(String app, int lines, Predicate<LogLine> wanted) throws IOException {
    var matching = logs.last(app, LOG_LINES_MAX).stream().filter(wanted).toList();
    return matching.subList(Math.max(0, matching.size() - lines), matching.size());
  }

  private static Predicate<LogLine> wanted(Context context) {
    var process = context.queryParam("process");
    var source = context.queryParam("source");
    Check.that(
        source == null || List.of("app", "router", "platform").contains(source),
        "source",
        String.valueOf(source),
        "app, router or platform");
    return line ->
        (process == null
                || line.process().equals(process)
                || line.process().startsWith(process + "."))
            && (source == null
                || switch (source) {
                  case "app" -> line.source().equals("app");
                  case "router" -> line.process().equals("router");
                  default -> line.source().equals("holdfast") && !line.process().equals("router");
                });
  }

  private void stream(Context context, BoundedQueue<LogLine> queue)
      throws IOException, InterruptedException {
    context.res().flushBuffer();
    while (true) {
      var batch = queue.take(FOLLOW_BATCH, HEARTBEAT);
      if (batch.isEmpty()) {
        if (queue.closed()) {
          return;
        }
        context.outputStream().write(NEWLINE);
      }
      for (var line : batch) {
        write(context, shape(line));
      }
      context.res().flushBuffer();
    }
  }

  private static LogShape shape(LogLine line) {
    return new LogShape(line.at(), line.source(), line.process(), line.text());
  }

  private static void write(Context context, Object value) throws IOException {
    context.outputStream().write(Json.bytes(value));
    context.outputStream().write(NEWLINE);
  }

  // ---- tokens

  private Object tokens(Context context) {
    var page = Api.page(context, tokens.all());
    return new TokenList(page.items().stream().map(TokenShape::of).toList(), page.next());
  }

  private Object makeToken(Context context) throws IOException {
    var body = Json.body(context, NewToken.class);
    var made = take(tokens.create(Api.actor(context), body.name(), body.scope()));
    var token = made.token();
    return new TokenMade(
        token.id(), token.name(), token.scoped(), token.createdAt(), made.secret());
  }

  private @Nullable Object revokeToken(Context context) {
    take(tokens.revoke(Api.actor(context), context.pathParam("id")));
    return null;
  }

  // ---- backup

  private @Nullable Object backup(Context context) throws IOException {
    backup.write(() -> {
      context
          .status(200)
          .contentType("application/x-tar")
          .header("Content-Disposition", "attachment; filename=\"holdfast-backup.tar\"");
      return context.outputStream();
    });
    return null;
  }

  /** All operations of the API. */
  static List<Operation> of(
      AppOperations apps,
      RouteOperations routes,
      PolicyOperations policies,
      MetricOperations metrics,
      LoadOperations load,
      CertificateOperations certificates,
      RodOperations rods,
      LedgerOperations ledger,
      PlatformOperations platform,
      List<Operation> feeds) {
    var all = new ArrayList<Operation>(platform.all());
    all.addAll(feeds);
    all.addAll(apps.all());
    all.addAll(routes.all());
    all.addAll(policies.all());
    all.addAll(metrics.all());
    all.addAll(load.all());
    all.addAll(certificates.all());
    all.addAll(rods.all());
    all.addAll(ledger.all());
    return List.copyOf(all);
  }
}
