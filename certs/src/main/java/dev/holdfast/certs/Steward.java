package dev.holdfast.certs;

import dev.holdfast.certs.Authority.Failure;
import dev.holdfast.certs.Book.Lost;
import dev.holdfast.certs.Order.State;
import dev.holdfast.edge.Routing;
import dev.holdfast.ledger.Follower;
import dev.holdfast.ledger.PersistentMap;
import dev.holdfast.ledger.Route;
import dev.holdfast.ledger.Transaction;
import dev.holdfast.limits.Time;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.Supplier;
import java.util.logging.Level;
import java.util.logging.Logger;
import org.jspecify.annotations.Nullable;

/**
 * Looks at what there is and starts what is due: hosts that want a certificate, certificates that
 * age, orders whose wait is over, keys of session tickets. On every node, but it acts only on the
 * one that leads. Confined to one thread, but for the drives that it starts.
 */
final class Steward {
  private static final Logger LOG = Logger.getLogger(Steward.class.getName());
  private static final int WANTED_AT_ONCE = 500;
  private static final int ROUTES_AT_ONCE = 10_000; // more are not gone through every second
  private static final Duration SCAN_EVERY = Duration.ofSeconds(30);
  private static final Duration TIDY_EVERY = Duration.ofHours(1);
  private static final Duration LOUD_EVERY = Duration.ofHours(24);
  private static final Duration WINDOW_EVERY = Duration.ofHours(6);
  private static final Duration KEPT_EXPIRED = Duration.ofDays(30);

  private final Follower<Wallet> follower;
  private final Supplier<Routing> routing;
  private final Book book;
  private final Purse purse;
  private final Accounts accounts;
  private final Authority authority;
  private final Leadership leadership;
  private final CertsConfig config;
  private final Time time;
  private final Executor executor;

  private final Set<String> underWay = ConcurrentHashMap.newKeySet();
  private final Map<String, Long> windowNanos = new HashMap<>(); // when to ask again, by host
  private final Map<String, Long> loudNanos = new HashMap<>(); // when it was last said, by host
  private @Nullable PersistentMap<String, Route> scanned;
  private @Nullable PersistentMap<String, Wallet.Held> scannedHeld;
  private final Every scan;
  private final Every tidy;

  Steward(
      Follower<Wallet> follower,
      Supplier<Routing> routing,
      Book book,
      Accounts accounts,
      Authority authority,
      Leadership leadership,
      CertsConfig config,
      Time time,
      Executor executor) {
    this.follower = follower;
    this.routing = routing;
    this.book = book;
    purse = new Purse(book, time);
    this.accounts = accounts;
    this.authority = authority;
    this.leadership = leadership;
    this.config = config;
    this.time = time;
    this.executor = executor;
    scan = new Every(time, SCAN_EVERY, true);
    tidy = new Every(time, TIDY_EVERY, false); // at a start the routes may not be read yet
  }

  /** Something that is done now and then. Confined to one thread. */
  private static final class Every {
    private final Time time;
    private final Duration wait;
    private boolean done;
    private long lastNanos;

    Every(Time time, Duration wait, boolean atOnce) {
      this.time = time;
      this.wait = wait;
      done = !atOnce;
      lastNanos = time.nanos();
    }

    boolean due() {
      long now = time.nanos();
      if (done && now - lastNanos < wait.toNanos()) {
        return false;
      }
      done = true;
      lastNanos = now;
      return true;
    }
  }

  /** One look. */
  void tick() throws InterruptedException {
    if (!leadership.held()) {
      return;
    }
    try {
      keys();
      boolean scanning = scan.due();
      if (config.automatic()) {
        want(scanning);
      }
      if (scanning) {
        renew();
        askWindows();
      }
      if (tidy.due()) {
        tidy();
      }
      drive();
    } catch (Lost e) {
      LOG.log(Level.FINE, "certificates are looked after later: {0}", e.getMessage());
    }
  }

  /** Whether requests for the host go anywhere. */
  boolean routed(String host) {
    return routing.get().route(host) != null;
  }

  /** Whether an authority could vouch for it. */
  boolean orderable(String host) {
    return PublicName.isPublic(host, config.roots() != null);
  }

  private Wallet wallet() {
    return follower.view().value();
  }

  // ---- what needs no authority

