package dev.holdfast.server;

import dev.holdfast.certs.Certificates;
import dev.holdfast.drones.App;
import dev.holdfast.drones.AppLogs;
import dev.holdfast.drones.ArtifactLimits;
import dev.holdfast.drones.Artifacts;
import dev.holdfast.drones.ConfigVars;
import dev.holdfast.drones.Crash;
import dev.holdfast.drones.Drones;
import dev.holdfast.drones.DronesConfig;
import dev.holdfast.drones.Instance;
import dev.holdfast.drones.Launcher;
import dev.holdfast.drones.LauncherConfig;
import dev.holdfast.drones.LogLimits;
import dev.holdfast.drones.LogLine;
import dev.holdfast.drones.Release;
import dev.holdfast.edge.Descriptors;
import dev.holdfast.edge.Edge;
import dev.holdfast.edge.LoadReport;
import dev.holdfast.edge.Owners;
import dev.holdfast.edge.Routing;
import dev.holdfast.edge.RoutingFold;
import dev.holdfast.edge.TlsKeys;
import dev.holdfast.ledger.Endpoint;
import dev.holdfast.ledger.Follower;
import dev.holdfast.ledger.Kind;
import dev.holdfast.ledger.Kinds;
import dev.holdfast.ledger.Ledger;
import dev.holdfast.ledger.LedgerConfig;
import dev.holdfast.ledger.Policy;
import dev.holdfast.ledger.Route;
import dev.holdfast.ledger.Service;
import dev.holdfast.ledger.Standing;
import dev.holdfast.ledger.StoreException;
import dev.holdfast.ledger.View;
import dev.holdfast.limits.Check;
import dev.holdfast.limits.MetricText;
import dev.holdfast.limits.Time;
import dev.holdfast.server.Shapes.Health;
import dev.holdfast.store.HomeLock;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.logging.Level;
import java.util.logging.Logger;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The object graph: every long-lived object is made here, in the order in which they stand on each
 * other, and closed in the opposite order. Nothing is served before the ledger is read and the
 * drones that a predecessor left are adopted. Thread-safe.
 */
final class Platform implements Node {
  private static final Logger LOG = Logger.getLogger(Platform.class.getName());
  private static final Duration WARM_UP = Duration.ofSeconds(60);
  private static final Duration LOOK_WAIT = Duration.ofSeconds(5);

  /** How much larger than its bound an upload may be once it is unpacked. */
  private static final long UNPACKED_FACTOR = 4;

  /** Log of router lines for routes to addresses, which belong to no app. */
  private static final String EDGE_LOG = "edge";

  /** Everything that may stand in this platform's ledger. */
  static final Kinds KINDS =
      Kinds.of(
          Stream.concat(
                  Stream.of(
                      Route.KIND,
                      Service.KIND,
                      Endpoint.KIND,
                      App.KIND,
                      Release.KIND,
                      ConfigVars.KIND,
                      Instance.KIND,
                      Crash.KIND,
                      Policy.KIND,
                      Token.KIND,
                      RodTable.KIND,
                      RodNote.KIND,
                      RodDrill.KIND),
                  Certificates.kinds().stream())
              .toArray(Kind<?>[]::new));

  private final Kept kept = new Kept();
  private final Supervision parts = new Supervision();
  private final Home home;
  private final Time time;
  private final Instant startedAt;
  private final String node;
  private final Ledger ledger;
  private final Follower<Routing> routing;
  private final Certificates certificates;
  private final Drones drones;
  private final @Nullable Edge edge; // null where visitors come through other processes
  private final InetSocketAddress visitors;
  private final Api api;

