package dev.holdfast.store;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.ledger.Entry;
import dev.holdfast.ledger.Envelope;
import dev.holdfast.ledger.Payload;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.concurrent.ConcurrentLinkedQueue;

/**
 * What writers were told, held against the rows of the database, which it reads by itself. Every
 * write has a mark of its own as its actor. Thread-safe until it is checked.
 */
final class History {
  /** A write and when it was under way; position 0 when it was not acknowledged. */
  record Written(String mark, long position, long began, long ended) {}

  private final ConcurrentLinkedQueue<Written> acknowledged = new ConcurrentLinkedQueue<>();
  private final ConcurrentLinkedQueue<String> refused = new ConcurrentLinkedQueue<>();
  private final ConcurrentLinkedQueue<String> unknown = new ConcurrentLinkedQueue<>();

  void acknowledged(String mark, long position, long began) {
    acknowledged.add(new Written(mark, position, began, System.nanoTime()));
  }

  void refused(String mark) {
    refused.add(mark);
  }

  /** Its writer was told that nobody knows. */
  void unknown(String mark) {
    unknown.add(mark);
  }

  int size() {
    return acknowledged.size();
  }

  int unknown() {
    return unknown.size();
  }

  /** 0 lost, 0 doubled, 0 reordered, 0 gaps; how many entries there are. */
  int check(String url) throws SQLException {
    var entries = entries(url);
    var marks = new HashMap<String, Long>();
    var revisions = new HashMap<String, Long>();
    long last = 0;
    for (var entry : entries) {
      assertThat(entry.position()).as("a gap").isEqualTo(last + 1);
      last++;
      assertThat(entry.revision())
          .as("revision of %s at %s", entry.key(), entry.position())
          .isEqualTo(revisions.merge(entry.key(), 1L, Long::sum));
      assertThat(marks.put(entry.actor(), entry.position()))
          .as("%s is there twice", entry.actor())
          .isNull();
    }
    var known = new HashSet<>(unknown);
    for (var written : acknowledged) {
      assertThat(marks.get(written.mark()))
          .as("place of the acknowledged %s", written.mark())
          .isEqualTo(written.position());
      known.add(written.mark());
    }
    assertThat(refused).as("was refused").doesNotContainAnyElementsOf(marks.keySet());
    assertThat(known).as("all that is there was written by somebody").containsAll(marks.keySet());
    assertOrder(acknowledged);
    return entries.size();
  }

  /** Who had ended before another began stands before it. */
  private static void assertOrder(Collection<Written> acknowledged) {
    var inOrder = new ArrayList<>(acknowledged);
    inOrder.sort((a, b) -> Long.compare(a.position(), b.position()));
    long latestBegin = Long.MIN_VALUE;
    for (var written : inOrder) {
      assertThat(written.ended()).as("order of %s", written).isGreaterThanOrEqualTo(latestBegin);
      latestBegin = Math.max(latestBegin, written.began());
    }
  }

  static List<Entry> entries(String url) throws SQLException {
    var entries = new ArrayList<Entry>();
    try (var connection = PostgresRig.connect(url);
        var statement = connection.createStatement();
        var rows =
            statement.executeQuery(
                "SELECT position, key, envelope FROM ledger ORDER BY position")) {
      while (rows.next()) {
        switch (Envelope.decode(Payload.of(rows.getBytes(3)))) {
          case Envelope.Decoded.Good(var entry) -> {
            assertThat(entry.position()).isEqualTo(rows.getLong(1));
            assertThat(entry.key()).isEqualTo(rows.getString(2));
            entries.add(entry);
          }
          case Envelope.Decoded.Unreadable(var cause) -> throw new AssertionError(cause);
        }
      }
    }
    return entries;
  }
}
