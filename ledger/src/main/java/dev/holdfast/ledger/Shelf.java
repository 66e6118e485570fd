package dev.holdfast.ledger;

import java.util.List;
import java.util.function.Consumer;
import java.util.function.LongFunction;
import org.jspecify.annotations.Nullable;

/**
 * Where a follower keeps the live entries that its fold reads, so that a process can start and
 * serve when nobody answers. Its failures are its own: no call throws for a full or broken disk,
 * {@link #trouble} tells instead. Confined to the follower's thread.
 */
interface Shelf extends AutoCloseable {
  /** The entry deletes its key. */
  int DELETED = 1;

  /** The fold could not take the entry: an older one of the key must be kept, too. */
  int QUARANTINED = 2;

  /** A person decided that the entry is not applied. */
  int SKIPPED = 4;

  /**
   * An entry with what is needed to thin out.
   *
   * @param keyHash {@link Digest#ofKey}; two live keys of one hash would become one, see {@link
   *     Parts} for how seldom that is
   * @param flags of {@link #DELETED}, {@link #QUARANTINED} and {@link #SKIPPED}
   */
  record Frame(Sealed sealed, long keyHash, int flags) {}

  /**
   * How far the frames before it go, and when that was the ledger's head as far as anybody knew.
   *
   * @param asOfMillis wall-clock time in milliseconds
   */
  record Mark(long position, long asOfMillis) {}

  /** A new generation that is being written. It becomes valid when it is finished. */
  interface Draft {
    void add(Frame frame);

    /** From now on this is what {@link Shelf#load} gives, with what is appended from here on. */
    void finish(Mark mark);

    void drop();
  }

  /**
   * Hands over what is kept, in the order in which it has to be applied.
   *
   * @param attempt called at the beginning of every attempt, with about how many frames will come,
   *     for who takes them; what an earlier one was given has to be forgotten, since its generation
   *     turned out to be damaged
   * @return how far the last attempt goes, or null when there is nothing that can be trusted
   */
  @Nullable Mark load(LongFunction<Consumer<Frame>> attempt);

  /** Adds what was applied since, without waiting for the disk. */
  void append(List<Frame> frames, Mark mark);

  /** Begins a new generation; one that is under way is dropped. */
  Draft draft();

  /** Whether what is kept cannot be continued and a new generation is needed. */
  boolean wantsDraft();

  /** What is wrong with the disk, or null. */
  @Nullable String trouble();

  @Override
  void close();

  /** Keeps nothing. */
  Shelf NONE =
      new Shelf() {
        private static final Draft NOTHING =
            new Draft() {
              @Override
              public void add(Frame frame) {}

              @Override
              public void finish(Mark mark) {}

              @Override
              public void drop() {}
            };

        @Override
        public @Nullable Mark load(LongFunction<Consumer<Frame>> attempt) {
          return null;
        }

        @Override
        public void append(List<Frame> frames, Mark mark) {}

        @Override
        public Draft draft() {
          return NOTHING;
        }

        @Override
        public boolean wantsDraft() {
          return false;
        }

        @Override
        public @Nullable String trouble() {
          return null;
        }

        @Override
        public void close() {}
      };
}
