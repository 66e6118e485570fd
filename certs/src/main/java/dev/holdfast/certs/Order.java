package dev.holdfast.certs;

import dev.holdfast.ledger.Kind;
import dev.holdfast.limits.Check;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * How far a host is on its way to a certificate. Every state is in the ledger before what it allows
 * is done, so that whoever finds it after a crash knows what may have happened:
 *
 * <pre>
 * WANTED       nothing was asked for
 * ORDERING     charged to the budget; the authority may have been asked
 * ORDERED      the authority has an order, and we know where
 * CHALLENGED   our answer can be fetched; the authority may have been told to
 * FINALIZING   the key is kept; the authority may have been sent the request for it
 * ISSUED       there is a certificate
 * FAILED       waits for the next try
 * </pre>
 *
 * Immutable.
 *
 * @param directory the authority that the order is at
 * @param rehearsal whether that is the one for rehearsals
 * @param url where the authority keeps the order, or null
 * @param challenge what we answer, or null
 * @param key of the certificate that was asked for, or null
 * @param failures how many tries have failed in a row
 * @param turn counts up with each proof that failed; says which kind comes next
 * @param rehearsed whether the rehearsal before this try went well
 * @param nextTryAt before that nothing is done; null for at once
 * @param error what went wrong last, in the authority's words where it said something, or null
 * @param since when it came into this state
 * @param issues when certificates were asked for, within {@link #ISSUES_PER}
 * @param trials when validations were asked for that failed or are not decided, within {@link
 *     #TRIALS_PER}
 */
record Order(
    String host,
    State state,
    String directory,
    boolean rehearsal,
    @Nullable String url,
    @Nullable Challenge challenge,
    @Nullable StoredKey key,
    int failures,
    int turn,
    boolean rehearsed,
    @Nullable Instant nextTryAt,
    @Nullable String error,
    Instant since,
    List<Instant> issues,
    List<Instant> trials) {
  static final Kind<Order> KIND = Kind.secret("acme-order", 1, Order.class);
  static final Duration ISSUES_PER = Duration.ofDays(7);
  static final Duration TRIALS_PER = Duration.ofHours(1);

  /** Failures after which the next try is rehearsed first. */
  static final int REHEARSE_AFTER = 2;

  private static final String PREFIX = "acme-order/";

  /** Where an order stands. */
  enum State {
    WANTED,
    ORDERING,
    ORDERED,
    CHALLENGED,
    FINALIZING,
    ISSUED,
    FAILED;

    /** Where it can go from here; {@code ORDERED} skips what the authority needs no more. */
    Set<State> next() {
      return switch (this) {
        case WANTED -> EnumSet.of(ORDERING, WANTED, FAILED, ISSUED);
        case ORDERING -> EnumSet.of(ORDERED, FAILED, WANTED, ISSUED);
        case ORDERED -> EnumSet.of(CHALLENGED, FINALIZING, WANTED, FAILED, ISSUED);
        case CHALLENGED -> EnumSet.of(FINALIZING, WANTED, FAILED, ISSUED);
        case FINALIZING -> EnumSet.of(ISSUED, FAILED, WANTED);
        case ISSUED -> EnumSet.of(WANTED, ISSUED);
        case FAILED -> EnumSet.of(ORDERING, WANTED, FAILED, ISSUED);
      };
    }

    /** Whether the authority may know of it. */
    boolean underWay() {
      return this == ORDERING || this == ORDERED || this == CHALLENGED || this == FINALIZING;
    }
  }

  /**
   * What we answer when the authority comes to see.
   *
   * @param url where the authority is told to come
   * @param token what it asks with
   * @param answer the key authorization (RFC 8555 section 8.1)
   * @param chain certificate that answers over TLS, in PEM, or null
   * @param key of that certificate, or null
   */
  record Challenge(
      CertsConfig.Proof proof,
      String url,
      String token,
      String answer,
      @Nullable String chain,
      @Nullable StoredKey key) {
    Challenge {
      Objects.requireNonNull(proof, "proof");
      Objects.requireNonNull(url, "url");
      Objects.requireNonNull(token, "token");
      Objects.requireNonNull(answer, "answer");
      Check.that(
          (proof == CertsConfig.Proof.TLS_ALPN_01) == (chain != null && key != null),
          "challenge",
          proof,
          "a certificate exactly for tls-alpn-01");
    }
  }

  Order {
    Objects.requireNonNull(host, "host");
    Objects.requireNonNull(state, "state");
    Objects.requireNonNull(directory, "directory");
    Objects.requireNonNull(since, "since");
    issues = List.copyOf(issues);
    trials = List.copyOf(trials);
    boolean placed =
        state == State.ORDERED || state == State.CHALLENGED || state == State.FINALIZING;
    Check.that(placed == (url != null), "url of order " + host, "" + url, "one while ordered");
    Check.that(
        (state == State.CHALLENGED) == (challenge != null),
        "challenge of order " + host,
        state,
        "one exactly while challenged");
    Check.that(
        (state == State.FINALIZING) == (key != null),
        "key of order " + host,
        state,
        "one exactly while finalizing");
  }

  static String key(String host) {
    return PREFIX + host;
  }

  static Order wanted(String host, String directory, Instant now) {
    return new Order(
        host,
        State.WANTED,
        directory,
        false,
        null,
        null,
        null,
        0,
        0,
        false,
        null,
        null,
        now,
        List.of(),
        List.of());
  }

  /** Wanted at once, whatever it waited for. */
  Order wanted(Instant now) {
    return move(State.WANTED, null, null, null, now).until(null, error);
  }

  /** The same, at that authority. */
  Order at(String authority, boolean forRehearsal) {
    return new Order(
        host,
        state,
        authority,
        forRehearsal,
        url,
        challenge,
        key,
        failures,
        turn,
        rehearsed,
        nextTryAt,
        error,
        since,
        issues,
        trials);
  }

  Order ordering(String at, boolean forRehearsal, Instant now) {
    var moved = move(State.ORDERING, null, null, null, now);
    return new Order(
        host,
        moved.state,
        at,
        forRehearsal,
        null,
        null,
        null,
        failures,
        turn,
        rehearsed,
        null,
        error,
        now,
        moved.issues,
        moved.trials);
  }

  Order ordered(String at, Instant now) {
    return move(State.ORDERED, at, null, null, now);
  }

  Order challenged(Challenge answer, Instant now) {
    return move(State.CHALLENGED, url, answer, null, now)
        .counting(issues, rehearsal ? trials : plus(trials, now));
  }

  /** The host is proven to be ours: what was tried for that does not count. */
  Order finalizing(StoredKey fresh, Instant now) {
    return move(State.FINALIZING, url, null, fresh, now).counting(plus(issues, now), proven());
  }

  /** The rehearsal went well: now in earnest. */
  Order rehearsed(Instant now) {
    var moved = move(State.WANTED, null, null, null, now);
    return new Order(
        host,
        moved.state,
        directory,
        false,
        null,
        null,
        null,
        failures,
        turn,
        true,
        null,
        error,
        now,
        moved.issues,
        moved.trials);
  }

  Order issued(Instant now) {
    var moved = move(State.ISSUED, null, null, null, now);
    return new Order(
        host,
        moved.state,
        directory,
        false,
        null,
        null,
        null,
        0,
        turn,
        false,
        null,
        null,
        now,
        moved.issues,
        moved.trials);
  }

  /**
   * This try is over.
   *
   * @param otherProof whether the next try is to prove the host in another way
   */
  Order failed(String why, Instant retryAt, boolean otherProof, Instant now) {
    var moved = move(State.FAILED, null, null, null, now);
    return new Order(
        host,
        moved.state,
        directory,
        false,
        null,
        null,
        null,
        failures + 1,
        otherProof ? turn + 1 : turn,
        false,
        retryAt,
        why,
        now,
        moved.issues,
        moved.trials);
  }

  /** The same state, to be gone on with later. */
  Order until(@Nullable Instant later, @Nullable String why) {
    return new Order(
        host, state, directory, rehearsal, url, challenge, key, failures, turn, rehearsed, later,
        why, since, issues, trials);
  }

  boolean due(Instant now) {
    return state != State.ISSUED && (nextTryAt == null || !now.isBefore(nextTryAt));
  }

  /** Which of the kinds is to be tried now. */
  CertsConfig.Proof proof(List<CertsConfig.Proof> proofs) {
    return proofs.get(Math.floorMod(turn, proofs.size()));
  }

  /** Whether nothing in it counts any more. */
  boolean forgettable(Instant now) {
    return since(issues, now.minus(ISSUES_PER)).isEmpty() && since.isBefore(now.minus(ISSUES_PER));
  }

  /** Those after {@code from}. */
  static List<Instant> since(List<Instant> times, Instant from) {
    return times.stream().filter(time -> time.isAfter(from)).toList();
  }

  private Order move(
      State to,
      @Nullable String at,
      @Nullable Challenge answer,
      @Nullable StoredKey fresh,
      Instant now) {
    Check.that(state.next().contains(to), "order " + host, state + " to " + to, "" + state.next());
    return new Order(
        host,
        to,
        directory,
        rehearsal,
        at,
        answer,
        fresh,
        failures,
        turn,
        rehearsed,
        null,
        error,
        now,
        since(issues, now.minus(ISSUES_PER)),
        since(trials, now.minus(TRIALS_PER)));
  }

  private Order counting(List<Instant> newIssues, List<Instant> newTrials) {
    return new Order(
        host, state, directory, rehearsal, url, challenge, key, failures, turn, rehearsed,
        nextTryAt, error, since, newIssues, newTrials);
  }

  /** Without the trial that just went well, which is the last one. */
  private List<Instant> proven() {
    return state != State.CHALLENGED || trials.isEmpty()
        ? trials
        : trials.subList(0, trials.size() - 1);
  }

  private static List<Instant> plus(List<Instant> times, Instant now) {
    var more = new ArrayList<>(times);
    more.add(now);
    return more;
  }
}
