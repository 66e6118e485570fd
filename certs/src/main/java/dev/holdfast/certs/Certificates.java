package dev.holdfast.certs;

import dev.holdfast.certs.Order.State;
import dev.holdfast.edge.Routing;
import dev.holdfast.edge.TlsIdentity;
import dev.holdfast.edge.TlsKeys;
import dev.holdfast.ledger.Follower;
import dev.holdfast.ledger.HostName;
import dev.holdfast.ledger.Kind;
import dev.holdfast.ledger.Ledger;
import dev.holdfast.ledger.Receipt;
import dev.holdfast.ledger.StoreException;
import dev.holdfast.ledger.Transaction;
import dev.holdfast.limits.BoundedQueue;
import dev.holdfast.limits.Check;
import dev.holdfast.limits.Outcome;
import dev.holdfast.limits.Refusal;
import dev.holdfast.limits.Supervised;
import dev.holdfast.limits.Time;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.TreeSet;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import java.util.logging.Logger;
import org.jspecify.annotations.Nullable;

/**
 * The certificates of this platform: what the edge shows for a host, and the orders (RFC 8555) that
 * see to it that there is something to show. Everything it knows stands in the ledger before it is
 * used, so that a crash at any moment loses nothing and orders nothing twice. An authority that
 * fails changes nothing for those who are served. Thread-safe; what {@link TlsKeys} asks is
 * answered from memory.
 */
public final class Certificates implements TlsKeys, AutoCloseable {
  private static final Logger LOG = Logger.getLogger(Certificates.class.getName());
  private static final Duration TICK = Duration.ofSeconds(1);
  private static final Duration WARM_UP = Duration.ofSeconds(60);
  private static final Duration STOP_WAIT = Duration.ofSeconds(5);
  private static final Duration SETTLE_WAIT = Duration.ofSeconds(10);
  private static final String LOCAL_SUFFIX = "." + Certificate.LOCAL;
  private static final String WILDCARD = "*.";

  private final Ledger ledger;
  private final CertsConfig config;
  private final Time time;
  private final Follower<Wallet> follower;
  private final Authority authority;
  private final Leadership leadership;
  private final Steward steward;
  private final @Nullable ExecutorService threads;
  private final BoundedQueue<Boolean> wakes = new BoundedQueue<>("certs.wakes", 1);
  private final CountDownLatch looked = new CountDownLatch(1);
  private final Supervised looker;

  /** What all hosts share. */
  public record Overview(
      boolean automatic,
      String directory,
      boolean leads,
      int ordersSpent,
      int ordersMax,
      @Nullable Instant pausedUntil,
      @Nullable String error) {}

  /**
   * A service that does nothing by itself yet.
   *
   * @param executor runs orders; null for virtual threads of its own
   */
  Certificates(
      Ledger ledger,
      CertsConfig config,
      Supplier<Routing> routing,
      Authority authority,
      Time time,
      String node,
      @Nullable Executor executor) {
    this.ledger = ledger;
    this.config = config;
    this.time = time;
    this.authority = authority;
    Executor runner;
    if (executor == null) {
      var made = Executors.newThreadPerTaskExecutor(Thread.ofVirtual().name("certs-", 0).factory());
      threads = made;
      runner = made;
    } else {
      threads = null;
      runner = executor;
    }
    follower = new Follower<>("certs", ledger, Wallet.FOLD, time);
    leadership = new Leadership(ledger, time, node);
    var book = new Book(ledger, follower, leadership, node);
    var accounts = new Accounts(book, authority, config.contact());
    steward =
        new Steward(follower, routing, book, accounts, authority, leadership, config, time, runner);
    looker = Supervised.virtual("certs", time, _ -> look());
  }

  /** Who folds the certificates, for who reports how followers are. */
  public Follower<?> follower() {
    return follower;
  }

