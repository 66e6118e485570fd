package dev.holdfast.ledger;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The way from the truth to one follower: loses, doubles, delays, reorders, garbles and forges what
 * passes, or is dead, until it is told to be perfect.
 */
final class SimFeed implements Feed {
  private final World world;
  private final Random chance;
  private final boolean deaf;
  private boolean perfect;
  private long deadUntil;
  private int faults; // per mille of what passes
  private @Nullable Beacon beacon;
  private long head;

  SimFeed(World world, Random chance, boolean deaf) {
    this.world = world;
    this.chance = chance;
    this.deaf = deaf;
    faults = chance.nextInt(3) == 0 ? 0 : 10 + chance.nextInt(150);
  }

  void perfect() {
    perfect = true;
    faults = 0;
    deadUntil = 0;
  }

  void die(long until) {
    deadUntil = until;
  }

  boolean dead() {
    return !perfect && world.nanos() < deadUntil;
  }

  private boolean fault() {
    return faults > 0 && chance.nextInt(1_000) < faults;
  }

  private void answer() throws StoreException {
    if (dead() || fault()) {
      throw new StoreException("not now");
    }
  }

  @Override
  public long snapshot(Consumer<Sealed> each) throws StoreException {
    answer();
    for (var sealed : world.snapshot()) {
      if (fault()) {
        switch (chance.nextInt(3)) {
          case 0 -> throw new StoreException("torn");
          case 1 -> each.accept(forged(sealed));
          default -> {} // lost
        }
      } else {
        each.accept(sealed);
      }
    }
    return world.head();
  }

  @Override
  public List<Sealed> read(long after, int max) throws StoreException {
    answer();
    var entries = new ArrayList<>(world.read(after, fault() ? 1 : max));
    if (!entries.isEmpty() && fault()) {
      int i = chance.nextInt(entries.size());
      switch (chance.nextInt(6)) {
        case 0 -> entries.remove(i);
        case 1 -> entries.add(i, entries.get(chance.nextInt(entries.size())));
        case 2 -> Collections.shuffle(entries, chance);
        case 3 -> entries.set(i, garbled(entries.get(i)));
        case 4 -> entries.addAll(0, world.read(Math.max(0, after - 3), 3));
        default -> entries.set(i, forged(entries.get(i)));
      }
    }
    return entries;
  }

  @Override
  public long awaitBeyond(long position, Duration wait) {
    if (!dead() && !fault()) {
      head = world.head();
    }
    return head;
  }

  @Override
  public @Nullable Beacon beacon() {
    if (!dead() && !fault()) {
      beacon = world.beacon();
    }
    return deaf ? null : beacon;
  }

  @Override
  public boolean beats() {
    return !deaf;
  }

  private Sealed garbled(Sealed sealed) {
    byte[] bytes = sealed.envelope().bytes();
    bytes[chance.nextInt(bytes.length)] ^= 4;
    return new Sealed(sealed.position(), Payload.of(bytes));
  }

  /** Whole by its checksum and yet not what was decided: what only a digest can find. */
  private Sealed forged(Sealed sealed) {
    if (!(Envelope.decode(sealed.envelope()) instanceof Envelope.Decoded.Good(var e))
        || e.kind().equals(Verdict.KIND.name())) {
      return sealed;
    }
    var key = chance.nextBoolean() ? e.key() : World.key(chance.nextInt(World.KEYS));
    var payload = e.deleted() ? Payload.EMPTY : Payload.of("forged" + chance.nextInt(1_000));
    return new Sealed(
        sealed.position(),
        Envelope.encode(
            new Entry(
                e.position(),
                key,
                e.kind(),
                e.schema(),
                e.revision(),
                e.time(),
                e.actor(),
                e.deleted(),
                payload)));
  }
}
