package dev.holdfast.server;

import static dev.holdfast.server.AppOperations.take;

import dev.holdfast.ledger.Beacon;
import dev.holdfast.ledger.Entry;
import dev.holdfast.ledger.Envelope;
import dev.holdfast.ledger.Follower;
import dev.holdfast.ledger.Kind;
import dev.holdfast.ledger.Ledger;
import dev.holdfast.ledger.Receipt;
import dev.holdfast.ledger.Sealed;
import dev.holdfast.ledger.StoreException;
import dev.holdfast.ledger.Transaction;
import dev.holdfast.ledger.Verdict;
import dev.holdfast.limits.Check;
import dev.holdfast.limits.Outcome;
import dev.holdfast.limits.Refusal;
import dev.holdfast.server.LedgerAlarms.Alarm;
import dev.holdfast.server.Operation.Query;
import dev.holdfast.server.Shapes.EntryShape;
import io.javalin.http.Context;
import io.javalin.http.HandlerType;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** What the API says of followers, and how a person decides what they would not. Thread-safe. */
final class LedgerOperations {
  private static final Duration RETRY_AFTER = Duration.ofSeconds(1);
  private static final Duration STAND_WAIT = Duration.ofSeconds(2);
  private static final int READ_MAX = 512;
  private static final int HEX_BYTES_MAX = 64;
  private static final int KEYS_MAX = 100;
  private static final int STEPS_MAX = Transaction.STEPS_MAX - 1;

  private final Ledger ledger;
  private final List<Follower<?>> followers;
  private final LedgerAlarms alarms;
  private final Function<Entry, EntryShape> shape;

  LedgerOperations(
      Ledger ledger,
      List<Follower<?>> followers,
      LedgerAlarms alarms,
      Function<Entry, EntryShape> shape) {
    this.ledger = ledger;
    this.followers = List.copyOf(followers);
    this.alarms = alarms;
    this.shape = shape;
  }

  /** How the ledger and its followers are, those of edges in processes of their own included. */
  record LedgerStatus(
      long head, @Nullable Instant beaconAt, List<FollowerShape> followers, List<Alarm> alarms) {}

  /**
   * An entry, or what stands in its place.
   *
   * @param unreadable why it cannot be read, or null
   * @param bytes length of its envelope
   * @param hex first bytes of an envelope that cannot be read
   */
  record EntryDetail(
      long position,
      @Nullable EntryShape entry,
      @Nullable String unreadable,
      int bytes,
      @Nullable String hex) {}

  /** A person's word about entries; {@code through} is {@code from} when it is left out. */
  record SkipBody(long from, @Nullable Long through, @Nullable Boolean apply, String reason) {}

  /** What has to be made good: a key, or the entries from a position on. */
  record RepairBody(
      @Nullable String key, @Nullable Long from, @Nullable Long through, String reason) {}

  /** Where the decision stands, and which keys were written again. */
  record Decided(long position, List<String> keys) {}

  /** How a follower compares with the store, read anew. */
  record Difference(
      String name,
      long position,
      String digest,
      @Nullable Boolean agrees,
      List<String> unshown,
      List<String> quarantined) {}

  /** How all followers compare with the store as of {@code position}. */
  record Differences(long position, List<Difference> followers) {}

  List<Operation> all() {
    return List.of(
        Operation.get(
            "/v1/ledger/status",
            "How the ledger's followers are: standing, position, lag, quarantine.",
            LedgerStatus.class,
            _ -> status()),
        Operation.get(
            "/v1/ledger/entries/{position}",
            "The entry at a position, also when it cannot be read; secret payloads are left out.",
            EntryDetail.class,
            context -> at(number(context.pathParam("position")))),
        Operation.get(
                "/v1/ledger/entries",
                "The newest entry of a key; secret payloads are left out.",
                EntryDetail.class,
                this::newest)
            .with(new Query("key", "Such as `route/www.example.org`")),
        Operation.get(
            "/v1/ledger/diff",
            "Compares every follower with the store, which is read anew.",
            Differences.class,
            _ -> diff()),
        Operation.of(
            HandlerType.POST,
            "/v1/ledger/skip",
            "Lets followers pass over entries that stopped them, or apply a mass deletion.",
            SkipBody.class,
            Decided.class,
            200,
            this::skip),
        Operation.of(
            HandlerType.POST,
            "/v1/ledger/repair",
            "Writes the last good state of a key again, or of all keys that entries deleted.",
            RepairBody.class,
            Decided.class,
            200,
            this::repair));
  }

