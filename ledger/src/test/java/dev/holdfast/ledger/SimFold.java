package dev.holdfast.ledger;

import java.util.Random;

/**
 * Payload texts by key, for histories: a payload that begins with "bad" is one that it cannot take.
 * With some chance it forgets to apply an entry, as a defective one would.
 */
final class SimFold implements Fold<PersistentMap<String, String>> {
  static final String READ = Service.KIND.name();

  private final Random chance;
  private final boolean honest;
  private boolean forgetful;
  private final boolean dropsDeletions;

  SimFold(Random chance, boolean honest, boolean dropsDeletions) {
    this.chance = chance;
    this.honest = honest;
    this.dropsDeletions = dropsDeletions;
  }

  /** From now on it forgets one entry in twenty, or none. */
  void forgetful(boolean now) {
    forgetful = now;
  }

  @Override
  public PersistentMap<String, String> start() {
    return PersistentMap.empty();
  }

  @Override
  public boolean reads(String kind) {
    return kind.equals(READ);
  }

  @Override
  public boolean shows(PersistentMap<String, String> view, Entry entry) {
    if (!honest) {
      return true;
    }
    var shown = view.get(entry.key());
    return entry.deleted() ? shown == null : entry.payload().text().equals(shown);
  }

  @Override
  public PersistentMap<String, String> apply(PersistentMap<String, String> view, Entry entry) {
    if (!reads(entry.kind()) || (forgetful && chance.nextInt(20) == 0)) {
      return view;
    }
    if (entry.deleted()) {
      return dropsDeletions && chance.nextInt(100) == 0 ? view : view.without(entry.key());
    }
    var text = entry.payload().text();
    if (text.startsWith("bad")) {
      throw new IllegalArgumentException(text);
    }
    return view.with(entry.key(), text);
  }
}
