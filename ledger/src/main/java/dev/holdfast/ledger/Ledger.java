package dev.holdfast.ledger;

import dev.holdfast.limits.BoundedQueue;
import dev.holdfast.limits.Check;
import dev.holdfast.limits.Deadline;
import dev.holdfast.limits.Outcome;
import dev.holdfast.limits.Refusal;
import dev.holdfast.limits.Supervised;
import dev.holdfast.limits.Time;
import java.time.Duration;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * One totally ordered, gap-free sequence of entries. Thread-safe.
 *
 * <p>All writes pass through one thread, which takes whatever transactions wait, decides each
 * against the state that those before it left, and makes them durable in one commit: an answer
 * means that it is on disk. A transaction that is refused leaves no trace and disturbs no other;
 * when the commit itself fails (a full disk), every transaction of that batch is refused, reading
 * goes on, and the next batch tries again.
 */
public final class Ledger implements Feed, AutoCloseable {
  private static final Duration RETRY_AFTER = Duration.ofSeconds(1);
  private static final int COMPACTED_AT_A_TIME = 2_000;
  private static final Duration IDLE = Duration.ofSeconds(1);

  private final Store store;
  private final Kinds kinds;
  private final Time time;
  private final LedgerConfig config;
  private final BoundedQueue<Pending> queue;
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition moved = lock.newCondition();
  private final Thread writer;
  private final String id;
  private final Rehearsal rehearsal = new Rehearsal();
  private final AtomicReference<@Nullable Auditor> auditor = new AtomicReference<>();
  private volatile long head;
  private volatile long floor;

  /** A request that waits for the writer. */
  private sealed interface Request {
    record Append(Transaction transaction) implements Request {}

    record Renew(String key, long epoch, Duration ttl) implements Request {}

    record Compact(long from, long upTo) implements Request {}
  }

  private enum Turn {
    WAITING,
    TAKEN,
    GIVEN_UP
  }

  private static final class Pending {
    final Request request;
    final AtomicReference<Turn> turn = new AtomicReference<>(Turn.WAITING);
    final CountDownLatch done = new CountDownLatch(1);
    volatile @Nullable Outcome<Receipt> outcome;

    Pending(Request request) {
      this.request = request;
    }

    void complete(Outcome<Receipt> result) {
      outcome = result;
      done.countDown();
    }
  }

  private Ledger(Store store, Kinds kinds, LedgerConfig config, Time time) throws StoreException {
    this.store = store;
    this.kinds = kinds;
    this.time = time;
    this.config = config;
    queue = new BoundedQueue<>("ledger.queueMax", config.queueMax());
    id = store.id();
    head = store.head();
    floor = store.floor();
    writer = Thread.ofPlatform().name("ledger-writer").daemon().unstarted(this::write);
  }

  /**
   * A ledger on the store, which it closes at its own end.
   *
   * @throws StoreException when the store cannot be read
   */
  public static Ledger open(Store store, Kinds kinds, LedgerConfig config, Time time)
      throws StoreException {
    var ledger = new Ledger(store, kinds, config, time);
    ledger.writer.start();
    return ledger;
  }

  /** What this ledger can read and write. */
  public Kinds kinds() {
    return kinds;
  }

  /** How full the queue of its writer is, 0 to 1. */
  public double load() {
    return (double) queue.size() / queue.capacity();
  }

  /** Tells this ledger from every other; see {@link Store#id}. */
  public String id() {
    return id;
  }

  /** Position of the last entry; 0 when there is none. */
  public long head() {
    return head;
  }

  /** Position from which on history is whole; see {@link Store#floor}. */
  public long floor() {
    return floor;
  }

  @Override
  public long oldest() {
    return floor + 1;
  }

  /**
   * Drops what a later entry of its key stands in for, up to that position, a few thousand entries
   * at a time between other writes. Followers that are behind it take a snapshot.
   *
   * @param upTo at most {@link #head}
   */
  public Outcome<Receipt> compact(long upTo) {
    return compact(upTo, () -> true);
  }

  /**
   * As {@link #compact(long)}, as long as somebody wants.
   *
   * @param goesOn asked after each step, on the caller's thread; it may wait
   */
  public Outcome<Receipt> compact(long upTo, BooleanSupplier goesOn) {
    if (upTo < 0 || upTo > head) {
      return Outcome.refused(new Refusal.Invalid(Check.message("position", upTo, "0 to " + head)));
    }
    long from = 0;
    while (true) {
      var outcome = submit(new Request.Compact(from, upTo));
      if (!(outcome instanceof Outcome.Done<Receipt>(var receipt))
          || receipt.position() >= upTo
          || !goesOn.getAsBoolean()) {
        return outcome;
      }
      from = receipt.position();
    }
  }