  private void keys() throws Lost, InterruptedException {
    var now = time.now();
    var tickets = wallet().tickets();
    if (tickets == null || !now.isBefore(tickets.rotatedAt().plus(TicketKeys.EVERY))) {
      var page = book.read(TicketKeys.KIND, TicketKeys.KEY);
      List<String> before = page.value() == null ? List.of() : page.value().keys();
      var next = TicketKeys.after(before, time);
      book.append(book.write().put(TicketKeys.KIND, TicketKeys.KEY, next, page.unchanged()));
    }
    var own = wallet().selfSigned();
    if (config.selfSigned() != CertsConfig.SelfSigned.OFF
        && (own == null || !now.isBefore(own.certificate().renewAt()))) {
      var page = book.read(Certificate.KIND, Certificate.SELF_SIGNED_KEY);
      var made = HomeMade.local(time, "holdfast");
      book.append(book.write().put(Certificate.KIND, made.place(), made, page.unchanged()));
    }
  }

  // ---- what is wanted

  /** Every public host that leads somewhere and has nothing yet. */
  private void want(boolean scanning) throws Lost, InterruptedException {
    var routes = routing.get().routes();
    var wallet = wallet();
    boolean changed =
        scanning
            ? routes != scanned || wallet.certificates() != scannedHeld
            : routes != scanned && routes.size() <= ROUTES_AT_ONCE;
    if (!changed) {
      return;
    }
    var hosts = new ArrayList<String>();
    routes.forEach((host, _) -> {
      if (hosts.size() < WANTED_AT_ONCE && lacks(wallet, host)) {
        hosts.add(host);
      }
    });
    if (!hosts.isEmpty()) {
      var transaction = book.write();
      for (var host : hosts) {
        want(transaction, host);
      }
      book.append(transaction);
    }
    scanned = hosts.size() < WANTED_AT_ONCE ? routes : null;
    scannedHeld = wallet.certificates();
  }

  private boolean lacks(Wallet wallet, String host) {
    var order = wallet.orders().get(host);
    return (order == null || order.order().state() == State.ISSUED)
        && wallet.covering(host) == null
        && orderable(host);
  }

  private void want(Transaction transaction, String host) throws Lost {
    var page = book.read(Order.KIND, Order.key(host));
    var now = time.now();
    var order =
        page.value() == null
            ? Order.wanted(host, config.directory().toString(), now)
            : page.value().wanted(now);
    transaction.put(Order.KIND, Order.key(host), order, page.unchanged());
  }

  /**
   * Every ordered certificate that has lived two thirds of its life, or what the authority says.
   */
  private void renew() throws Lost, InterruptedException {
    var now = time.now();
    var wallet = wallet();
    var hosts = new ArrayList<String>();
    wallet
        .certificates()
        .forEach((host, held) -> {
          var certificate = held.certificate();
          if (certificate.expired(now)) {
            loud(certificate);
          }
          var order = wallet.orders().get(host);
          if (certificate.source() == Certificate.Source.ACME
              && !now.isBefore(certificate.renewAt())
              && (order == null || order.order().state() == State.ISSUED)
              && routed(host)
              && hosts.size() < WANTED_AT_ONCE) {
            hosts.add(host);
          }
        });
    if (!hosts.isEmpty()) {
      var transaction = book.write();
      for (var host : hosts) {
        want(transaction, host);
      }
      book.append(transaction);
    }
  }

  private void loud(Certificate certificate) {
    var said = loudNanos.get(certificate.host());
    if (said == null || time.nanos() - said >= LOUD_EVERY.toNanos()) {
      loudNanos.put(certificate.host(), time.nanos());
      LOG.severe(
          "the certificate of %s expired at %s and is still shown, since there is no other"
              .formatted(certificate.host(), certificate.notAfter()));
    }
  }

  // ---- what is due

  private void drive() {
    var now = time.now();
    var wallet = wallet();
    var due = new ArrayList<Order>();
    wallet
        .orders()
        .forEach((host, pending) -> {
          if (underWay.size() + due.size() < config.ordersAtOnce()
              && pending.order().due(now)
              && !underWay.contains(host)
              && !resting(wallet, pending.order(), now)
              && routed(host)
              && orderable(host)
              && !manual(wallet, host)) {
            due.add(pending.order());
          }
        });
    for (var order : due) {
      start(order.host(), () -> drive(order.host()));
    }
  }

  private static boolean resting(Wallet wallet, Order order, Instant now) {
    var ca = wallet.authorities().get(order.directory());
    return ca != null && ca.paused(now);
  }

  private static boolean manual(Wallet wallet, String host) {
    var held = wallet.covering(host);
    return held != null && held.certificate().source() == Certificate.Source.MANUAL;
  }

