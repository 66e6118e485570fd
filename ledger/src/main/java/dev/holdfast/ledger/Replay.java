package dev.holdfast.ledger;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.function.Consumer;
import java.util.function.LongFunction;
import org.jspecify.annotations.Nullable;

/**
 * Fills a new book from what a shelf keeps. The caller's thread opens envelopes and works out of
 * each entry alone what can be; a second one, which is not started for less than a batch, applies
 * them in order. Confined to the caller's thread; used once.
 */
final class Replay<V> implements LongFunction<Consumer<Shelf.Frame>>, AutoCloseable {
  private static final int BATCH = 256; // few enough to die young
  private static final int BATCHES_AHEAD = 4;
  private static final int EXPECTED_MAX = 16_000_000;

  private final String name;
  private final Fold<V> fold;
  private final Verdicts verdicts;
  private final boolean inPlace;
  private Attempt attempt;

  /** An entry with its place in the digest and what it adds there. */
  private record Opened(Entry entry, boolean skipped, long hash, long part) {}

  /**
   * Knows nothing yet.
   *
   * @param name of the follower
   * @param inPlace whether the value may be changed in place; {@link Book.Spoiled} says that it has
   *     to be done over without
   */
  Replay(String name, Fold<V> fold, Verdicts verdicts, boolean inPlace) {
    this.name = name;
    this.fold = fold;
    this.verdicts = verdicts;
    this.inPlace = inPlace;
    attempt = new Attempt(0);
  }

  /** A book, and how far it goes; without a mark there was nothing that can be trusted. */
  record Read<V>(Book<V> book, Shelf.@Nullable Mark mark) {}

  /**
   * What that shelf keeps.
   *
   * @throws InterruptedException when the thread is asked to end
   */
  static <V> Read<V> read(String name, Fold<V> fold, Verdicts verdicts, Shelf shelf)
      throws InterruptedException {
    try {
      return read(new Replay<>(name, fold, verdicts, true), shelf);
    } catch (Book.Spoiled e) {
      return read(new Replay<>(name, fold, verdicts, false), shelf);
    }
  }

  private static <V> Read<V> read(Replay<V> replay, Shelf shelf) throws InterruptedException {
    try (replay) {
      var mark = shelf.load(replay);
      return new Read<>(replay.book(), mark);
    }
  }

  @Override
  public Consumer<Shelf.Frame> apply(long expected) {
    attempt.stop();
    attempt = new Attempt((int) Math.min(expected, EXPECTED_MAX));
    return attempt::take;
  }

  /**
   * What came of the last attempt.
   *
   * @throws InterruptedException when the thread is asked to end
   * @throws Book.Spoiled when it has to be done over without changes in place
   */
  Book<V> book() throws InterruptedException {
    return attempt.finished();
  }

  @Override
  public void close() {
    attempt.stop();
  }

  private final class Attempt {
    private final Book<V> book;
    private final ArrayBlockingQueue<List<Opened>> ahead = new ArrayBlockingQueue<>(BATCHES_AHEAD);
    private List<Opened> batch = new ArrayList<>(BATCH);
    private @Nullable Thread applying;
    private volatile @Nullable Throwable failure;

    Attempt(int expected) {
      book = inPlace ? new Book<>(fold, expected) : new Book<>(fold);
    }

    void take(Shelf.Frame frame) {
      if (!(Envelope.decode(frame.sealed().envelope())
          instanceof Envelope.Decoded.Good(var entry))) {
        return; // a frame is written of a good envelope and has a checksum of its own
      }
      fold.readAhead(entry);
      boolean skipped = (frame.flags() & Shelf.SKIPPED) != 0;
      batch.add(new Opened(entry, skipped, Parts.hash(frame.keyHash()), Book.part(fold, entry)));
      if (batch.size() == BATCH) {
        handOver();
      }
    }

    private void handOver() {
      var thread = applying;
      if (thread == null) {
        thread = Thread.ofPlatform().name("replay-" + name).daemon().start(this::applyAll);
        applying = thread;
      }
      try {
        ahead.put(batch);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new IllegalStateException("interrupted", e);
      }
      batch = new ArrayList<>(BATCH);
    }

    /** The second thread, until an empty batch comes. */
    private void applyAll() {
      try {
        for (var some = ahead.take(); !some.isEmpty(); some = ahead.take()) {
          if (failure == null) {
            apply(some);
          }
        }
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt(); // by stop
      }
    }

    @SuppressWarnings("CatchThrowable") // who waits for the book is told
    private void apply(List<Opened> some) {
      try {
        some.forEach(this::apply);
      } catch (Throwable t) {
        failure = t;
      }
    }

    private void apply(Opened opened) {
      var entry = opened.entry();
      verdicts.take(entry);
      if (opened.skipped() || !book.apply(entry, opened.hash(), opened.part())) {
        book.hold(entry, Filling.passedOver(entry), true);
      }
    }

    Book<V> finished() throws InterruptedException {
      var thread = applying;
      if (thread == null) {
        apply(batch);
      } else {
        if (!batch.isEmpty()) {
          handOver();
        }
        ahead.put(List.of());
        thread.join();
      }
      switch (failure) {
        case null -> book.settle();
        case RuntimeException e -> throw e;
        case Error e -> throw e;
        case Throwable t -> throw new IllegalStateException(t);
      }
      return book;
    }

    /** Ends the second thread if there is one, whatever it is at. */
    void stop() {
      var thread = applying;
      boolean interrupted = false;
      while (thread != null && thread.isAlive()) {
        thread.interrupt();
        try {
          thread.join();
        } catch (InterruptedException e) {
          interrupted = true;
        }
      }
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }
}
