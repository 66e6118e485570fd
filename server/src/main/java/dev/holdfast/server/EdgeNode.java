package dev.holdfast.server;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.holdfast.drones.AppLogs;
import dev.holdfast.drones.LogLimits;
import dev.holdfast.drones.LogLine;
import dev.holdfast.edge.Descriptors;
import dev.holdfast.edge.Edge;
import dev.holdfast.edge.Routing;
import dev.holdfast.edge.RoutingFold;
import dev.holdfast.edge.TlsKeys;
import dev.holdfast.ledger.Follower;
import dev.holdfast.ledger.FollowerConfig;
import dev.holdfast.ledger.HttpFeed;
import dev.holdfast.ledger.Standing;
import dev.holdfast.ledger.StoreException;
import dev.holdfast.limits.MetricText;
import dev.holdfast.limits.Time;
import dev.holdfast.server.Shapes.Health;
import dev.holdfast.store.HomeLock;
import io.javalin.http.Context;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.security.MessageDigest;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.Set;
import java.util.logging.Logger;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * An edge in a process of its own: it follows a control process over HTTP, holds neither store nor
 * secrets, and goes on serving by what it knows when nobody answers. Visitors are let in once it
 * knows something; until then its health says that it is warming. Thread-safe.
 */
final class EdgeNode implements Node {
  private static final Logger LOG = Logger.getLogger(EdgeNode.class.getName());
  private static final Duration LOOK = Duration.ofSeconds(1);
  private static final Duration SAY_AGAIN = Duration.ofSeconds(30);
  private static final Duration ROD_WAIT = Duration.ofSeconds(5);
  private static final int TOKEN_BYTES = 32;

  private final Kept kept = new Kept();
  private final Home home;
  private final Time time;
  private final Instant startedAt;
  private final String name;
  private final RodBoard rods;
  private final HttpFeed feed;
  private final HeldFeed held;
  private final Follower<Routing> routing;
  private final Supervision parts = new Supervision();
  private final Api api;
  private final AppLogs log;
  private volatile @Nullable Edge edge;

  private EdgeNode(ServerConfig config, Descriptors handed, Time time)
      throws IOException, StoreException, InterruptedException {
    this.time = time;
    startedAt = time.now();
    try {
      home = Home.open(config.home());
      keep(HomeLock.acquire(home.directory()));
      Natives.unpackInto(home.natives());
      if (handed.isEmpty()) {
        config.listen(ServerConfig.HTTP).probe("http");
      }
      config.listen(ServerConfig.API).probe("api");
      name = home.node(time.random());
      rods = new RodBoard(home.rodsFile(), name, new RodSettings(config).rods(), time);
      keep(RodSocket.openOrWarn(rods, home.directory(), time));
      var directory = Roles.keys(config);
      var keys = directory == null ? null : LocalKeys.read(directory);
      var feeding = Roles.feed(config);

      feed = keep(new HttpFeed(feeding, time));
      feed.start();
      held = new HeldFeed(feed, rods::view, time);
      var without = Undefended.of(config);
      boolean forgetful = without.contains(Undefended.DISK_COPY);
      routing = keep(follower(without));
      routing.start();
      var rodFeed = keep(new HttpFeed("rods-feed", feeding.withOnly("rods"), time));
      rodFeed.start();
      var rodFollower = keep(rodFollower(rodFeed, forgetful));
      log = keep(new AppLogs(home.edgeLog(), LogLimits.defaults(), time));
      api = keep(new Api(config, operations(), doorman(), new RodGuard(rods::view, time)));
      awaitView();
      if (!rodFollower.start(0, ROD_WAIT)) {
        LOG.warning("what the ledger says of control rods is not known yet; the edge serves");
      }
      held.heed();

      var opened = keep(open(config, handed, keys));
      edge = opened;
      var reporter = new EdgeReporter(name, feed, feeding, routing, opened, rods, time);
      keep(reporter.start());
      parts.show(() ->
          Stream.of(
                  feed.parts(),
                  rodFeed.parts(),
                  opened.parts(),
                  List.of(rodFollower.part(), reporter.part(), log.part()))
              .flatMap(List::stream)
              .toList());
      Node.writeUpFile(home, api.address(), opened.address(), startedAt);
    } catch (IOException | StoreException | InterruptedException | RuntimeException e) {
      kept.close();
      throw e;
    }
  }

  /**
   * Starts an edge and returns when it serves, which may take until a control process answers.
   *
   * @throws IOException when an address is taken or a file cannot be read or written
   * @throws StoreException when another process runs on the home
   * @throws InterruptedException when the thread is asked to end
   */
  static EdgeNode start(ServerConfig config, Descriptors handed, Time time)
      throws IOException, StoreException, InterruptedException {
    return new EdgeNode(config, handed, time);
  }