  private Platform(ServerConfig config, Descriptors handed, Time time)
      throws IOException, StoreException, InterruptedException {
    this.time = time;
    startedAt = time.now();
    try {
      home = Home.open(config.home());
      keep(HomeLock.acquire(home.directory()));
      Natives.unpackInto(home.natives());
      Check.that(
          handed.isEmpty() || Roles.of(config) == Roles.ALL,
          "LISTEN_FDS",
          handed,
          "none, since visitors come through edges in processes of their own");
      if (handed.isEmpty()) {
        config.listen(ServerConfig.HTTP).probe("http");
      }
      config.listen(ServerConfig.API).probe("api");
      node = home.node(time.random());
      var settings = new RodSettings(config);
      var rods = new RodBoard(home.rodsFile(), node, settings.rods(), time);
      keep(RodSocket.openOrWarn(rods, home.directory(), time));

      var store = keep(StoreSettings.of(config).open(home, time));
      ledger = keep(Ledger.open(store, KINDS, LedgerConfig.defaults(), time));
      var tokens = keep(new Tokens(ledger, time));
      tokens.start(home);

      var rodLedger = keep(new RodLedger(rods, ledger, time));
      rodLedger.start();
      var held = new HeldFeed(ledger, rods::view, time);
      var suspects = Suspects.open(home.applyingFile());
      routing = keep(new Follower<>("routing", held, suspects.guard(new RoutingFold()), time));
      routing.start();
      boolean alone = Roles.of(config) == Roles.ALL;
      var edges = new EdgeReports(ledger, alone ? Duration.ZERO : EdgeReports.LIVE, time);
      rods.alsoFelt(edges::felt);
      var traffic = new EdgeTraffic(routing, edges);
      certificates =
          keep(
              Certificates.start(ledger, config.certs(), () -> routing.view().value(), time, node));

      var logs = keep(new AppLogs(home.logs(), LogLimits.defaults(), time));
      var edgeLog = keep(new AppLogs(home.edgeLog(), LogLimits.defaults(), time));
      var artifacts = new Artifacts(home.artifacts(), uploads(config), time);
      var launcher =
          new Launcher(
              home.runs(config),
              artifacts,
              LauncherConfig.defaults().withUidFirst(home.uidFirst(config)),
              time);
      drones =
          keep(
              Drones.start(
                  ledger,
                  launcher,
                  artifacts,
                  logs,
                  traffic,
                  new RodBrake(rods::view, time),
                  drones(config),
                  time,
                  node));

      if (!routing.awaitApplied(ledger.head(), WARM_UP)) {
        throw new StoreException("the ledger could not be read to its head in " + WARM_UP);
      }
      held.heed();
      if (!certificates.awaitLooked(LOOK_WAIT)) {
        LOG.warning("certificates could not be looked after in " + LOOK_WAIT + "; it goes on");
      }
      var listening =
          CompletableFuture.supplyAsync(
              () -> alone ? openEdge(config, handed, rods, logs, edgeLog) : null);
      keep(() -> closeOpened(listening));
      var hosts = new Hosts(ledger, routing, () -> held.frozen() || stands(routing));
      var followers =
          List.of(
              routing,
              drones.follower(),
              certificates.follower(),
              tokens.follower(),
              rodLedger.follower());
      followers.forEach(ledger::rehearse);
      ledger.audit();
      var compactor =
          keep(
              new Compactor(
                  ledger,
                  new LedgerSettings(config).compaction(),
                  most -> edges.lowest(lowest(followers, most)),
                  time));
      boolean unwarned = Undefended.of(config).contains(Undefended.CANARY);
      var stream = keep(new LedgerFeeds(ledger, unwarned ? null : routing, home, time));
      var alarms = keep(new LedgerAlarms(ledger, followers, edges, time).start());
      var operations =
          PlatformOperations.of(
              new AppOperations(drones, artifacts, logs, this::visitorsPort),
              new RouteOperations(ledger, drones.apps(), hosts),
              new PolicyOperations(ledger, drones.apps(), hosts),
              new MetricOperations(
                  List.of(
                      new PlatformMetrics(ledger, startedAt),
                      this::edgeMetrics,
                      rods,
                      parts,
                      compactor,
                      alarms)),
              new LoadOperations(this::edgeLoad),
              new CertificateOperations(certificates),
              new RodOperations(rods, rodLedger, app -> drones.apps().fleet().app(app) != null),
              new LedgerOperations(
                  ledger, followers, alarms, entry -> StreamOperations.shape(ledger, entry)),
              new PlatformOperations(
                  drones, logs, tokens, new Backup(home, store, time), this::health),
              Stream.of(stream.operations(), edges.all(), parts.operations())
                  .flatMap(List::stream)
                  .toList());
      var opened = edgeOrThrow(listening);
      edge = opened;
      visitors = opened == null ? config.listen(ServerConfig.HTTP).socket() : opened.address();
      if (opened != null) {
        traffic.open(opened);
      }
      var rules = keep(RodRules.start(settings, rods, home, ledger, routing, drones, time));
      parts.show(ledger::parts);
      parts.show(rodLedger::parts);
      parts.show(drones::parts);
      parts.show(() -> opened == null ? List.of() : opened.parts());
      parts.show(() ->
          List.of(
              certificates.part(), logs.part(), edgeLog.part(), rules.part(), compactor.part()));
      compactor.start();
      api = keep(new Api(config, operations, tokens, new RodGuard(rods::view, time)));
      Node.writeUpFile(home, api.address(), edge == null ? null : visitors, startedAt);
    } catch (IOException | StoreException | InterruptedException | RuntimeException e) {
      kept.close();
      throw e;
    }
  }