  // ---- looking

  private LedgerStatus status() {
    var beacon = ledger.beacon();
    return new LedgerStatus(
        ledger.head(), beacon == null ? null : beacon.at(), alarms.followers(), alarms.now());
  }

  private EntryDetail at(long position) {
    try {
      var found = ledger.read(position - 1, 1);
      if (found.isEmpty() || found.getFirst().position() != position) {
        throw Problem.of(new Refusal.NotFound("entry " + position + ": does not exist"));
      }
      return detail(found.getFirst());
    } catch (StoreException e) {
      throw unreadable(e);
    }
  }

  private EntryDetail newest(Context context) {
    var key = Objects.requireNonNullElse(context.queryParam("key"), "");
    Check.that(!key.isEmpty(), "key", key, "a key, such as route/www.example.org");
    try {
      var found = ledger.latest(key);
      if (found == null) {
        throw Problem.of(new Refusal.NotFound("key " + Check.printable(key) + ": does not exist"));
      }
      return detail(found);
    } catch (StoreException e) {
      throw unreadable(e);
    }
  }

  private EntryDetail detail(Sealed sealed) {
    int length = sealed.envelope().length();
    return switch (Envelope.decode(sealed.envelope())) {
      case Envelope.Decoded.Good(var entry) ->
          new EntryDetail(sealed.position(), shape.apply(entry), null, length, null);
      case Envelope.Decoded.Unreadable(var cause) ->
          new EntryDetail(
              sealed.position(),
              null,
              cause,
              length,
              HexFormat.of()
                  .formatHex(
                      Arrays.copyOf(sealed.envelope().bytes(), Math.min(length, HEX_BYTES_MAX))));
    };
  }

  private Differences diff() throws InterruptedException {
    try {
      var truth = ledger.reckon();
      var all = new ArrayList<Difference>();
      for (var follower : followers) {
        all.add(difference(follower, truth));
      }
      return new Differences(truth.position(), all);
    } catch (StoreException e) {
      throw unreadable(e);
    }
  }

  private Difference difference(Follower<?> follower, Beacon truth)
      throws StoreException, InterruptedException {
    var _ = follower.awaitApplied(truth.position(), STAND_WAIT);
    var agrees = follower.agrees(truth);
    var unshown = follower.unshown(ledger, KEYS_MAX);
    var report = follower.report();
    return new Difference(
        report.name(),
        report.position(),
        HexFormat.of().toHexDigits(report.digest()),
        agrees,
        unshown,
        report.quarantine().keySet().stream().sorted().limit(KEYS_MAX).toList());
  }

  // ---- deciding

  private Object skip(Context context) throws IOException {
    var body = Json.body(context, SkipBody.class);
    long through = body.through() == null ? body.from() : body.through();
    var action = Boolean.TRUE.equals(body.apply()) ? Verdict.Action.APPLY : Verdict.Action.SKIP;
    var verdict = new Verdict(body.from(), through, action, body.reason());
    var receipt = take(ledger.append(decide(context, verdict)));
    return new Decided(receipt.position(), List.of());
  }

  private Transaction decide(Context context, Verdict verdict) {
    return Transaction.by(Api.actor(context))
        .put(Verdict.KIND, Verdict.key(verdict.from()), verdict, Transaction.ANY);
  }

  private Object repair(Context context) throws IOException {
    var body = Json.body(context, RepairBody.class);
    var key = body.key();
    var from = body.from();
    Check.that((key == null) != (from == null), "key and from", key + ", " + from, "one of both");
    try {
      if (key != null) {
        return repairKey(context, key, body.reason());
      }
      long first = Objects.requireNonNull(from);
      long last = body.through() == null ? first : body.through();
      return repairRange(context, new Verdict(first, last, Verdict.Action.SKIP, body.reason()));
    } catch (StoreException e) {
      throw unreadable(e);
    }
  }

