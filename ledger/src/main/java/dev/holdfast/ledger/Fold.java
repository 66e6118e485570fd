package dev.holdfast.ledger;

/**
 * How entries become a view: a pure function of its arguments, without clock, chance or I/O, over
 * immutable values. It may throw for an entry that it cannot take; that entry's key is quarantined
 * then and the view stays as it was.
 */
public interface Fold<V> {

  /** The view of an empty ledger. */
  V start();

  /** The view after the entry, which may be a deletion. Entries of unknown kinds are let pass. */
  V apply(V view, Entry entry);
}
