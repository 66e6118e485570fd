package dev.holdfast.ledger;

import java.time.Instant;

/**
 * What stands in the place of an entry that a canary could not take: the same position, key and
 * revision, so that the order stays dense and digests stay comparable, and nothing of the payload.
 * It is made on the way to a follower and never stored. Immutable.
 *
 * @param kind what the entry is
 * @param deleted whether the entry deletes its key
 * @param crc CRC-32C of its payload
 * @param decided whether a person said that it is not to be applied
 * @param cause why it is withheld
 */
record Withheld(String kind, boolean deleted, int crc, boolean decided, String cause) {
  static final Kind<Withheld> KIND = Kind.open("withheld", 1, Withheld.class);

  /** What others get instead of the entry. */
  static Sealed of(Entry entry, boolean decided, String cause) {
    var withheld =
        new Withheld(entry.kind(), entry.deleted(), Envelope.crc(entry.payload()), decided, cause);
    return new Sealed(
        entry.position(),
        Envelope.encode(
            new Entry(
                entry.position(),
                entry.key(),
                KIND.name(),
                KIND.schema(),
                entry.revision(),
                entry.time(),
                entry.actor(),
                false,
                KIND.encode(withheld))));
  }

  /** Says nothing but that there is something at that position. */
  static Sealed place(long position) {
    var name = KIND.name();
    var entry = new Entry(position, name, name, 1, 1, Instant.EPOCH, name, false, Payload.EMPTY);
    return new Sealed(position, Envelope.encode(entry));
  }

  /** Whether it names a key. */
  static boolean names(Entry entry) {
    return entry.kind().equals(KIND.name()) && entry.payload().length() > 0;
  }
}