  /**
   * Starts a platform and returns when it serves.
   *
   * @throws IOException when an address is taken or a file cannot be read or written
   * @throws StoreException when the ledger cannot be opened, or another platform runs on the home
   * @throws InterruptedException when the thread is asked to end
   */
  public static Platform start(ServerConfig config, Time time)
      throws IOException, StoreException, InterruptedException {
    return new Platform(config, Descriptors.NONE, time);
  }

  /** One whose edge listens on sockets that somebody else holds. */
  static Platform start(ServerConfig config, Descriptors handed, Time time)
      throws IOException, StoreException, InterruptedException {
    return new Platform(config, handed, time);
  }

  private static long lowest(List<? extends Follower<?>> followers, long most) {
    long lowest = most;
    for (var follower : followers) {
      lowest = Math.min(lowest, follower.view().position());
    }
    return lowest;
  }

  private static boolean stands(Follower<Routing> routing) {
    return routing.standing() instanceof Standing.Frozen;
  }

  private static ArtifactLimits uploads(ServerConfig config) {
    long packed = config.bytes(ServerConfig.UPLOAD_BYTES);
    return ArtifactLimits.defaults().withBytesMax(packed, UNPACKED_FACTOR * packed);
  }

  private static DronesConfig drones(ServerConfig config) {
    var standard = DronesConfig.defaults();
    var without = Undefended.of(config);
    var defended =
        new DronesConfig(
            config.integer(ServerConfig.DRONES),
            config.integer(ServerConfig.PORT_FIRST),
            config.integer(ServerConfig.PORT_LAST),
            config.duration(ServerConfig.PORT_REST),
            config.duration(ServerConfig.BOOT_TIMEOUT),
            standard.healthTimeout(),
            config.duration(ServerConfig.DRAIN_TIMEOUT),
            config.duration(ServerConfig.STOP_TIMEOUT),
            standard.releaseTimeout(),
            standard.stableAfter(),
            standard.launchesMax(),
            standard.releasesKept(),
            standard.appsMax());
    return defended.undefended(
        without.contains(Undefended.PORT_OWNER), without.contains(Undefended.CRASH_PACING));
  }

