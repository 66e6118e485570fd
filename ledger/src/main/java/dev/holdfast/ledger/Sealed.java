package dev.holdfast.ledger;

/**
 * An envelope as the store keeps it, not looked into yet. Immutable.
 *
 * @param position where the store keeps it, which must be what the envelope says
 */
public record Sealed(long position, Payload envelope) {}
