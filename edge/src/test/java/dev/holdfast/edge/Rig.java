package dev.holdfast.edge;

import dev.holdfast.ledger.Endpoint;
import dev.holdfast.ledger.Entry;
import dev.holdfast.ledger.Kind;
import dev.holdfast.ledger.Payload;
import dev.holdfast.ledger.Policy;
import dev.holdfast.ledger.Route;
import dev.holdfast.ledger.Service;
import dev.holdfast.limits.RodView;
import dev.holdfast.limits.Time;
import io.netty.util.ResourceLeakDetector;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.BooleanSupplier;

/** An edge with a routing that the test writes and a log that the test reads. */
final class Rig implements AutoCloseable {
  static final RoutingFold FOLD = new RoutingFold();

  final List<String> log = new CopyOnWriteArrayList<>();
  final Edge edge;
  private volatile Routing routing = FOLD.start();
  private volatile RodView rods = RodView.NONE;
  private long position;

  static {
    ResourceLeakDetector.setLevel(ResourceLeakDetector.Level.PARANOID);
  }

  Rig(TestConfig config, Transport transport) throws IOException {
    this(config, Owners.NONE, transport);
  }

  private Rig(TestConfig config, Owners owners, Transport transport) throws IOException {
    edge =
        Edge.start(
            config.build(),
            FrontConfig.defaults(),
            TlsKeys.NONE,
            () -> routing,
            () -> rods,
            owners,
            Time.system(),
            (_, line) -> log.add(line),
            transport,
            Descriptors.NONE);
  }

  Rig(TestConfig config) throws IOException {
    this(config, transport());
  }

  /** One that asks whose processes listen. */
  Rig(TestConfig config, Owners owners) throws IOException {
    this(config, owners, transport());
  }

  /** The best of this machine, or the one that {@code -Dholdfast.test.transport} names. */
  private static Transport transport() {
    var name = System.getProperty("holdfast.test.transport", Transport.best().name());
    return Transport.all().stream().filter(t -> t.name().equals(name)).findFirst().orElseThrow();
  }

  Rig() throws IOException {
    this(new TestConfig());
  }

  static <T> Entry entry(long position, String key, Kind<T> kind, T value) {
    return new Entry(
        position,
        key,
        kind.name(),
        kind.schema(),
        1,
        Instant.EPOCH,
        "test",
        false,
        kind.encode(value));
  }

  static Entry deletion(long position, String key, String kind) {
    return new Entry(position, key, kind, 1, 2, Instant.EPOCH, "test", true, Payload.EMPTY);
  }

  Rig route(String host, String service) {
    put(Route.key(host), Route.KIND, Route.toService(host, service));
    return this;
  }

  Rig address(String host, String address) {
    put(Route.key(host), Route.KIND, Route.toAddress(host, address));
    return this;
  }

  Rig service(String name, boolean released, int instances) {
    put(Service.key(name), Service.KIND, new Service(name, released, instances));
    return this;
  }

  Rig endpoint(String service, int n, int port, Endpoint.State state) {
    var endpoint =
        new Endpoint(service, "e" + n, "web." + n, "127.0.0.1", port, "lease/" + n, 1, state);
    put(endpoint.key(), Endpoint.KIND, endpoint);
    return this;
  }

  /** Host {@code app.test} leads to one endpoint that is up. */
  Rig app(Backend backend) {
    return route("app.test", "app")
        .service("app", true, 1)
        .endpoint("app", 1, backend.port(), Endpoint.State.UP);
  }

  /** Which control rods are in. */
  Rig rods(RodView now) {
    rods = now;
    return this;
  }

  /** What holds for that host. */
  Rig policy(String host, Policy policy) {
    put(Policy.hostKey(host), Policy.KIND, policy);
    return this;
  }

  private synchronized <T> void put(String key, Kind<T> kind, T value) {
    routing = FOLD.apply(routing, entry(++position, key, kind, value));
  }

  Wire connect() throws IOException {
    return Wire.to(edge.address());
  }

  /** One request on a connection of its own. */
  Wire.Message ask(String raw) throws IOException {
    try (var wire = connect()) {
      return wire.send(raw).message(raw.startsWith("HEAD "));
    }
  }

  static String get(String path) {
    return "GET " + path + " HTTP/1.1\r\nHost: app.test\r\n\r\n";
  }

  /** The last line, once there are that many. */
  String logged(int count) {
    until(() -> log.size() >= count);
    return log.get(count - 1);
  }

  static void until(BooleanSupplier condition) {
    long deadline = System.nanoTime() + Duration.ofSeconds(10).toNanos();
    while (!condition.getAsBoolean()) {
      if (System.nanoTime() > deadline) {
        throw new AssertionError("waited in vain");
      }
      try {
        Thread.sleep(5);
      } catch (InterruptedException e) {
        throw new AssertionError(e);
      }
    }
  }

  @Override
  public void close() {
    edge.close();
    if (edge.buffersInUse() != 0) {
      throw new AssertionError(edge.buffersInUse() + " buffers were not given back");
    }
  }
}