  private Edge openEdge(
      ServerConfig config, Descriptors handed, RodBoard rods, AppLogs logs, AppLogs edgeLog) {
    try {
      var settings = new EdgeSettings(config);
      return Edge.start(
          settings.edge(),
          settings.front(),
          certificates,
          () -> routing.view().value(),
          rods::view,
          drones(config).ownersProven() ? this::holder : Owners.NONE,
          time,
          (service, line) -> {
            if (service == null) {
              edgeLog.append(EDGE_LOG, LogLine.HOLDFAST, "router", line);
            } else {
              logs.append(service, LogLine.HOLDFAST, "router", line);
            }
          },
          handed);
    } catch (IOException e) {
      throw new CompletionException(e);
    }
  }

  private Owners.Holder holder(String service, String id, int port) {
    return switch (drones.listener(id, port)) {
      case THIS_RUN -> Owners.Holder.ENDPOINT;
      case SOMEBODY_ELSE -> Owners.Holder.STRANGER;
      case NOBODY -> Owners.Holder.UNKNOWN;
      case null -> Owners.Holder.UNKNOWN;
    };
  }

  private static @Nullable Edge edgeOrThrow(CompletableFuture<@Nullable Edge> listening)
      throws IOException {
    try {
      return listening.join();
    } catch (CompletionException e) {
      switch (e.getCause()) {
        case IOException taken -> throw taken;
        case RuntimeException wrong -> throw wrong;
        case null, default -> throw e;
      }
    }
  }

  private static void closeOpened(CompletableFuture<@Nullable Edge> listening) {
    try {
      var opened = listening.join();
      if (opened != null) {
        opened.close();
      }
    } catch (CompletionException e) {
      LOG.log(Level.FINE, "the edge never opened", e);
    }
  }

  private void edgeMetrics(MetricText out) {
    if (edge != null) {
      edge.metrics().write(out);
    }
  }

  private LoadReport edgeLoad() {
    if (edge == null) {
      throw Problem.invalid(
          Check.message("roles", "no edge in this process", "ask the edge's own API"));
    }
    return edge.load();
  }

  private int visitorsPort() {
    return visitors.getPort();
  }

  private Health health() {
    return new Health(
        "ok",
        Version.NAME,
        node,
        ledger.head(),
        Duration.between(startedAt, time.now()).toSeconds(),
        Listen.url(visitors),
        routing.standing().getClass().getSimpleName().toLowerCase(Locale.ROOT));
  }

  /** What the edge routes by. */
  View<Routing> routingView() {
    return routing.view();
  }

  /** What the edge shows to clients that speak TLS. */
  TlsKeys tlsKeys() {
    return certificates;
  }

  @Override
  public String greeting() {
    var fleet = drones.apps().fleet();
    var tls = edge == null ? null : edge.tlsAddress();
    var secure = tls == null ? "" : "and https://NAME.localhost:%d/".formatted(tls.getPort());
    return """
    Holdfast %s is up.
      edge   %s   apps answer at http://NAME.localhost:%d/ %s
      API    %s   token in %s
      home   %s   ledger at position %d, %d apps, %d processes, edge on %s
    Deploy an app with:  ./holdfast deploy examples/hello
    """
        .formatted(
            Version.NAME,
            Listen.url(visitors),
            visitors.getPort(),
            secure,
            Listen.url(api.address()),
            home.directory().resolve("token"),
            home.directory(),
            ledger.head(),
            fleet.apps().size(),
            fleet.instances().size(),
            edge == null ? "other processes" : edge.transport());
  }

  @Override
  public int longConnections() {
    return edge == null ? 0 : edge.longConnections();
  }

  InetSocketAddress edgeAddress() {
    return visitors;
  }

  InetSocketAddress apiAddress() {
    return api.address();
  }

  /** Stops serving; apps go on running and the next start adopts them. Idempotent. */
  @Override
  public void close() {
    Node.removeUpFile(home);
    kept.close();
  }

  private <T extends AutoCloseable> T keep(T part) {
    return kept.keep(part);
  }
}
