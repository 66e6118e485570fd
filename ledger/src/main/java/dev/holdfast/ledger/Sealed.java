package dev.holdfast.ledger;

import java.util.Comparator;
import java.util.List;

/**
 * An envelope as the store keeps it, not looked into yet. Immutable.
 *
 * @param position where the store keeps it, which must be what the envelope says
 */
public record Sealed(long position, Payload envelope) {

  /** The same in order of position. */
  static List<Sealed> inOrder(List<Sealed> entries) {
    for (int i = 1; i < entries.size(); i++) {
      if (entries.get(i).position() < entries.get(i - 1).position()) {
        return entries.stream().sorted(Comparator.comparingLong(Sealed::position)).toList();
      }
    }
    return entries;
  }
}