  /** The one place that decides what the edge knows before anybody answers. */
  private Follower<Routing> follower(Set<Undefended> without) throws IOException {
    var fold =
        without.contains(Undefended.POISON_QUARANTINE)
            ? Naive.mortal(new RoutingFold(), time)
            : Suspects.open(home.applyingFile()).guard(new RoutingFold());
    var standard = FollowerConfig.defaults();
    var config =
        without.contains(Undefended.DISK_COPY) ? standard : standard.withShelf(home.shelf());
    var from = without.contains(Undefended.DIGESTS) ? new Naive.Deaf(held) : held;
    return new Follower<>("routing", from, fold, config, time);
  }

  private RodFollower rodFollower(HttpFeed rodFeed, boolean forgetful) {
    var standard = FollowerConfig.defaults();
    var config = forgetful ? standard : standard.withShelf(home.rodsShelf());
    return new RodFollower(rods, rodFeed, config, time);
  }

  private void awaitView() throws InterruptedException {
    long said = time.nanos();
    while (!routing.awaitApplied(0, LOOK)) {
      if (time.nanos() - said > SAY_AGAIN.toNanos()) {
        said = time.nanos();
        LOG.warning("no control process answered yet and nothing is known from before: waiting");
      }
    }
  }

  private Edge open(ServerConfig config, Descriptors handed, @Nullable TlsKeys keys)
      throws IOException {
    var settings = new EdgeSettings(config);
    var front = settings.front();
    return Edge.start(
        settings.edge(),
        keys == null ? front.withTlsListen(null) : front,
        keys == null ? TlsKeys.NONE : keys,
        () -> routing.view().value(),
        rods::view,
        time,
        (service, line) ->
            log.append(service == null ? "edge" : service, LogLine.HOLDFAST, "router", line),
        handed);
  }

  // ---- the API of an edge: how it is, and nothing that changes anything

  private List<Operation> operations() {
    var all = new ArrayList<Operation>();
    all.add(
        Operation.get("/v1/health", "Says how the edge is.", Health.class, this::health)
            .as(Operation.Access.OPEN, null));
    all.addAll(new MetricOperations(List.of(this::metrics, rods, parts)).all());
    all.addAll(parts.operations());
    return List.copyOf(all);
  }

  private @Nullable Object health(Context context) {
    var opened = edge;
    var health =
        new Health(
            opened == null ? "warming" : "ok",
            Version.NAME,
            name,
            routing.view().position(),
            Duration.between(startedAt, time.now()).toSeconds(),
            opened == null ? "" : Listen.url(opened.address()),
            routing.standing().getClass().getSimpleName().toLowerCase(Locale.ROOT));
    Api.answer(context, opened == null ? 503 : 200, health);
    return null;
  }

  private void metrics(MetricText out) {
    out.gauge("holdfast_info", "What runs.").sample(1, "version", Version.NAME);
    out.gauge("holdfast_ledger_position", "Up to where the ledger is applied.")
        .sample(routing.view().position());
    var heard = feed.heard();
    out.gauge("holdfast_ledger_head", "Head of the ledger, as a control process said last.")
        .sample(heard == null ? 0 : heard.head());
    out.gauge("holdfast_ledger_silence_seconds", "Since a control process was heard; -1: never.")
        .sample(heard == null ? -1 : (time.nanos() - heard.nanos()) / 1e9);
    var knownAt = routing.report().knownAt();
    out.gauge("holdfast_routing_age_seconds", "Since the view was known to be right; -1: never.")
        .sample(knownAt == null ? -1 : Duration.between(knownAt, time.now()).toMillis() / 1e3);
    var opened = edge;
    if (opened != null) {
      opened.metrics().write(out);
    }
  }

  /** Whoever may read the home's token may look at the edge. */
  private Doorman doorman() throws IOException {
    var known = home.token();
    if (known == null) {
      byte[] bytes = new byte[TOKEN_BYTES];
      time.random().nextBytes(bytes);
      known = "hf_" + Base64.getUrlEncoder().withoutPadding().encodeToString(bytes);
      home.writeToken(known);
    }
    byte[] secret = known.getBytes(UTF_8);
    var token = new Token("home", "home", "", startedAt, null);
    return told -> MessageDigest.isEqual(secret, told.getBytes(UTF_8)) ? token : null;
  }

  // ---- its end

  @Override
  public String greeting() {
    var opened = edge;
    return """
    Holdfast %s is up as an edge.
      edge   %s
      API    %s   health and metrics, token in %s
      home   %s   ledger applied to position %d, %s
    """
        .formatted(
            Version.NAME,
            opened == null ? "" : Listen.url(opened.address()),
            Listen.url(api.address()),
            home.directory().resolve("token"),
            home.directory(),
            routing.view().position(),
            routing.standing() instanceof Standing.Following ? "in step" : "not in step");
  }

  @Override
  public int longConnections() {
    var opened = edge;
    return opened == null ? 0 : opened.longConnections();
  }

  /** Where visitors reach it. */
  InetSocketAddress edgeAddress() {
    return Objects.requireNonNull(edge, "an edge that started").address();
  }

  String name() {
    return name;
  }

  InetSocketAddress apiAddress() {
    return api.address();
  }

  @Override
  public void close() {
    Node.removeUpFile(home);
    kept.close();
  }

  private <T extends AutoCloseable> T keep(T part) {
    return kept.keep(part);
  }
}
