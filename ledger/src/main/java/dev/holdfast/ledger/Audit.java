package dev.holdfast.ledger;

import java.util.HashMap;
import java.util.Map;

/**
 * The digest of every kind's live keys, made from the entries alone: no fold and nothing of what
 * followers do is involved, so that the two can be held against each other. An envelope that cannot
 * be read counts for nothing, as it does for a follower to whom a person said to skip it. Confined
 * to one thread.
 */
final class Audit {
  private final HashMap<String, Parts> parts = new HashMap<>();
  private final HashMap<String, Long> sums = new HashMap<>();
  private long position;

  /** Takes an entry of the snapshot that it begins with; {@link #at} ends that. */
  void begin(Sealed sealed) {
    if (Envelope.open(sealed) instanceof Envelope.Decoded.Good(var entry)) {
      count(entry);
    }
  }

  /** Everything up to that position was counted. */
  void at(long to) {
    position = to;
  }

  /** Takes the next entry; one that was counted already is let pass. */
  void take(Sealed sealed) {
    if (sealed.position() > position) {
      begin(sealed);
      position = sealed.position();
    }
  }

  long position() {
    return position;
  }

  /** A copy of the sums, by kind. */
  Map<String, Long> digests() {
    return Map.copyOf(sums);
  }

  private void count(Entry entry) {
    long hash = Parts.hash(entry.key());
    if (!parts.containsKey(entry.kind())) {
      parts.put(entry.kind(), new Parts());
      sums.put(entry.kind(), 0L);
    }
    for (var of : parts.entrySet()) {
      if (of.getKey().equals(entry.kind()) && !entry.deleted()) {
        long part = Digest.of(entry.key(), entry.revision(), Envelope.crc(entry.payload()));
        add(of.getKey(), part - of.getValue().put(hash, part));
      } else if (of.getValue().size() > 0) {
        add(of.getKey(), -of.getValue().remove(hash));
      }
    }
  }

  private void add(String kind, long change) {
    if (change != 0) {
      sums.merge(kind, change, Long::sum);
    }
  }
}
