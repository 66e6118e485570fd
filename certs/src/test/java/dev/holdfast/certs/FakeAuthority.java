package dev.holdfast.certs;

import dev.holdfast.edge.TlsKeys;
import dev.holdfast.limits.ManualTime;
import java.security.KeyPair;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * An authority in memory that checks what it is shown, counts what it is asked, and can be told to
 * fail, or to kill whoever asks. Confined to one thread.
 */
final class FakeAuthority implements Authority {
  /** Thrown where the process is supposed to have died. */
  static final class Killed extends RuntimeException {
    private static final long serialVersionUID = 1L;

    Killed() {
      super("killed", null, false, false);
    }
  }

  /** An order as the authority keeps it. */
  private static final class Kept {
    final String directory;
    final String host;
    final Instant madeAt;
    Status status = Status.PENDING;
    @Nullable String error;
    @Nullable X509Certificate certificate;

    Kept(String directory, String host, Instant madeAt) {
      this.directory = directory;
      this.host = host;
      this.madeAt = madeAt;
    }
  }

  final List<String> calls = new ArrayList<>();
  final List<Instant> orderTimes = new ArrayList<>();
  final List<Instant> validations = new ArrayList<>();
  final List<String> orderDirectories = new ArrayList<>();
  final List<X509Certificate> issued = new ArrayList<>();
  final List<X509Certificate> replaced = new ArrayList<>();
  final Set<String> accounts = new HashSet<>();
  final Set<String> brokenProofs = new HashSet<>(); // "http-01", or "staging http-01"
  final Map<String, Function<Integer, @Nullable Failure>> failures = new HashMap<>();
  @Nullable Window window;
  @Nullable TlsKeys visitor; // what the authority sees of us
  Duration life = Duration.ofDays(90);

  /** Which call kills: its number from 1, over all calls; before or after it takes effect. */
  int killAt;

  boolean killAfter;
  Runnable onKill = () -> {};

  private final ManualTime time;
  private final Map<String, Kept> orders = new HashMap<>();
  private final Map<String, Integer> counts = new HashMap<>();

  FakeAuthority(ManualTime time) {
    this.time = time;
  }

  int count(String call) {
    return counts.getOrDefault(call, 0);
  }

  private interface Deed<T> {
    T run() throws Failure;
  }

  private <T> T call(String name, Deed<T> deed) throws Failure {
    calls.add(name);
    counts.merge(name, 1, Integer::sum);
    var failing = failures.get(name);
    var failure = failing == null ? null : failing.apply(count(name));
    if (failure != null) {
      throw failure;
    }
    boolean kills = calls.size() == killAt;
    if (kills && !killAfter) {
      onKill.run();
      throw new Killed();
    }
    T result = deed.run();
    if (kills) {
      onKill.run();
      throw new Killed();
    }
    return result;
  }

  private static Failure refused(String why) {
    return new Failure(Failure.Cause.REFUSED, why, (Duration) null);
  }

  @Override
  public String register(String directory, KeyPair key, @Nullable String contact) throws Failure {
    return call(
        "register",
        () -> {
          var url = directory + "/account/" + key.getPublic().hashCode();
          accounts.add(url);
          return url;
        });
  }

  @Override
  public String order(Login login, String host, @Nullable X509Certificate replaces) throws Failure {
    return call(
        "order",
        () -> {
          if (!accounts.contains(login.account())) {
            throw new Failure(Failure.Cause.NO_ACCOUNT, "no such account", (Duration) null);
          }
          if (replaces != null) {
            replaced.add(replaces);
          }
          orderTimes.add(time.now());
          orderDirectories.add(login.directory());
          var url = login.directory() + "/order/" + (orders.size() + 1);
          orders.put(url, new Kept(login.directory(), host, time.now()));
          return url;
        });
  }

  private Kept kept(String url) throws Failure {
    var kept = orders.get(url);
    if (kept == null) {
      throw refused("no such order");
    }
    if (kept.status != Status.VALID && kept.madeAt.plus(Duration.ofDays(7)).isBefore(time.now())) {
      kept.status = Status.INVALID;
      kept.error = "expired";
    }
    return kept;
  }

  @Override
  public Progress look(Login login, String order) throws Failure {
    return call(
        "look",
        () -> {
          var kept = kept(order);
          return new Progress(
              kept.status,
              kept.status == Status.PENDING
                  ? List.of(offer(order, "http-01"), offer(order, "tls-alpn-01"))
                  : List.of(),
              kept.error);
        });
  }

  private static Offer offer(String order, String type) {
    var token = "token-of-" + order.substring(order.lastIndexOf('/') + 1);
    return new Offer(type, order + "#" + type, token, token + ".thumb", Status.PENDING);
  }

  @Override
  public void answer(Login login, String challenge) throws Failure {
    call(
        "answer",
        () -> {
          int hash = challenge.lastIndexOf('#');
          var order = challenge.substring(0, hash);
          var type = challenge.substring(hash + 1);
          var kept = kept(order);
          validations.add(time.now());
          var place = kept.directory.contains("staging") ? "staging " + type : type;
          if (!brokenProofs.contains(place) && shown(kept.host, offer(order, type))) {
            kept.status = Status.READY;
          } else {
            kept.status = Status.INVALID;
            kept.error = "nothing to see at " + kept.host + " by " + type;
          }
          return order;
        });
  }

  private boolean shown(String host, Offer offer) {
    var keys = visitor;
    if (keys == null) {
      return false;
    }
    if (offer.type().equals("http-01")) {
      return offer.answer().equals(keys.response(host, offer.token()));
    }
    var identity = keys.challenge(host);
    return identity != null && Pem.names(identity.chain().getFirst()).equals(List.of(host));
  }

  @Override
  public void request(Login login, String order, String host, KeyPair key) throws Failure {
    call(
        "request",
        () -> {
          var kept = kept(order);
          if (kept.status != Status.READY) {
            throw refused("order is not ready");
          }
          var from = time.now();
          var made = HomeMade.sign(key, List.of(host), from, from.plus(life), null, time);
          kept.certificate = made;
          kept.status = Status.VALID;
          issued.add(made);
          return order;
        });
  }

  @Override
  public List<X509Certificate> fetch(Login login, String order) throws Failure {
    return call(
        "fetch",
        () -> {
          var certificate = kept(order).certificate;
          if (certificate == null) {
            throw refused("not issued");
          }
          return List.of(certificate);
        });
  }

  @Override
  public @Nullable Window window(Login login, X509Certificate certificate) {
    return window;
  }

  @Override
  public void close() {}
}