  private void drive(String host) throws Lost, InterruptedException {
    var page = book.read(Order.KIND, Order.key(host));
    var order = page.value();
    if (order != null) {
      new Drive(book, purse, accounts, authority, config, time, order, page.revision()).run();
    }
  }

  /** Work that asks an authority, and may be cut by the end of the platform. */
  private interface Errand {
    void run() throws Lost, InterruptedException;
  }

  private void start(String host, Errand errand) {
    if (!underWay.add(host)) {
      return;
    }
    try {
      executor.execute(() -> {
        try {
          errand.run();
        } catch (Lost e) {
          LOG.info("certificates of " + host + " are looked after later: " + e.getMessage());
        } catch (InterruptedException e) {
          Thread.currentThread().interrupt();
        } catch (RuntimeException e) {
          LOG.log(Level.SEVERE, "the order for " + host + " broke; it is tried again", e);
          rest(host);
        } finally {
          underWay.remove(host);
        }
      });
    } catch (RejectedExecutionException e) {
      underWay.remove(host); // this is the end
    }
  }

  /** What breaks is a bug of ours; it must not become a loop that asks an authority. */
  private void rest(String host) {
    try {
      var page = book.read(Order.KIND, Order.key(host));
      var order = page.value();
      if (order != null && order.state() != State.ISSUED) {
        var later = order.until(time.now().plus(Duration.ofHours(1)), "the platform failed");
        book.append(book.write().put(Order.KIND, Order.key(host), later, page.unchanged()));
      }
    } catch (Lost e) {
      LOG.log(Level.FINE, "not noted", e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  // ---- when the authority would like to be asked (RFC 9773)

  private void askWindows() {
    var now = time.now();
    wallet()
        .certificates()
        .forEach((host, held) -> {
          var certificate = held.certificate();
          if (certificate.source() != Certificate.Source.ACME
              || certificate.expired(now)
              || underWay.size() >= config.ordersAtOnce()
              || !routed(host)) {
            return;
          }
          // After a start the questions spread over the whole interval.
          long wait = time.random().nextLong(WINDOW_EVERY.toNanos());
          long at = windowNanos.computeIfAbsent(host, _ -> time.nanos() + wait);
          if (time.nanos() - at >= 0) {
            windowNanos.put(host, time.nanos() + WINDOW_EVERY.toNanos());
            start(host, () -> askWindow(host, held));
          }
        });
  }

  private void askWindow(String host, Wallet.Held held) throws Lost, InterruptedException {
    var directory = held.certificate().directory();
    if (directory == null || !directory.equals(config.directory().toString())) {
      return;
    }
    try {
      var login = accounts.login(directory);
      var window = authority.window(login, held.identity().chain().getFirst());
      if (window == null) {
        return;
      }
      long seconds = Math.max(1, Duration.between(window.start(), window.end()).toSeconds());
      var at = window.start().plusSeconds(time.random().nextLong(seconds));
      var page = book.read(Certificate.KIND, Certificate.key(host));
      var now = page.value();
      if (now != null && now.equals(held.certificate()) && at.isBefore(now.renewAt())) {
        LOG.info(directory + " asks that the certificate of " + host + " is renewed at " + at);
        var earlier = now.renewed(at);
        book.append(book.write().put(Certificate.KIND, earlier.place(), earlier, page.unchanged()));
      }
    } catch (Failure e) {
      LOG.log(Level.FINE, "no renewal window for " + host, e);
    }
  }

  // ---- what nobody needs any more

  private void tidy() throws Lost, InterruptedException {
    var now = time.now();
    var wallet = wallet();
    windowNanos.keySet().removeIf(host -> wallet.certificates().get(host) == null);
    loudNanos.keySet().removeIf(host -> wallet.certificates().get(host) == null);
    var keys = new ArrayList<String>();
    wallet
        .orders()
        .forEach((host, pending) -> {
          if (pending.order().forgettable(now) && !routed(host) && !underWay.contains(host)) {
            keys.add(Order.key(host));
          }
        });
    wallet
        .certificates()
        .forEach((host, held) -> {
          var certificate = held.certificate();
          if (certificate.source() == Certificate.Source.ACME
              && certificate.notAfter().plus(KEPT_EXPIRED).isBefore(now)
              && !routed(host)) {
            keys.add(Certificate.key(host));
          }
        });
    if (!keys.isEmpty()) {
      var transaction = book.write();
      keys.stream()
          .limit(WANTED_AT_ONCE)
          .forEach(key -> transaction.delete(key, Transaction.PRESENT));
      book.append(transaction);
    }
  }
}
