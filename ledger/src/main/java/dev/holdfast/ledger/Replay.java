package dev.holdfast.ledger;

import java.util.function.Consumer;
import java.util.function.Supplier;

/** Fills a new book from what a shelf keeps. Confined to one thread; used once. */
final class Replay<V> implements Supplier<Consumer<Shelf.Frame>> {
  private final Fold<V> fold;
  private final Verdicts verdicts;
  private Book<V> book;

  Replay(Fold<V> fold, Verdicts verdicts) {
    this.fold = fold;
    this.verdicts = verdicts;
    book = new Book<>(fold);
  }

  @Override
  public Consumer<Shelf.Frame> get() {
    book = new Book<>(fold);
    return this::take;
  }

  Book<V> book() {
    return book;
  }

  private void take(Shelf.Frame frame) {
    if (!(Envelope.decode(frame.sealed().envelope()) instanceof Envelope.Decoded.Good(var entry))) {
      return; // a frame is written of a good envelope and has a checksum of its own
    }
    verdicts.take(entry);
    if ((frame.flags() & Shelf.SKIPPED) != 0 || !book.apply(entry)) {
      book.hold(entry, Filling.passedOver(entry), true);
    }
  }
}
