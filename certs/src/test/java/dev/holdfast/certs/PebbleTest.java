package dev.holdfast.certs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.holdfast.certs.CertsConfig.Proof;
import dev.holdfast.edge.Routing;
import dev.holdfast.ledger.Kind;
import dev.holdfast.ledger.Kinds;
import dev.holdfast.ledger.Ledger;
import dev.holdfast.ledger.LedgerConfig;
import dev.holdfast.ledger.MemoryStore;
import dev.holdfast.ledger.PersistentMap;
import dev.holdfast.ledger.Route;
import dev.holdfast.limits.Time;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.BooleanSupplier;
import java.util.logging.Level;
import java.util.logging.Logger;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Against a real authority: all that a fake one may have got wrong. */
class PebbleTest {
  private static final Duration WAIT = Duration.ofSeconds(30);
  private static final String NODE = "node-1";

  @TempDir static Path folder;
  private static Pebble pebble;
  private static Visitor visitor;
  private static final Logger LOG = Logger.getLogger("dev.holdfast.certs");
  private static final AtomicReference<Certificates> SERVICE = new AtomicReference<>();

  private final MemoryStore store = new MemoryStore();
  private Ledger ledger;

  @BeforeAll
  static void startPebble() throws Exception {
    LOG.setLevel(Level.OFF); // what breaks here is meant to
    assumeTrue(Pebble.installed(), "pebble is not installed (apt-get install pebble)");
    pebble = new Pebble(folder);
    visitor = new Visitor(pebble.httpPort, pebble.tlsPort, SERVICE::get);
  }

  @AfterAll
  static void stopPebble() throws Exception {
    if (visitor != null) {
      visitor.close();
    }
    if (pebble != null) {
      pebble.close();
    }
  }

  @BeforeEach
  void openLedger() throws Exception {
    ledger =
        Ledger.open(
            store,
            Kinds.of(Certificates.kinds().toArray(Kind<?>[]::new)),
            LedgerConfig.defaults(),
            Time.system());
  }

  @AfterEach
  void close() {
    SERVICE.get().close();
    ledger.close();
  }

  private static CertsConfig config(Proof... proofs) {
    return new CertsConfig(
        true,
        pebble.directory,
        null,
        "operator@holdfast.dev",
        pebble.roots,
        List.of(proofs),
        CertsConfig.SelfSigned.LOCAL,
        CertsConfig.defaults().limits(),
        4);
  }

  private static Routing routing(String host) {
    PersistentMap<String, Route> none = PersistentMap.empty();
    return new Routing(
        none.with(host, Route.toService(host, "app")),
        PersistentMap.empty(),
        PersistentMap.empty());
  }

  private Certificates start(String host, Proof... proofs) throws Exception {
    var routing = routing(host);
    var started = Certificates.start(ledger, config(proofs), () -> routing, Time.system(), NODE);
    SERVICE.set(started);
    return started;
  }

  private static void await(String what, BooleanSupplier condition) throws Exception {
    long end = System.nanoTime() + WAIT.toNanos();
    while (!condition.getAsBoolean()) {
      if (System.nanoTime() > end) {
        throw new AssertionError(
            "not within " + WAIT + ": " + what + ": " + SERVICE.get().list() + pebble.log());
      }
      Thread.sleep(20);
    }
  }

  private void obtainsAndRenews(String host, Proof... proofs) throws Exception {
    var certificates = start(host, proofs);
    await("a certificate", () -> certificates.identity(host) != null);
    var first = Objects.requireNonNull(certificates.identity(host));
    assertThat(first.chain()).hasSizeGreaterThan(1);
    assertThat(first.chain().getFirst().getIssuerX500Principal().getName()).contains("Pebble");
    assertThat(Pem.matches(first.chain().getFirst(), first.key())).isTrue();
    certificates.renew("test", host).orThrow();
    await("a renewed one", () -> !first.equals(certificates.identity(host)));
    assertThat(Objects.requireNonNull(certificates.identity(host)).chain().getFirst())
        .isNotEqualTo(first.chain().getFirst());
    await("both noted", () -> certificates.list().getFirst().state().equals("issued"));
    assertThat(certificates.overview().ordersSpent()).isEqualTo(2);
  }

  @Test
  void obtainsAndRenewsByHttp01() throws Exception {
    obtainsAndRenews("http.holdfast.dev", Proof.HTTP_01);
  }

  @Test
  void obtainsAndRenewsByTlsAlpn01() throws Exception {
    obtainsAndRenews("tls.holdfast.dev", Proof.TLS_ALPN_01);
  }

  /** Dropped right after the request for the certificate was sent; nothing in memory is left. */
  @Test
  void goesOnWithTheSameOrderAfterACrash() throws Exception {
    var host = "crash.holdfast.dev";
    var routing = routing(host);
    var cut = new CutAfterRequest(new Acme(pebble.roots, Time.system()), store);
    var first =
        new Certificates(
            ledger, config(Proof.HTTP_01), () -> routing, cut, Time.system(), NODE, Runnable::run);
    SERVICE.set(first);
    first.open();
    first.tick();
    assertThat(cut.requests).isOne();
    assertThat(first.identity(host)).isNull();
    first.close();
    ledger.close();
    store.failWith(null);
    openLedger();

    var second = start(host, Proof.HTTP_01);
    await("the certificate that was asked for", () -> second.identity(host) != null);
    assertThat(second.overview().ordersSpent()).isOne();
    var identity = Objects.requireNonNull(second.identity(host));
    assertThat(Pem.matches(identity.chain().getFirst(), identity.key())).isTrue();
  }
}
