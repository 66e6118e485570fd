package dev.holdfast.certs;

import dev.holdfast.certs.Authority.Failure;
import dev.holdfast.certs.Authority.Login;
import dev.holdfast.certs.Authority.Offer;
import dev.holdfast.certs.Authority.Progress;
import dev.holdfast.certs.Authority.Status;
import dev.holdfast.certs.Book.Lost;
import dev.holdfast.ledger.Transaction;
import dev.holdfast.limits.Backoff;
import dev.holdfast.limits.Check;
import dev.holdfast.limits.Deadline;
import dev.holdfast.limits.Time;
import java.net.URI;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.logging.Level;
import java.util.logging.Logger;
import org.jspecify.annotations.Nullable;

/**
 * Takes one host's order as far as it goes: looks at the state, does the one thing that the state
 * allows, writes the next state, and again. It keeps nothing that is not in the ledger, so any
 * drive, on any node, can go on where another was cut. Confined to one thread.
 */
final class Drive {
  private static final Logger LOG = Logger.getLogger(Drive.class.getName());
  private static final Duration DRIVE_MAX = Duration.ofMinutes(5);
  private static final Duration GLANCE = Duration.ofMinutes(1); // between drives of one order
  private static final Duration ORDER_MAX = Duration.ofHours(1);
  private static final Duration LIMITED_PAUSE = Duration.ofMinutes(1);
  private static final Duration RETRY_AFTER_MAX = Duration.ofDays(8);
  private static final int SILENT_REHEARSALS_MAX = 3; // then it is done without
  private static final int ERROR_CHARS_MAX = 1_000;
  private static final String WAITS = "waits: ";
  private static final String BEFORE = "; before that: ";

  /** Between tries of one host: from a minute to a day. */
  static final Backoff RETRY =
      Backoff.steps(
          0.2,
          Duration.ofMinutes(1),
          Duration.ofMinutes(2),
          Duration.ofMinutes(4),
          Duration.ofMinutes(8),
          Duration.ofMinutes(15),
          Duration.ofMinutes(30),
          Duration.ofHours(1),
          Duration.ofHours(2),
          Duration.ofHours(4),
          Duration.ofHours(8),
          Duration.ofHours(20));

  private static final Backoff POLL =
      Backoff.steps(
          0.1,
          Duration.ofMillis(200),
          Duration.ofMillis(400),
          Duration.ofSeconds(1),
          Duration.ofSeconds(2),
          Duration.ofSeconds(5));

  private final Book book;
  private final Purse purse;
  private final Accounts accounts;
  private final Authority authority;
  private final CertsConfig config;
  private final Time time;
  private final String host;

  private Order order;
  private long revision;
  private Order charged; // what the last charge was for
  private boolean began; // this drive itself moved it to ORDERING
  private boolean answered; // this drive itself told the authority to come
  private int polls;

  /**
   * A drive of that order.
   *
   * @param revision of its entry
   */
  Drive(
      Book book,
      Purse purse,
      Accounts accounts,
      Authority authority,
      CertsConfig config,
      Time time,
      Order order,
      long revision) {
    this.book = book;
    this.purse = purse;
    this.accounts = accounts;
    this.authority = authority;
    this.config = config;
    this.time = time;
    this.order = order;
    this.revision = revision;
    charged = order;
    host = order.host();
  }

  /** Goes as far as it goes; what is left is in the ledger. */
  void run() throws InterruptedException {
    var deadline = Deadline.after(time, DRIVE_MAX);
    try {
      try {
        while (step()) {
          if (deadline.passed()) {
            save(order.until(time.now().plus(GLANCE), order.error()));
            return;
          }
        }
      } catch (Failure e) {
        if (Thread.currentThread().isInterrupted()) {
          return; // cut by our own end: whoever goes on looks for itself
        }
        trouble(e);
      }
    } catch (Lost e) {
      LOG.info("the order for " + host + " is gone on with later: " + e.getMessage());
    }
  }