  /** Everything of this room that may stand in the ledger. */
  public static List<Kind<?>> kinds() {
    return List.of(Account.KIND, Ca.KIND, Certificate.KIND, Order.KIND, TicketKeys.KIND);
  }

  /**
   * Certificates that can be shown when this returns, and are looked after from then on.
   *
   * @param routing which hosts lead somewhere, read anew for each decision
   * @param node who this machine is in the ledger
   * @throws IOException when the file of roots cannot be read
   * @throws StoreException when the ledger cannot be read to its head in time
   * @throws InterruptedException when the thread is asked to end
   */
  public static Certificates start(
      Ledger ledger, CertsConfig config, Supplier<Routing> routing, Time time, String node)
      throws IOException, StoreException, InterruptedException {
    var authority = new Acme(config.roots(), time);
    var certificates = new Certificates(ledger, config, routing, authority, time, node, null);
    try {
      certificates.open();
    } catch (StoreException | InterruptedException | RuntimeException e) {
      certificates.close();
      throw e;
    }
    certificates.looker.start();
    return certificates;
  }

  /** Reads the ledger; nothing is looked after yet. */
  void open() throws StoreException, InterruptedException {
    follower.start();
    if (!follower.awaitApplied(ledger.head(), WARM_UP)) {
      throw new StoreException("the ledger could not be read to its head in " + WARM_UP);
    }
  }

  /** One look at what is due. */
  void tick() throws InterruptedException {
    steward.tick();
  }

  /**
   * Waits until it has looked once, after which there is what needs no authority: keys of session
   * tickets, and the certificate of this machine.
   *
   * @return whether it has within {@code wait}
   * @throws InterruptedException when the thread is asked to end
   */
  public boolean awaitLooked(Duration wait) throws InterruptedException {
    return looked.await(wait.toMillis(), TimeUnit.MILLISECONDS);
  }

  private void look() throws InterruptedException {
    while (!wakes.closed()) {
      tick();
      looked.countDown();
      var _ = wakes.take(1, TICK);
    }
  }

  /** The background part that looks after them. */
  public Supervised part() {
    return looker;
  }

  // ---- what the edge asks

  @Override
  public @Nullable TlsIdentity identity(String host) {
    var wallet = wallet();
    var held = wallet.covering(host);
    if (held != null) {
      return held.identity();
    }
    var own = wallet.selfSigned();
    boolean shown =
        switch (config.selfSigned()) {
          case OFF -> false;
          case LOCAL ->
              host.isEmpty() || host.equals(Certificate.LOCAL) || host.endsWith(LOCAL_SUFFIX);
          case ON -> true;
        };
    return own != null && shown ? own.identity() : null;
  }

  @Override
  public @Nullable TlsIdentity challenge(String host) {
    var pending = wallet().orders().get(host);
    return pending == null ? null : pending.challenge();
  }

  @Override
  public @Nullable String response(String host, String token) {
    var pending = wallet().orders().get(host);
    var challenge = pending == null ? null : pending.order().challenge();
    return challenge != null
            && challenge.proof() == CertsConfig.Proof.HTTP_01
            && challenge.token().equals(token)
        ? challenge.answer()
        : null;
  }

  @Override
  public List<byte[]> ticketKeys() {
    return wallet().ticketKeys();
  }

  private Wallet wallet() {
    return follower.view().value();
  }

  // ---- what people ask

  /** How every host stands that has a certificate or wants one, in order of their names. */
  public List<CertificateStatus> list() {
    var wallet = wallet();
    var hosts = new TreeSet<String>();
    wallet.certificates().forEach((host, _) -> hosts.add(host));
    wallet.orders().forEach((host, _) -> hosts.add(host));
    var list = new ArrayList<CertificateStatus>(hosts.size() + 1);
    hosts.forEach(
        host -> list.add(status(host, wallet.certificates().get(host), wallet.orders().get(host))));
    var own = wallet.selfSigned();
    if (own != null && config.selfSigned() != CertsConfig.SelfSigned.OFF) {
      list.add(status(own.certificate().host(), own, null));
    }
    list.sort(Comparator.comparing(CertificateStatus::host));
    return list;
  }

