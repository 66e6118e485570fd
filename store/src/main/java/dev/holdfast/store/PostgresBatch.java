package dev.holdfast.store;

import dev.holdfast.ledger.Entry;
import dev.holdfast.ledger.Lease;
import dev.holdfast.ledger.Payload;
import dev.holdfast.ledger.Store;
import dev.holdfast.ledger.StoreAway;
import dev.holdfast.ledger.StoreException;
import dev.holdfast.ledger.StoreInDoubt;
import java.sql.SQLException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * One transaction: the lock and what was asked for beforehand in one round trip, what is written in
 * another, the commit in a third, however many entries there are. What was written in it is kept
 * here until then. Confined to the ledger's writer thread.
 */
final class PostgresBatch implements Store.Batch {

  /** An entry that waits for the commit. */
  private record Row(Entry entry, Payload envelope) {}

  /** The row that was locked. */
  private record Locked(long epoch, String holder, long position, long floor, Instant now) {}

  private final PostgresWriter writer;
  private final PostgresDatabase database;
  private final PostgresWriter.Session session;
  private final boolean ownClock;
  private final ArrayList<Row> rows = new ArrayList<>();
  private final HashMap<String, Store.@Nullable Head> kept = new HashMap<>(); // as in the database
  private final LinkedHashMap<String, Store.Head> heads = new LinkedHashMap<>(); // as written here
  private final HashMap<String, @Nullable Lease> keptLeases = new HashMap<>();
  private final LinkedHashMap<String, @Nullable Lease> leases = new LinkedHashMap<>();
  private @Nullable Locked locked;
  private long raisedFloor;
  private boolean compacted;
  private boolean failed;
  private boolean done;

  PostgresBatch(PostgresWriter writer, PostgresWriter.Session session, boolean ownClock) {
    this.writer = writer;
    this.database = writer.database();
    this.session = session;
    this.ownClock = ownClock;
  }

  @Override
  public void expect(Collection<String> keys, Collection<String> leaseKeys) throws StoreException {
    attempt(
        "cannot be read",
        () -> {
          fetch(keys, leaseKeys);
          return true;
        });
  }

  @Override
  public @Nullable Instant now() throws StoreException {
    return ownClock ? null : locked().now();
  }

  @Override
  public long head() throws StoreException {
    return locked().position() + rows.size();
  }

  @Override
  public Store.@Nullable Head head(String key) throws StoreException {
    var written = heads.get(key);
    if (written != null) {
      return written;
    }
    if (!kept.containsKey(key)) {
      expect(List.of(key), List.of());
    }
    return kept.get(key);
  }

  @Override
  public @Nullable Lease lease(String key) throws StoreException {
    if (leases.containsKey(key)) {
      return leases.get(key);
    }
    if (!keptLeases.containsKey(key)) {
      expect(List.of(), List.of(key));
    }
    return keptLeases.get(key);
  }

  @Override
  public void append(Entry entry, Payload envelope) throws StoreException {
    long next = head() + 1;
    require(entry.position() == next, "position of " + entry.key(), entry.position(), next);
    var head = head(entry.key());
    long revision = head == null ? 1 : head.revision() + 1;
    require(entry.revision() == revision, "revision of " + entry.key(), entry.revision(), revision);
    rows.add(new Row(entry, envelope));
    heads.put(
        entry.key(),
        new Store.Head(entry.position(), entry.revision(), entry.deleted(), entry.kind()));
  }

  @Override
  public void grant(Lease lease) throws StoreException {
    var held = lease(lease.key());
    if (held != null) {
      failed = true;
      throw new StoreException("lease " + lease.key() + " is held by " + held.holder());
    }
    leases.put(lease.key(), lease);
  }

  @Override
  public void renew(Lease lease) throws StoreException {
    var held = lease(lease.key());
    if (held == null || held.epoch() != lease.epoch() || held.parent() != null) {
      failed = true;
      throw new StoreException("lease " + lease.key() + " is not held in epoch " + lease.epoch());
    }
    leases.put(
        lease.key(), new Lease(held.key(), held.holder(), held.epoch(), null, lease.deadline()));
  }

  @Override
  public void end(String key) throws StoreException {
    lease(key);
    leases.put(key, null);
  }