  /**
   * Appends the transaction's entries, all or none, and returns when they are durable. Blocks for
   * at most {@link LedgerConfig#appendWait} and one commit.
   */
  public Outcome<Receipt> append(Transaction transaction) {
    var preflight = new Preflight(kinds, transaction);
    var bad = preflight.objection();
    bad = bad == null ? rehearsal.objection(preflight.entries(head, time.now())) : bad;
    return bad != null
        ? Outcome.refused(new Refusal.Invalid(bad))
        : submit(new Request.Append(transaction));
  }

  /** Moves a lease's deadline to {@code ttl} from now; stale when it is no longer held so. */
  public Outcome<Receipt> renew(String leaseKey, long epoch, Duration ttl) {
    if (!ttl.isPositive()) {
      return Outcome.refused(new Refusal.Invalid(Check.message("ttl of " + leaseKey, ttl, "> 0")));
    }
    return submit(new Request.Renew(leaseKey, epoch, ttl));
  }

  /** From now on, nothing is written that this follower's fold cannot take. */
  public void rehearse(Follower<?> follower) {
    rehearsal.add(follower);
  }

  /**
   * Begins to make a {@link Beacon} a second; without it, followers compare with nothing.
   * Idempotent.
   */
  public void audit() {
    var fresh = new Auditor(this, time);
    if (auditor.compareAndSet(null, fresh)) {
      fresh.start();
    }
  }

  /** The background parts that may die, for who reports how they are. */
  public List<Supervised> parts() {
    var audit = auditor.get();
    return audit == null ? List.of() : List.of(audit.part());
  }

  /**
   * A beacon that is made now from what the store gives, and from nothing that was kept in memory.
   *
   * @throws StoreException when the store cannot be read now
   */
  public Beacon reckon() throws StoreException {
    var fresh = new Audit();
    long at = store.snapshot(fresh::begin);
    return new Beacon(at, at, fresh.digests(), time.now());
  }

  @Override
  public @Nullable Beacon beacon() {
    var made = auditor.get();
    return made == null ? null : made.beacon();
  }

  /** Whether {@link #audit} was asked for. */
  @Override
  public boolean beats() {
    return auditor.get() != null;
  }

  /** All held leases whose key starts with {@code prefix}, in order of key. */
  public List<Lease> leases(String prefix) throws StoreException {
    return store.leases(prefix);
  }

  /** The newest envelope of that key, or null when it was never written. */
  public @Nullable Sealed latest(String key) throws StoreException {
    return store.latest(key);
  }

  @Override
  public long snapshot(Consumer<Sealed> each) throws StoreException {
    return store.snapshot(each);
  }

  /**
   * See {@link Feed#read}.
   *
   * @throws HistoryGone when entries after that position were compacted away
   */
  @Override
  public List<Sealed> read(long after, int max) throws StoreException {
    var entries = store.read(after, max);
    if (after < floor) { // looked at afterwards: it is raised before anything is removed
      throw new HistoryGone(after, floor);
    }
    return entries;
  }

  /** As {@link #read}, but what was compacted away is passed over: for people, not for folds. */
  public List<Sealed> left(long after, int max) throws StoreException {
    return store.read(after, max);
  }

  /** See {@link Store#newest}. */
  public List<Sealed> newest(long after, int max) throws StoreException {
    return store.newest(after, max);
  }

  /** See {@link Store#counts}. */
  public List<Store.Count> counts() throws StoreException {
    return store.counts();
  }

  @Override
  public long awaitBeyond(long position, Duration wait) throws InterruptedException {
    // Closing wakes who waits; who comes later waits all the same, or its loop would spin.
    boolean wasClosed = queue.closed();
    lock.lock();
    try {
      long leftNanos = wait.toNanos();
      while (head <= position && leftNanos > 0 && (wasClosed || !queue.closed())) {
        leftNanos = moved.awaitNanos(leftNanos);
      }
      return head;
    } finally {
      lock.unlock();
    }
  }