  /** What all hosts share. */
  public Overview overview() {
    var directory = config.directory().toString();
    var ca = wallet().authorities().get(directory);
    var now = time.now();
    return new Overview(
        config.automatic(),
        directory,
        leadership.epoch() >= 0,
        ca == null ? 0 : ca.recent(now).size(),
        config.limits().orders(),
        ca != null && ca.paused(now) ? ca.pausedUntil() : null,
        ca == null ? null : ca.error());
  }

  /**
   * Sees to it that a host has a certificate, by ordering one where there is none. Asking again
   * changes nothing.
   */
  public Outcome<CertificateStatus> add(String actor, String host) {
    return order(actor, host, false);
  }

  /** Orders the next certificate of a host now, as far as the budgets allow. */
  public Outcome<CertificateStatus> renew(String actor, String host) {
    return order(actor, host, true);
  }

  /** Shows for a host what a person brings; nothing is ordered for it as long as it is there. */
  public Outcome<CertificateStatus> install(
      String actor, String host, String chainText, String keyText) {
    try {
      var name = host(host);
      var chain = Pem.chain(chainText);
      var key = Pem.fitting(name, chain, Pem.key(keyText));
      var from = chain.getFirst().getNotBefore().toInstant();
      var to = chain.getFirst().getNotAfter().toInstant();
      Check.that(time.now().isBefore(to), "chain", "expired at " + to, "one that is still good");
      var certificate =
          new Certificate(
              name,
              Certificate.Source.MANUAL,
              Pem.write(chain),
              key,
              null,
              from,
              to,
              Drive.renewal(from, to, time),
              actor);
      return append(
          Transaction.by(actor)
              .put(Certificate.KIND, certificate.place(), certificate, Transaction.ANY),
          name);
    } catch (IllegalArgumentException e) {
      return Outcome.refused(new Refusal.Invalid(String.valueOf(e.getMessage())));
    }
  }

  /** Shows nothing for a host any more; what counts for the authority's limits is kept. */
  public Outcome<CertificateStatus> remove(String actor, String host) {
    String name;
    try {
      name = host(host);
    } catch (IllegalArgumentException e) {
      return Outcome.refused(new Refusal.Invalid(String.valueOf(e.getMessage())));
    }
    var wallet = wallet();
    var pending = wallet.orders().get(name);
    if (wallet.certificates().get(name) == null
        && (pending == null || pending.order().state() == State.ISSUED)) {
      return Outcome.refused(
          new Refusal.NotFound(
              "certificate " + name + ": none (expected: a host that `holdfast certs` lists)"));
    }
    var transaction = Transaction.by(actor).delete(Certificate.key(name), Transaction.ANY);
    if (pending != null) {
      transaction.put(
          Order.KIND, Order.key(name), pending.order().issued(time.now()), Transaction.PRESENT);
    }
    return append(transaction, name);
  }

  private Outcome<CertificateStatus> order(String actor, String host, boolean again) {
    String name;
    try {
      name = host(host);
    } catch (IllegalArgumentException e) {
      return Outcome.refused(new Refusal.Invalid(String.valueOf(e.getMessage())));
    }
    var refusal = refusal(name, again);
    if (refusal != null) {
      return Outcome.refused(refusal);
    }
    var wallet = wallet();
    var pending = wallet.orders().get(name);
    var now = time.now();
    var order = pending == null ? null : pending.order();
    if (order != null && order.state().underWay() && order.due(now)) {
      return Outcome.done(status(name)); // it is being done
    }
    if (!again && wallet.certificates().get(name) != null) {
      return Outcome.done(status(name));
    }
    var transaction = Transaction.by(actor);
    if (order == null) {
      transaction.put(
          Order.KIND,
          Order.key(name),
          Order.wanted(name, config.directory().toString(), now),
          Transaction.ABSENT);
    } else {
      var next = order.state().underWay() ? order.until(null, order.error()) : order.wanted(now);
      transaction.put(Order.KIND, Order.key(name), next, Transaction.PRESENT);
    }
    return append(transaction, name);
  }