  /** The last good state of the key, written once more. */
  private Decided repairKey(Context context, String key, String reason) throws StoreException {
    var latest = ledger.latest(key);
    if (latest == null) {
      throw Problem.of(new Refusal.NotFound("key " + Check.printable(key) + ": does not exist"));
    }
    var verdict = new Verdict(latest.position(), latest.position(), Verdict.Action.SKIP, reason);
    var good = good(latest, key);
    var written = good == null ? null : ledger.append(rewritten(context, verdict, good));
    if (written == null || written instanceof Outcome.Refused<Receipt>) {
      var older = lastGood(List.of(key), latest.position()).get(key);
      if (older == null && written == null) {
        throw Problem.of(
            new Refusal.NotFound("a good state of " + Check.printable(key) + ": never written"));
      }
      written = older == null ? written : ledger.append(rewritten(context, verdict, older));
    }
    return new Decided(take(Objects.requireNonNull(written)).position(), List.of(key));
  }

  private Transaction rewritten(Context context, Verdict verdict, Entry entry) {
    var transaction = decide(context, verdict);
    put(transaction, entry);
    return transaction;
  }

  /** Keeps what the entries delete, and passes over what of them cannot be read. */
  private Decided repairRange(Context context, Verdict verdict) throws StoreException {
    var deleted = new LinkedHashMap<String, Long>();
    each(
        verdict.from() - 1,
        verdict.through(),
        sealed -> {
          if (Envelope.decode(sealed.envelope()) instanceof Envelope.Decoded.Good(var entry)) {
            if (entry.deleted()) {
              deleted.put(entry.key(), sealed.position());
            } else {
              deleted.remove(entry.key());
            }
          }
        });
    var good = lastGood(List.copyOf(deleted.keySet()), verdict.from());
    long position = 0;
    var transaction = decide(context, verdict);
    int steps = 0;
    var keys = new ArrayList<String>();
    for (var entry : good.values()) {
      var now = ledger.latest(entry.key());
      if (now == null || !Objects.equals(deleted.get(entry.key()), now.position())) {
        continue; // somebody wrote it since
      }
      put(transaction, entry);
      keys.add(entry.key());
      if (++steps == STEPS_MAX) {
        position = take(ledger.append(transaction)).position();
        transaction = Transaction.by(Api.actor(context));
        steps = 0;
      }
    }
    if (!transaction.isEmpty()) {
      position = take(ledger.append(transaction)).position();
    }
    return new Decided(position, keys);
  }

  /** The newest entries of the keys before that position that every part could read. */
  private Map<String, Entry> lastGood(List<String> keys, long before) throws StoreException {
    var good = new LinkedHashMap<String, Entry>();
    var wanted = Set.copyOf(keys);
    each(
        0,
        before - 1,
        sealed -> {
          if (Envelope.decode(sealed.envelope()) instanceof Envelope.Decoded.Good(var entry)
              && wanted.contains(entry.key())) {
            var readable = good(sealed, entry.key());
            if (readable != null) {
              good.put(entry.key(), readable);
            }
          }
        });
    return good;
  }

  private interface Each {
    void take(Sealed sealed);
  }

  private void each(long after, long through, Each each) throws StoreException {
    for (long at = after; at < through; ) {
      var entries = ledger.read(at, READ_MAX);
      if (entries.isEmpty()) {
        return;
      }
      for (var sealed : entries) {
        if (sealed.position() <= through) {
          each.take(sealed);
        }
      }
      at = entries.getLast().position();
    }
  }

  /** The entry when it is that key's, lives, and its kind can read it; else null. */
  private @Nullable Entry good(Sealed sealed, String key) {
    if (!(Envelope.decode(sealed.envelope()) instanceof Envelope.Decoded.Good(var entry))
        || !entry.key().equals(key)
        || entry.deleted()) {
      return null;
    }
    var kind = ledger.kinds().find(entry.kind());
    try {
      if (kind != null) {
        kind.decode(entry);
        return entry;
      }
    } catch (IllegalArgumentException e) {
      return null;
    }
    return null;
  }

  private void put(Transaction transaction, Entry entry) {
    var kind = ledger.kinds().find(entry.kind());
    if (kind != null) {
      put(transaction, kind, entry);
    }
  }

  private static <T> void put(Transaction transaction, Kind<T> kind, Entry entry) {
    transaction.put(kind, entry.key(), kind.decode(entry), Transaction.ANY);
  }

  private static long number(String position) {
    try {
      return Math.max(1, Long.parseLong(position));
    } catch (NumberFormatException e) {
      throw new IllegalArgumentException(
          Check.message("position", position, "a number from 1 on"), e);
    }
  }

  private static RuntimeException unreadable(StoreException e) {
    return Problem.of(
        new Refusal.Unavailable("the ledger cannot be read: " + e.getMessage(), RETRY_AFTER));
  }
}
