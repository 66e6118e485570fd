package dev.holdfast.ledger;

/**
 * How entries become a view: a pure function of its arguments, without clock, chance or I/O, over
 * immutable values. It may throw for an entry that it cannot take; that entry's key is quarantined
 * then and the view stays as it was.
 */
public interface Fold<V> {

  /** The view of an empty ledger. */
  V start();

  /**
   * As {@link #start}, for who keeps every view to himself until it is {@link #settle}d. Such a
   * view may be changed in place by {@link #apply}, which leaves it as it was when it throws.
   */
  default V open() {
    return start();
  }

  /** The view of everything that was applied to the open one, which changes no more. */
  default V settle(V open) {
    return open;
  }

  /**
   * Works out of an entry alone what {@link #apply} will need, where that is dear. Only a hint: it
   * changes nothing, throws nothing, and may be called on another thread or not at all.
   */
  default void readAhead(Entry entry) {}

  /**
   * Whether entries of that kind can change the view. What a fold does not read costs its follower
   * neither memory nor a place in the digest.
   */
  default boolean reads(String kind) {
    return true;
  }

  /**
   * Whether the view says what the entry says; of a deletion, that nothing is left of the key. The
   * follower asks it right after {@link #apply}, and takes a view that does not for a failure: so a
   * fold that drops or mixes up a change is found at once, although every entry came. A fold that
   * does not override it is trusted.
   */
  default boolean shows(V view, Entry entry) {
    return true;
  }

  /** The view after the entry, which may be a deletion. Entries of unknown kinds are let pass. */
  V apply(V view, Entry entry);
}
