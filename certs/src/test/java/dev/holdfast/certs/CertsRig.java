package dev.holdfast.certs;

import dev.holdfast.edge.Routing;
import dev.holdfast.edge.TlsIdentity;
import dev.holdfast.ledger.Kind;
import dev.holdfast.ledger.Kinds;
import dev.holdfast.ledger.Ledger;
import dev.holdfast.ledger.LedgerConfig;
import dev.holdfast.ledger.MemoryStore;
import dev.holdfast.ledger.PersistentMap;
import dev.holdfast.ledger.Route;
import dev.holdfast.ledger.StoreException;
import dev.holdfast.limits.ManualTime;
import java.net.URI;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.logging.Level;
import java.util.logging.Logger;
import org.jspecify.annotations.Nullable;

/** A service over a store in memory, which can be dropped at any moment and made anew. */
final class CertsRig implements AutoCloseable {
  static final URI DIRECTORY = URI.create("https://ca.example/directory");
  static final URI STAGING = URI.create("https://staging.example/directory");

  private static final Logger LOG = Logger.getLogger("dev.holdfast.certs");

  static {
    LOG.setLevel(Level.OFF); // what fails here is meant to
  }

  final ManualTime time = new ManualTime();
  final MemoryStore store = new MemoryStore();
  final FakeAuthority authority = new FakeAuthority(time);
  volatile Routing routing = Routing.empty();
  CertsConfig config;
  Ledger ledger;
  Certificates certificates;

  CertsRig(CertsConfig config) throws Exception {
    this.config = config;
    authority.onKill = () -> store.failWith("killed");
    ledger = ledger();
    certificates = service();
  }

  static CertsConfig config(boolean automatic, @Nullable URI staging, CertsConfig.Limits limits) {
    return new CertsConfig(
        automatic,
        DIRECTORY,
        staging,
        null,
        null,
        List.of(CertsConfig.Proof.HTTP_01, CertsConfig.Proof.TLS_ALPN_01),
        CertsConfig.SelfSigned.LOCAL,
        limits,
        4);
  }

  static CertsRig automatic(String... hosts) throws Exception {
    var rig = new CertsRig(config(true, null, CertsConfig.defaults().limits()));
    rig.route(hosts);
    return rig;
  }

  private Ledger ledger() throws StoreException {
    var kinds = Certificates.kinds().toArray(Kind<?>[]::new);
    return Ledger.open(store, Kinds.of(kinds), LedgerConfig.defaults(), time);
  }

  private Certificates service() throws Exception {
    var made =
        new Certificates(ledger, config, () -> routing, authority, time, "node-1", Runnable::run);
    made.open();
    authority.visitor = made;
    return made;
  }

  void route(String... hosts) {
    PersistentMap<String, Route> routes = PersistentMap.empty();
    for (var host : hosts) {
      routes = routes.with(host, Route.toService(host, "app"));
    }
    routing = new Routing(routes, PersistentMap.empty(), PersistentMap.empty());
  }

  /** Nothing in memory is left; what is on disk is. */
  void crashAndRestart() throws Exception {
    store.failWith("killed");
    certificates.close();
    ledger.close();
    store.failWith(null);
    authority.killAt = 0;
    ledger = ledger();
    certificates = service();
  }

  /** Lets time pass in steps, with a look after each. */
  void pass(Duration in, Duration step) throws Exception {
    var end = time.now().plus(in);
    while (time.now().isBefore(end)) {
      time.advance(step);
      certificates.tick();
    }
  }

  void pass(Duration in) throws Exception {
    pass(in, Duration.ofSeconds(10));
  }

  CertificateStatus status(String host) {
    return certificates.list().stream()
        .filter(status -> status.host().equals(host))
        .findFirst()
        .orElseThrow(() -> new AssertionError("nothing of " + host));
  }

  /** What the edge is given for that host. */
  TlsIdentity shown(String host) {
    return Objects.requireNonNull(certificates.identity(host), host);
  }

  @Override
  public void close() {
    certificates.close();
    ledger.close();
  }
}