  /** Does what the state allows; whether there is more to do now. */
  private boolean step() throws Failure, Lost, InterruptedException {
    return switch (order.state()) {
      case WANTED, FAILED -> begin();
      case ORDERING -> place();
      case ORDERED -> prove();
      case CHALLENGED -> watch();
      case FINALIZING -> collect();
      case ISSUED -> false;
    };
  }

  /** Charges the budget: from here on the authority may be asked. */
  private boolean begin() throws Failure, Lost, InterruptedException {
    var stage = stage();
    boolean rehearsal = stage != null;
    var directory = (stage == null ? config.directory() : stage).toString();
    if (waits(purse.look(directory), rehearsal)) {
      return false;
    }
    order = order.at(directory, rehearsal); // whom to blame should the account fail
    accounts.login(directory);
    if (!purse.charge(directory, (ca, transaction) -> charge(ca, transaction, rehearsal))) {
      return false;
    }
    moved(charged);
    began = true;
    return true;
  }

  /** Where this try is to be rehearsed first, or null. */
  private @Nullable URI stage() throws Lost {
    var staging = config.staging();
    return staging != null
            && order.failures() >= Order.REHEARSE_AFTER
            && !order.rehearsed()
            && purse.look(staging.toString()).failures() < SILENT_REHEARSALS_MAX
        ? staging
        : null;
  }

  private boolean charge(Ca ca, Transaction transaction, boolean rehearsal)
      throws Lost, InterruptedException {
    if (waits(ca, rehearsal)) {
      return false;
    }
    charged = order.ordering(ca.directory(), rehearsal, time.now());
    transaction.put(Order.KIND, Order.key(host), charged, Transaction.at(revision));
    return true;
  }

  private boolean waits(Ca ca, boolean rehearsal) throws Lost, InterruptedException {
    var wait = Budget.wait(order, ca, rehearsal, config.limits(), time.now());
    if (wait == null) {
      return false;
    }
    var before = order.error();
    int cut = before == null ? -1 : before.indexOf(BEFORE);
    var first =
        before == null
            ? ""
            : cut >= 0 ? before.substring(cut) : isWait(before) ? "" : BEFORE + before;
    save(order.until(wait.until(), WAITS + wait.why() + first));
    return true;
  }

  private static boolean isWait(String error) {
    return error.startsWith(WAITS);
  }

  private boolean place() throws Failure, Lost, InterruptedException {
    if (!began) {
      // Whether the authority has that order nobody knows; it would end by itself, unused.
      return fail("the platform ended while it asked for an order, which is left to expire", false);
    }
    var url = authority.order(login(), host, replaced());
    purse.answered(order.directory());
    save(order.ordered(url, time.now()));
    return true;
  }

  /** What the order is to replace: told only at a first try, since it may be refused for that. */
  private @Nullable X509Certificate replaced() throws Lost {
    var held = book.read(Certificate.KIND, Certificate.key(host)).value();
    return held != null
            && order.failures() == 0
            && !order.rehearsal()
            && order.directory().equals(held.directory())
        ? Pem.chain(held.chain()).getFirst()
        : null;
  }

  private boolean prove() throws Failure, Lost, InterruptedException {
    var progress = look();
    return switch (progress.status()) {
      case PENDING -> progress.offers().isEmpty() ? poll() : choose(progress.offers());
      case READY -> proven();
      case PROCESSING -> poll();
      case VALID -> fail("the authority issued a certificate that we have no key for", false);
      case INVALID -> fail(said(progress), false);
    };
  }

  private boolean choose(List<Offer> offers) throws Lost, InterruptedException {
    for (int i = 0; i < config.proofs().size(); i++) {
      var proof = config.proofs().get(Math.floorMod(order.turn() + i, config.proofs().size()));
      for (var offer : offers) {
        if (offer.type().equals(proof.label())) {
          save(order.challenged(challenge(proof, offer), time.now()));
          return true;
        }
      }
    }
    return fail(
        Check.message(
            "challenges offered for " + host,
            offers.stream().map(Offer::type).toList(),
            "one of " + config.proofs().stream().map(CertsConfig.Proof::label).toList()),
        false);
  }

