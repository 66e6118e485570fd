package dev.holdfast.ledger;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.UUID;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** A store that forgets everything when the process ends, and fails when told to. Thread-safe. */
public final class MemoryStore implements Store {
  private final ReentrantLock lock = new ReentrantLock();
  private final List<Sealed> log = new ArrayList<>();
  private final Map<String, Head> heads = new HashMap<>();
  private final TreeMap<String, Lease> leases = new TreeMap<>();
  private final String id = UUID.randomUUID().toString();
  private long floor; // guarded by lock
  private volatile @Nullable String failure;

  /** From now on every commit fails with that message; null heals it. */
  public void failWith(@Nullable String message) {
    failure = message;
  }

  /** Puts bytes that no writer would have written behind the last entry. */
  public void poison(long position, Payload envelope) {
    lock.lock();
    try {
      log.add(new Sealed(position, envelope));
    } finally {
      lock.unlock();
    }
  }

  @Override
  public Batch begin() {
    return new MemoryBatch();
  }

  @Override
  public long head() {
    lock.lock();
    try {
      return log.isEmpty() ? 0 : log.getLast().position();
    } finally {
      lock.unlock();
    }
  }

  @Override
  public List<Sealed> read(long after, int max) {
    lock.lock();
    try {
      return log.stream().filter(s -> s.position() > after).limit(max).toList();
    } finally {
      lock.unlock();
    }
  }

  @Override
  public String id() {
    return id;
  }

  @Override
  public long floor() {
    lock.lock();
    try {
      return floor;
    } finally {
      lock.unlock();
    }
  }

  @Override
  public List<Sealed> newest(long after, int max) {
    lock.lock();
    try {
      return heads.values().stream()
          .filter(head -> head.position() > after)
          .sorted(Comparator.comparingLong(Head::position))
          .limit(max)
          .map(head -> at(head.position()))
          .toList();
    } finally {
      lock.unlock();
    }
  }

  @Override
  public List<Count> counts() {
    lock.lock();
    try {
      var counts = new TreeMap<String, Count>();
      for (var head : heads.values()) {
        long gone = head.deleted() ? 1 : 0;
        counts.merge(
            head.kind(),
            new Count(head.kind(), 1 - gone, gone),
            (a, b) -> new Count(a.kind(), a.live() + b.live(), a.deleted() + b.deleted()));
      }
      return List.copyOf(counts.values());
    } finally {
      lock.unlock();
    }
  }

  @Override
  public long snapshot(Consumer<Sealed> each) {
    lock.lock();
    try {
      heads.values().stream()
          .filter(head -> !head.deleted())
          .sorted(Comparator.comparingLong(Head::position))
          .forEach(head -> each.accept(at(head.position())));
      return log.isEmpty() ? 0 : log.getLast().position();
    } finally {
      lock.unlock();
    }
  }

  @Override
  public @Nullable Sealed latest(String key) {
    lock.lock();
    try {
      var head = heads.get(key);
      return head == null ? null : at(head.position());
    } finally {
      lock.unlock();
    }
  }

  @Override
  public List<Lease> leases(String prefix) {
    lock.lock();
    try {
      return leases.tailMap(prefix).values().stream()
          .takeWhile(lease -> lease.key().startsWith(prefix))
          .toList();
    } finally {
      lock.unlock();
    }
  }

  @Override
  public void close() {}

  private Sealed at(long position) {
    return log.stream().filter(s -> s.position() == position).findFirst().orElseThrow();
  }

  /** Works on copies, which commit puts in place. */
  private final class MemoryBatch implements Batch {
    private final Map<String, Head> newHeads = new HashMap<>(heads);
    private final TreeMap<String, Lease> newLeases = new TreeMap<>(leases);
    private final List<Sealed> appended = new ArrayList<>();
    private final Set<Long> removed = new TreeSet<>();
    private long position = MemoryStore.this.head();
    private long newFloor = MemoryStore.this.floor();

    @Override
    public long head() {
      return position;
    }

    @Override
    public @Nullable Head head(String key) {
      return newHeads.get(key);
    }

    @Override
    public @Nullable Lease lease(String key) {
      return newLeases.get(key);
    }

    @Override
    public void append(Entry entry, Payload envelope) throws StoreException {
      if (entry.position() != position + 1) {
        throw new StoreException("position " + entry.position() + " after " + position);
      }
      var head = newHeads.get(entry.key());
      long next = head == null ? 1 : head.revision() + 1;
      if (entry.revision() != next) {
        throw new StoreException("revision " + entry.revision() + ", not " + next);
      }
      position++;
      appended.add(new Sealed(position, envelope));
      newHeads.put(
          entry.key(), new Head(position, entry.revision(), entry.deleted(), entry.kind()));
    }

    @Override
    public void grant(Lease lease) throws StoreException {
      if (newLeases.putIfAbsent(lease.key(), lease) != null) {
        throw new StoreException("lease " + lease.key() + " exists");
      }
    }

    @Override
    public void renew(Lease lease) throws StoreException {
      var held = newLeases.get(lease.key());
      if (held == null || held.epoch() != lease.epoch() || held.parent() != null) {
        throw new StoreException("lease " + lease.key() + " is not held so");
      }
      newLeases.put(lease.key(), lease);
    }

    @Override
    public void end(String key) {
      newLeases.remove(key);
    }

    @Override
    public Compacted compact(long from, long upTo, int max) {
      var newest = newHeads.values().stream().map(Head::position).toList();
      var looked =
          MemoryStore.this.read(from, Integer.MAX_VALUE).stream()
              .map(Sealed::position)
              .filter(p -> p <= upTo)
              .limit(max)
              .toList();
      long reached = looked.size() < max ? upTo : looked.getLast();
      var old = looked.stream().filter(p -> !newest.contains(p)).toList();
      removed.addAll(old);
      newFloor = Math.max(newFloor, reached);
      return new Compacted(reached, old.size());
    }

    @Override
    public void commit() throws StoreException {
      var message = failure;
      if (message != null) {
        throw new StoreException(message);
      }
      lock.lock();
      try {
        log.addAll(appended);
        log.removeIf(sealed -> removed.contains(sealed.position()));
        floor = newFloor;
        heads.putAll(newHeads);
        leases.clear();
        leases.putAll(newLeases);
      } finally {
        lock.unlock();
      }
    }

    @Override
    public void close() {}
  }
}
