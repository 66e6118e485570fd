package dev.holdfast.ledger;

import java.util.List;
import java.util.Map;

/**
 * What a transaction became. Immutable.
 *
 * @param position the ledger's head after it
 * @param entries what was written, in order; empty when nothing had to change
 * @param epochs epoch by lease key of what was granted
 */
public record Receipt(long position, List<Entry> entries, Map<String, Long> epochs) {
  /** Copies what it is given. */
  public Receipt {
    entries = List.copyOf(entries);
    epochs = Map.copyOf(epochs);
  }
}
