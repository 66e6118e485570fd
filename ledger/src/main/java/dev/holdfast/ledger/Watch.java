package dev.holdfast.ledger;

import dev.holdfast.ledger.FollowerReport.Blocked;
import java.time.Duration;

/**
 * How a frozen follower reads on without applying anything: for a verdict, and for whether what
 * stopped it is gone by itself. Confined to the follower's thread.
 */
final class Watch {
  private static final int READS_MAX = 8; // a round

  private final Feed feed;
  private final Verdicts verdicts;
  private final Survey survey;
  private long reached;

  Watch(Feed feed, Verdicts verdicts, Survey survey) {
    this.feed = feed;
    this.verdicts = verdicts;
    this.survey = survey;
  }

  /** Begins behind that position. */
  void from(long position) {
    reached = position;
  }

  long reached() {
    return reached;
  }

  /** Reads on; the head. */
  long look(long position) throws StoreException, InterruptedException {
    reached = Math.max(reached, position);
    long head = feed.awaitBeyond(reached, Duration.ZERO);
    for (int i = 0; i < READS_MAX && reached < head; i++) {
      var entries = feed.read(reached, Pursuit.READ_MAX);
      if (entries.isEmpty()) {
        break;
      }
      for (var sealed : entries) {
        if (Envelope.open(sealed) instanceof Envelope.Decoded.Good(var entry)) {
          verdicts.take(entry);
        }
        reached = Math.max(reached, sealed.position());
      }
    }
    return head;
  }

  /** Whether an entry that was missing or unreadable is there now. */
  boolean isGone(Blocked by, Book<?> book) throws StoreException {
    if (by.from() != book.position() + 1) {
      return false;
    }
    var again = feed.read(book.position(), 1);
    return !again.isEmpty()
        && again.getFirst().position() == by.from()
        && Envelope.open(again.getFirst()) instanceof Envelope.Decoded.Good(var entry)
        && !survey.guards(entry)
        && book.hasRoomFor(entry.key());
  }
}