  /** Finishes what waits, then closes the store. Idempotent. */
  @Override
  public void close() {
    var audit = auditor.get();
    if (audit != null) {
      audit.close();
    }
    queue.close();
    signalMoved();
    try {
      writer.join();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    store.close();
  }

  private Outcome<Receipt> submit(Request request) {
    var pending = new Pending(request);
    if (!queue.offer(pending)) {
      return Outcome.refused(
          queue.closed()
              ? new Refusal.Unavailable("the ledger is closed", RETRY_AFTER)
              : new Refusal.OverBudget(
                  Check.message("ledger.queueMax", queue.capacity(), "room for one more"),
                  RETRY_AFTER));
    }
    var refusal = awaitTurn(pending);
    if (refusal != null) {
      return Outcome.refused(refusal);
    }
    // The writer has taken it, so the answer is the commit's; it cannot be called back.
    awaitDone(pending);
    var outcome = pending.outcome;
    if (outcome == null) {
      throw new IllegalStateException("completed without an outcome");
    }
    return outcome;
  }

  /** Waits for the writer to take it; a refusal says that it never will. */
  private @Nullable Refusal awaitTurn(Pending pending) {
    String cause;
    try {
      var deadline = Deadline.after(time, config.appendWait());
      if (pending.done.await(deadline.leftNanos(), TimeUnit.NANOSECONDS)) {
        return null;
      }
      cause = "the ledger's writer did not come to it in " + config.appendWait();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      cause = "interrupted before the ledger's writer came to it";
    }
    return pending.turn.compareAndSet(Turn.WAITING, Turn.GIVEN_UP)
        ? new Refusal.Unavailable(cause, RETRY_AFTER)
        : null;
  }

  /** Waits through interrupts: an answer of "perhaps" would be worse than one commit's wait. */
  private static void awaitDone(Pending pending) {
    boolean interrupted = false;
    while (true) {
      try {
        pending.done.await();
        break;
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  private void write() {
    while (true) {
      List<Pending> batch;
      try {
        batch = queue.take(config.batchMax(), IDLE);
      } catch (InterruptedException e) {
        queue.close(); // nobody interrupts this thread; should it happen, end in order
        continue;
      }
      if (batch.isEmpty()) {
        // Nothing enters a closed queue, but something may have since the take gave up.
        if (queue.closed() && queue.size() == 0) {
          return;
        }
        continue;
      }
      var taken =
          batch.stream().filter(p -> p.turn.compareAndSet(Turn.WAITING, Turn.TAKEN)).toList();
      if (!taken.isEmpty() && !commit(taken)) {
        // One of them is what the store cannot take: each gets a commit of its own.
        taken.forEach(p -> commit(List.of(p)));
      }
    }
  }

  /**
   * Decides and commits the group; false when one of several could not even be decided and none was
   * answered. Whatever is thrown, this thread goes on and nobody is left without an answer.
   */
  @SuppressWarnings("CatchThrowable")
  private boolean commit(List<Pending> group) {
    boolean decided = false;
    @Nullable Throwable failure = null;
    List<Outcome<Receipt>> outcomes = List.of();
    long newHead = head;
    try {
      var batch = store.begin();
      try {
        var decisions = new ArrayList<Outcome<Receipt>>();
        for (var pending : group) {
          decisions.add(decide(batch, pending.request));
        }
        newHead = batch.head();
        decided = true;
        batch.commit();
        outcomes = decisions;
      } finally {
        batch.close();
      }
    } catch (Throwable t) {
      failure = t;
      if (group.size() > 1 && !decided && !(t instanceof StoreException)) {
        return false;
      }
    }
    if (outcomes.isEmpty()) {
      var refusal =
          new Refusal.Unavailable("the store did not take it: " + cause(failure), RETRY_AFTER);
      group.forEach(pending -> pending.complete(Outcome.refused(refusal)));
      return true;
    }
    head = newHead; // committed: what closing the batch may have thrown changes nothing
    for (int i = 0; i < group.size(); i++) {
      group.get(i).complete(outcomes.get(i));
    }
    signalMoved();
    return true;
  }

  private static String cause(@Nullable Throwable failure) {
    var message = failure == null ? null : failure.getMessage();
    return message == null ? String.valueOf(failure) : message;
  }

  /**
   * What becomes of one request.
   *
   * @throws Undecided when the store refused a row, which may be this request's doing
   */
  private Outcome<Receipt> decide(Store.Batch batch, Request request) {
    var now = time.now().truncatedTo(ChronoUnit.MILLIS); // as an envelope keeps it
    try {
      return switch (request) {
        case Request.Append(var transaction) -> new Decision(batch, kinds, now).append(transaction);
        case Request.Renew(var key, var epoch, var ttl) ->
            new Decision(batch, kinds, now).renew(key, epoch, ttl);
        case Request.Compact(var from, var upTo) -> compact(batch, from, upTo);
      };
    } catch (StoreException e) {
      throw new Undecided(e);
    }
  }

  private Outcome<Receipt> compact(Store.Batch batch, long from, long upTo) throws StoreException {
    var done = batch.compact(from, upTo, COMPACTED_AT_A_TIME);
    floor = Math.max(floor, done.reached());
    return Outcome.done(new Receipt(done.reached(), List.of(), Map.of()));
  }

  private static final class Undecided extends RuntimeException {
    private static final long serialVersionUID = 1L;

    Undecided(StoreException cause) {
      super(cause.getMessage(), cause);
    }
  }

  private void signalMoved() {
    lock.lock();
    try {
      moved.signalAll();
    } finally {
      lock.unlock();
    }
  }
}
