package dev.holdfast.ledger;

/**
 * What a follower made of the ledger so far. Immutable.
 *
 * @param position last entry that is in it
 * @param digest order-independent sum over all live keys that the fold reads; views of one fold at
 *     equal positions must have equal digests
 * @param value what the fold made
 */
public record View<V>(long position, long digest, V value) {}