  private Order.Challenge challenge(CertsConfig.Proof proof, Offer offer) {
    return switch (proof) {
      case HTTP_01 ->
          new Order.Challenge(proof, offer.url(), offer.token(), offer.answer(), null, null);
      case TLS_ALPN_01 -> {
        var key = StoredKey.fresh();
        var shown = HomeMade.challenge(key.pair(), host, offer.answer(), time);
        yield new Order.Challenge(
            proof, offer.url(), offer.token(), offer.answer(), Pem.write(List.of(shown)), key);
      }
    };
  }

  private boolean watch() throws Failure, Lost, InterruptedException {
    var challenge = order.challenge();
    if (challenge == null) {
      throw new IllegalStateException("challenged without a challenge: " + host);
    }
    var progress = look();
    return switch (progress.status()) {
      case PENDING -> {
        if (!answered && progress.offers().stream().anyMatch(offer -> open(offer, challenge))) {
          authority.answer(login(), challenge.url());
          answered = true;
        }
        yield poll();
      }
      case READY -> proven();
      case PROCESSING -> poll();
      case VALID -> fail("the authority issued a certificate that we have no key for", false);
      case INVALID -> fail(challenge.proof().label() + ": " + said(progress), true);
    };
  }

  private static boolean open(Offer offer, Order.Challenge challenge) {
    return offer.url().equals(challenge.url()) && offer.status() == Status.PENDING;
  }

  /** The host is ours: now the key, which is on disk before anybody is asked to certify it. */
  private boolean proven() throws Lost, InterruptedException {
    var now = time.now();
    save(order.rehearsal() ? order.rehearsed(now) : order.finalizing(StoredKey.fresh(), now));
    began = false;
    answered = false;
    polls = 0;
    return true;
  }

  private boolean collect() throws Failure, Lost, InterruptedException {
    var key = order.key();
    if (key == null) {
      throw new IllegalStateException("finalizing without a key: " + host);
    }
    var progress = look();
    return switch (progress.status()) {
      case READY -> {
        request(key);
        yield true;
      }
      case PENDING, PROCESSING -> poll();
      case VALID -> store(key, authority.fetch(login(), url()));
      case INVALID -> fail(said(progress), false);
    };
  }

  private void request(StoredKey key) throws Failure, Lost, InterruptedException {
    try {
      authority.request(login(), url(), host, key.pair());
    } catch (Failure e) {
      // An earlier request may have been the one that counted.
      if (e.reason() != Failure.Cause.REFUSED
          || authority.look(login(), url()).status() == Status.READY) {
        throw e;
      }
    }
  }

  private boolean store(StoredKey key, List<X509Certificate> chain)
      throws Lost, InterruptedException {
    var leaf = chain.getFirst();
    if (!Pem.matches(leaf, key.pair().getPrivate()) || !Pem.covers(Pem.names(leaf), host)) {
      return fail("the authority sent a certificate for another key or host", false);
    }
    var page = book.read(Certificate.KIND, Certificate.key(host));
    var held = page.value();
    var now = time.now();
    var issued = order.issued(now);
    var transaction =
        book.write().put(Order.KIND, Order.key(host), issued, Transaction.at(revision));
    if (held == null || held.source() != Certificate.Source.MANUAL) {
      transaction.put(
          Certificate.KIND, Certificate.key(host), certificate(key, chain, leaf), page.unchanged());
    }
    book.append(transaction);
    moved(issued);
    LOG.info("a certificate for " + host + " is there, until " + leaf.getNotAfter().toInstant());
    return false;
  }

