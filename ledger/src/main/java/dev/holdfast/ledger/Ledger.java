package dev.holdfast.ledger;

import dev.holdfast.limits.Backoff;
import dev.holdfast.limits.BoundedQueue;
import dev.holdfast.limits.Check;
import dev.holdfast.limits.Deadline;
import dev.holdfast.limits.Outcome;
import dev.holdfast.limits.Refusal;
import dev.holdfast.limits.Supervised;
import dev.holdfast.limits.Time;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
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
  private static final Duration IDLE = Duration.ofSeconds(1);
  private static final Backoff AGAIN =
      Backoff.fullJitter(Duration.ofMillis(20), Duration.ofMillis(500));

  private final Store store;
  private final Kinds kinds;
  private final Time time;
  private final LedgerConfig config;
  private final BoundedQueue<Pending> queue;
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition moved = lock.newCondition();
  private final Scribe scribe;
  private final Thread writer;
  private final String id;
  private final Rehearsal rehearsal = new Rehearsal();
  private final AtomicReference<@Nullable Auditor> auditor = new AtomicReference<>();
  private final @Nullable Lookout lookout;
  private volatile long head; // written under lock
  private volatile long floor;

  private Ledger(Store store, Kinds kinds, LedgerConfig config, Time time) throws StoreException {
    this.store = store;
    this.kinds = kinds;
    this.time = time;
    this.config = config;
    queue = new BoundedQueue<>("ledger.queueMax", config.queueMax());
    id = store.id();
    head = store.head();
    floor = store.floor();
    lookout = store.shared() ? new Lookout(store, this::heard, time) : null;
    scribe = new Scribe(store, kinds, time, this::heard);
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
    if (ledger.lookout != null) {
      ledger.lookout.start();
    }
    return ledger;
  }

  /** What this ledger can read and write. */
  public Kinds kinds() {
    return kinds;
  }

  /** Why a shared store does not answer now, or null while it does. */
  public @Nullable String trouble() {
    return lookout == null ? null : lookout.trouble();
  }

  /** How full the queue of its writer is, 0 to 1. */
  public double load() {
    return (double) queue.size() / queue.capacity();
  }

  /** See {@link Store#id}. */
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
      var outcome = submit(new Pending.Request.Compact(from, upTo));
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
        : submit(new Pending.Request.Append(transaction));
  }

  /** Moves a lease's deadline to {@code ttl} from now; stale when it is no longer held so. */
  public Outcome<Receipt> renew(String leaseKey, long epoch, Duration ttl) {
    if (!ttl.isPositive()) {
      return Outcome.refused(new Refusal.Invalid(Check.message("ttl of " + leaseKey, ttl, "> 0")));
    }
    return submit(new Pending.Request.Renew(leaseKey, epoch, ttl));
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
    var fresh = new Auditor(this, () -> lookout == null || lookout.sure(), time);
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
    if (lookout != null && !whole(entries, after)) {
      raise(store.floor()); // another process may have compacted
    }
    if (after < floor) { // looked at afterwards: it is raised before anything is removed
      throw new HistoryGone(after, floor);
    }
    return entries;
  }

  private static boolean whole(List<Sealed> entries, long after) {
    return !entries.isEmpty() && entries.getLast().position() == after + entries.size();
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
    if (lookout != null) {
      lookout.close();
    }
    try {
      writer.join();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    store.close();
  }

  private Outcome<Receipt> submit(Pending.Request request) {
    var pending = new Pending(request, Deadline.after(time, config.appendWait()));
    if (!queue.offer(pending)) {
      return Outcome.refused(
          queue.closed()
              ? new Refusal.Unavailable("the ledger is closed", RETRY_AFTER)
              : new Refusal.OverBudget(
                  Check.message("ledger.queueMax", queue.capacity(), "room for one more"),
                  RETRY_AFTER));
    }
    var cause = pending.awaitTurn(config.appendWait());
    if (cause != null) {
      var away = trouble();
      return Outcome.refused(
          new Refusal.Unavailable(away == null ? cause : cause + ": " + away, RETRY_AFTER));
    }
    // The writer has taken it, so the answer is the commit's; it cannot be called back.
    return pending.awaitOutcome();
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
      settle(batch.stream().filter(Pending::take).toList());
    }
  }

  /** Answers them all. While the store is away they wait, each until its caller's deadline. */
  private void settle(List<Pending> group) {
    var left = group;
    for (int failures = 1; !left.isEmpty(); failures++) {
      switch (scribe.commit(left)) {
        case Scribe.Tried.Answered _ -> {
          return;
        }
        case Scribe.Tried.Undecided _ -> {
          // One of them is what the store cannot take: each gets a commit of its own.
          left.forEach(this::settleAlone);
          return;
        }
        case Scribe.Tried.Away(var cause) -> left = stillWaiting(left, failures, cause);
      }
    }
  }

  private void settleAlone(Pending pending) {
    if (pending.deadline().passed()) { // those before it may have taken all the time
      pending.refuse(
          new Refusal.Unavailable("the ledger's writer did not come to it", RETRY_AFTER));
    } else {
      settle(List.of(pending));
    }
  }

  private List<Pending> stillWaiting(List<Pending> group, int failures, StoreAway cause) {
    boolean ending = queue.closed();
    try {
      if (!ending) {
        time.sleep(AGAIN.delay(failures, time.random()));
      }
    } catch (InterruptedException e) {
      ending = true; // nobody interrupts this thread; should it happen, end in order
    }
    var left = new ArrayList<Pending>();
    for (var pending : group) {
      if (ending || pending.deadline().passed()) {
        pending.refuse(Scribe.notTaken(cause));
      } else {
        left.add(pending);
      }
    }
    return left;
  }

  /** How far the store is; whether it was news. */
  private boolean heard(Store.Progress progress) {
    raise(progress.floor());
    return advance(progress.head());
  }

  private void raise(long to) {
    lock.lock();
    try {
      floor = Math.max(floor, to);
    } finally {
      lock.unlock();
    }
  }

  private boolean advance(long to) {
    lock.lock();
    try {
      boolean news = to > head;
      head = Math.max(head, to);
      moved.signalAll();
      return news;
    } finally {
      lock.unlock();
    }
  }

  private void signalMoved() {
    advance(0);
  }
}