  /** Unknown hosts are refused here, before any authority hears of them. */
  private @Nullable Refusal refusal(String host, boolean again) {
    if (!steward.orderable(host)) {
      return new Refusal.Invalid(
          Check.message("host", host, "a public name that an authority can vouch for"));
    }
    if (!steward.routed(host)) {
      return new Refusal.NotFound(
          Check.message("host " + host, "leads nowhere", "a domain of an app, or a route"));
    }
    var held = wallet().covering(host);
    return again && held != null && held.certificate().source() == Certificate.Source.MANUAL
        ? new Refusal.Conflict(
            Check.message(
                "certificate " + host,
                "brought by " + held.certificate().actor(),
                "one that was ordered; bring the next one, or remove it"))
        : null;
  }

  private Outcome<CertificateStatus> append(Transaction transaction, String host) {
    return switch (ledger.append(transaction)) {
      case Outcome.Done<Receipt>(var receipt) -> {
        try {
          var _ = follower.awaitApplied(receipt.position(), SETTLE_WAIT);
        } catch (InterruptedException e) {
          Thread.currentThread().interrupt();
        }
        var _ = wakes.offer(true);
        yield Outcome.done(status(host));
      }
      case Outcome.Refused<Receipt>(var refusal) -> Outcome.refused(refusal);
    };
  }

  private static String host(String text) {
    return text.startsWith(WILDCARD)
        ? WILDCARD + HostName.of(text.substring(WILDCARD.length()))
        : HostName.of(text);
  }

  private CertificateStatus status(String host) {
    var wallet = wallet();
    return status(host, wallet.certificates().get(host), wallet.orders().get(host));
  }

  private CertificateStatus status(
      String host, Wallet.@Nullable Held held, Wallet.@Nullable Underway pending) {
    var certificate = held == null ? null : held.certificate();
    var order = pending == null ? null : pending.order();
    var challenge = order == null ? null : order.challenge();
    return new CertificateStatus(
        host,
        certificate == null ? "none" : name(certificate.source()),
        state(certificate, order),
        held == null ? null : issuer(held),
        certificate == null ? null : certificate.notBefore(),
        certificate == null ? null : certificate.notAfter(),
        certificate == null ? null : certificate.renewAt(),
        order == null || order.state() == State.ISSUED ? null : order.directory(),
        challenge == null ? null : challenge.proof().label(),
        order == null ? 0 : order.failures(),
        order == null ? null : order.nextTryAt(),
        order == null ? null : order.error());
  }

  private String state(@Nullable Certificate certificate, @Nullable Order order) {
    if (order != null && order.state() != State.ISSUED) {
      return name(order.state());
    }
    if (certificate == null) {
      return "none";
    }
    return certificate.expired(time.now()) ? "expired" : "issued";
  }

  private static String issuer(Wallet.Held held) {
    return held.identity().chain().getFirst().getIssuerX500Principal().getName();
  }

  private static String name(Enum<?> value) {
    return value.name().toLowerCase(Locale.ROOT).replace('_', '-');
  }

  /** Cuts what is under way; the next start goes on with it. Idempotent. */
  @Override
  public void close() {
    looker.end();
    wakes.close();
    looker.thread().interrupt();
    if (threads != null) {
      threads.shutdownNow(); // before the connections: who is cut knows that this is the end
    }
    authority.close();
    try {
      if (threads != null) {
        if (!threads.awaitTermination(STOP_WAIT.toMillis(), TimeUnit.MILLISECONDS)) {
          LOG.warning("an order did not end in " + STOP_WAIT + "; it ends with the process");
        }
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    looker.join(STOP_WAIT);
    leadership.release();
    follower.close();
  }
}