  @Override
  public Store.Compacted compact(long from, long upTo, int max) throws StoreException {
    var at = locked();
    return attempt(
        "cannot be compacted",
        () -> {
          long reached = upTo;
          try (var reach = session.connection.prepareStatement(PostgresSql.REACH)) {
            reach.setLong(1, from);
            reach.setLong(2, upTo);
            reach.setInt(3, max);
            try (var row = reach.executeQuery()) {
              if (row.next() && row.getInt(1) == max) {
                reached = row.getLong(2);
              }
            }
          }
          try (var thin = session.connection.prepareStatement(PostgresSql.THIN)) {
            thin.setLong(1, from);
            thin.setLong(2, reached);
            int removed = thin.executeUpdate();
            compacted = true;
            raisedFloor = Math.max(raisedFloor, Math.max(at.floor(), reached));
            return new Store.Compacted(reached, removed);
          }
        });
  }

  @Override
  public void commit() throws StoreException {
    require();
    if (rows.isEmpty() && leases.isEmpty() && !compacted) {
      close(); // nothing to keep, and nothing to wait for
      return;
    }
    var at = locked();
    long epoch = session.holder.equals(at.holder()) ? at.epoch() : at.epoch() + 1;
    attempt(
        "did not take the batch",
        () -> {
          write(at, epoch);
          return true;
        });
    try {
      session.connection.clearWarnings();
      session.connection.commit();
      done = true;
      var warning = session.connection.getWarnings();
      if (warning != null) { // the server gave up waiting for its standby
        failed = true;
        throw new StoreInDoubt(database.name() + " warned at a commit", warning);
      }
    } catch (SQLException e) {
      done = true;
      failed = true;
      writer.requireKept(session, e);
    } finally {
      writer.ended(failed);
    }
    database.fence().note(epoch);
  }

  @Override
  public void close() {
    if (done) {
      return;
    }
    done = true;
    try {
      session.connection.rollback();
    } catch (SQLException e) {
      failed = true;
    }
    writer.ended(failed);
  }

  private void write(Locked at, long epoch) throws SQLException, StoreException {
    session.batch++;
    var script = new Script();
    if (!rows.isEmpty()) {
      script
          .add(PostgresSql.APPEND, rows.size())
          .bigints(rows.stream().map(row -> row.entry().position()))
          .texts(rows.stream().map(row -> row.entry().key()))
          .bytes(rows.stream().map(row -> row.envelope().bytes()));
      addHeads(script);
    }
    addLeases(script);
    script
        .add(PostgresSql.SESSION, 1)
        .value(session.holder)
        .value(session.batch)
        .value(writer.time().now().toEpochMilli());
    script
        .add(PostgresSql.ADVANCE, 1)
        .value(epoch)
        .value(session.holder)
        .value(at.position() + rows.size())
        .value(Math.max(at.floor(), raisedFloor))
        .value(at.epoch())
        .value(at.position());
    if (!rows.isEmpty() && writer.hint()) {
      script.add(PostgresSql.HINT, 0);
    }
    var odd = script.run(session.connection);
    if (odd != null) {
      throw new StoreAway(database.name() + " was written by somebody else meanwhile: " + odd);
    }
  }

  private void addHeads(Script script) {
    var first = new ArrayList<String>();
    var next = new ArrayList<String>();
    heads.keySet().forEach(key -> (kept.get(key) == null ? first : next).add(key));
    if (!first.isEmpty()) {
      addHeads(script.add(PostgresSql.HEAD_FIRST, first.size()), first);
    }
    if (!next.isEmpty()) {
      addHeads(script.add(PostgresSql.HEAD_NEXT, next.size()), next)
          .bigints(next.stream().map(key -> Objects.requireNonNull(kept.get(key)).revision()));
    }
  }

  private Script addHeads(Script script, List<String> keys) {
    var values = keys.stream().map(key -> Objects.requireNonNull(heads.get(key))).toList();
    return script
        .texts(keys.stream())
        .bigints(values.stream().map(Store.Head::position))
        .bigints(values.stream().map(Store.Head::revision))
        .booleans(values.stream().map(Store.Head::deleted))
        .texts(values.stream().map(Store.Head::kind));
  }