  private Certificate certificate(
      StoredKey key, List<X509Certificate> chain, X509Certificate leaf) {
    var from = leaf.getNotBefore().toInstant();
    var to = leaf.getNotAfter().toInstant();
    return new Certificate(
        host,
        Certificate.Source.ACME,
        Pem.write(chain),
        key,
        order.directory(),
        from,
        to,
        renewal(from, to, time),
        "holdfast");
  }

  /** Two thirds of its life, less up to a thirtieth, so that a crowd does not renew at once. */
  static Instant renewal(Instant from, Instant to, Time time) {
    var life = Duration.between(from, to);
    long jitter = time.random().nextLong(Math.max(1, life.toSeconds() / 30));
    return from.plus(life.multipliedBy(2).dividedBy(3)).minusSeconds(jitter);
  }

  private boolean poll() throws Lost, InterruptedException {
    if (order.since().plus(ORDER_MAX).isBefore(time.now())) {
      return fail(
          "the authority did not decide in " + ORDER_MAX.toMinutes() + " min",
          order.state() == Order.State.CHALLENGED);
    }
    polls++;
    time.sleep(POLL.delay(polls, time.random()));
    return true;
  }

  private Progress look() throws Failure, Lost, InterruptedException {
    var progress = authority.look(login(), url());
    purse.answered(order.directory());
    return progress;
  }

  private String url() {
    var url = order.url();
    if (url == null) {
      throw new IllegalStateException("no order yet for " + host);
    }
    return url;
  }

  private Login login() throws Failure, Lost, InterruptedException {
    return accounts.login(order.directory());
  }

  private static String said(Progress progress) {
    var error = progress.error();
    return error == null ? "the authority gave the order up without a word" : error;
  }

  // ---- what went wrong

  private void trouble(Failure failure) throws Lost, InterruptedException {
    var now = time.now();
    var why = cut(String.valueOf(failure.getMessage()));
    switch (failure.reason()) {
      case SILENT -> {
        var until = purse.silent(order.directory(), why);
        LOG.warning(order.directory() + " does not answer, next try " + until + ": " + why);
        var left = order.state() == Order.State.ORDERING ? order.wanted(now) : order;
        save(left.until(until, why));
      }
      case LIMITED -> {
        var wanted = failure.retryAfter();
        var wait = RETRY.delay(order.failures() + 1, time.random());
        if (wanted != null && wanted.compareTo(wait) > 0) {
          wait = wanted.compareTo(RETRY_AFTER_MAX) > 0 ? RETRY_AFTER_MAX : wanted;
        }
        purse.pause(order.directory(), now.plus(LIMITED_PAUSE), why, false);
        save(
            order.state() == Order.State.ORDERING
                ? order.failed(why, now.plus(wait), false, now)
                : order.until(now.plus(wait), why));
      }
      case NO_ACCOUNT -> {
        accounts.forget(order.directory());
        fail(why, false);
      }
      case REFUSED -> fail(why, false);
    }
  }

  /** This try is over; always false. */
  private boolean fail(String why, boolean otherProof) throws Lost, InterruptedException {
    var now = time.now();
    var wait = RETRY.delay(order.failures() + 1, time.random());
    var retryAt = now.plus(wait).truncatedTo(ChronoUnit.SECONDS);
    var text = cut((order.rehearsal() ? "rehearsal: " : "") + why);
    LOG.log(
        Level.WARNING,
        "no certificate for {0}, next try {1}: {2}",
        new Object[] {host, retryAt, Check.printable(text)});
    save(order.failed(text, retryAt, otherProof, now));
    return false;
  }

  private static String cut(String text) {
    return text.length() <= ERROR_CHARS_MAX ? text : text.substring(0, ERROR_CHARS_MAX) + "…";
  }

  // ---- what is written

  private void save(Order next) throws Lost, InterruptedException {
    book.append(book.write().put(Order.KIND, Order.key(host), next, Transaction.at(revision)));
    moved(next);
  }

  /** Each write of a key is its next revision, and nobody else wrote: the write named ours. */
  private void moved(Order next) {
    order = next;
    revision++;
  }
}