  /** What became of each lease, whatever happened to it in between. */
  private void addLeases(Script script) {
    var ended = new ArrayList<String>();
    var granted = new ArrayList<Lease>();
    var renewed = new ArrayList<Lease>();
    leases.forEach((key, now) -> {
      var was = keptLeases.get(key);
      if (was != null && now != null && was.epoch() == now.epoch() && was.parent() == null) {
        renewed.add(now);
        return;
      }
      if (was != null) {
        ended.add(key);
      }
      if (now != null) {
        granted.add(now);
      }
    });
    if (!ended.isEmpty()) {
      script.add(PostgresSql.LEASE_END, ended.size()).texts(ended.stream());
    }
    if (!granted.isEmpty()) {
      script
          .add(PostgresSql.LEASE_GRANT, granted.size())
          .texts(granted.stream().map(Lease::key))
          .texts(granted.stream().map(Lease::holder))
          .bigints(granted.stream().map(Lease::epoch))
          .texts(granted.stream().map(Lease::parent))
          .bigints(granted.stream().map(PostgresBatch::deadline));
    }
    if (!renewed.isEmpty()) {
      script
          .add(PostgresSql.LEASE_RENEW, renewed.size())
          .texts(renewed.stream().map(Lease::key))
          .bigints(renewed.stream().map(Lease::epoch))
          .bigints(renewed.stream().map(PostgresBatch::deadline));
    }
  }

  private static @Nullable Long deadline(Lease lease) {
    var deadline = lease.deadline();
    return deadline == null ? null : deadline.toEpochMilli();
  }

  private Locked locked() throws StoreException {
    var at = locked;
    if (at == null) {
      expect(List.of(), List.of());
      at = Objects.requireNonNull(locked);
    }
    return at;
  }

  /** The lock, when there is none yet, and rows, in one round trip. */
  private void fetch(Collection<String> keys, Collection<String> leaseKeys)
      throws SQLException, StoreException {
    var script = new Script();
    if (locked == null) {
      script.query(
          PostgresSql.LOCK,
          row -> {
            if (row.next()) {
              locked =
                  new Locked(
                      row.getLong(1),
                      row.getString(2),
                      row.getLong(3),
                      row.getLong(4),
                      Instant.ofEpochMilli(row.getLong(5)));
            }
          });
    }
    if (!keys.isEmpty()) {
      keys.forEach(key -> kept.put(key, null));
      script
          .query(
              PostgresSql.HEADS,
              row -> {
                while (row.next()) {
                  kept.put(
                      row.getString(1),
                      new Store.Head(
                          row.getLong(2), row.getLong(3), row.getBoolean(4), row.getString(5)));
                }
              })
          .texts(keys.stream());
    }
    if (!leaseKeys.isEmpty()) {
      leaseKeys.forEach(key -> keptLeases.put(key, null));
      script
          .query(
              PostgresSql.LEASES,
              row -> {
                while (row.next()) {
                  keptLeases.put(row.getString(1), Writer.lease(row));
                }
              })
          .texts(leaseKeys.stream());
    }
    boolean first = locked == null;
    long seen = database.fence().seen();
    script.run(session.connection);
    var at = locked;
    if (at == null) {
      throw new StoreException(database.name() + ": the row of ledger_head is gone");
    }
    if (first) {
      database.fence().pass(seen, at.epoch());
    }
  }

  private void require(boolean holds, String what, long actual, long expected)
      throws StoreException {
    if (!holds) {
      failed = true;
      throw new StoreException(what + ": " + actual + " (expected: " + expected + ")");
    }
  }

  private void require() throws StoreException {
    if (done || failed) {
      throw new StoreException("a batch that " + (done ? "ended" : "failed") + " does no more");
    }
  }

  private interface Work<T> {
    T run() throws SQLException, StoreException;
  }

  private <T> T attempt(String otherwise, Work<T> work) throws StoreException {
    require();
    boolean whole = false;
    try {
      T result = work.run();
      whole = true;
      return result;
    } catch (SQLException e) {
      throw database.failure(otherwise, e);
    } finally {
      failed = !whole;
    }
  }
}
