package dev.holdfast.ledger;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.holdfast.limits.Check;
import java.time.Instant;

/**
 * One decided fact: the full state of one key at one position, never a delta. Immutable.
 *
 * @param position place in the one total order; dense from 1
 * @param key what the entry is about, such as {@code route/www.example.org}
 * @param kind what the payload is, such as {@code route}
 * @param schema version of the payload's form, from 1
 * @param revision how many times this key was written, from 1; deletions count
 * @param time when the writer decided it, whole milliseconds
 * @param actor who asked for it
 * @param deleted whether the key is gone; the payload is empty then
 * @param payload the state, JSON in UTF-8
 */
public record Entry(
    long position,
    String key,
    String kind,
    int schema,
    long revision,
    Instant time,
    String actor,
    boolean deleted,
    Payload payload) {

  /** Longest key in UTF-8 bytes. */
  public static final int KEY_BYTES_MAX = 512;

  /** Longest kind in UTF-8 bytes. */
  public static final int KIND_BYTES_MAX = 64;

  /** Longest actor in UTF-8 bytes. */
  public static final int ACTOR_BYTES_MAX = 256;

  /** Largest payload in bytes. */
  public static final int PAYLOAD_BYTES_MAX = 1 << 20;

  /** Refuses what no envelope may carry. */
  public Entry {
    Check.that(position >= 1, "position", position, ">= 1");
    Check.that(schema >= 1, "schema", schema, ">= 1");
    Check.that(revision >= 1, "revision", revision, ">= 1");
    checkText("key", key, KEY_BYTES_MAX);
    checkText("kind", kind, KIND_BYTES_MAX);
    checkText("actor", actor, ACTOR_BYTES_MAX);
    Check.that(
        payload.length() <= PAYLOAD_BYTES_MAX,
        "payload of " + key,
        payload,
        "at most " + PAYLOAD_BYTES_MAX + " bytes");
    Check.that(!deleted || payload.length() == 0, "payload of deleted " + key, payload, "0 bytes");
  }

  private static void checkText(String name, String value, int bytesMax) {
    if (!value.isEmpty() && value.length() <= bytesMax && isPlain(value)) {
      return;
    }
    int bytes = value.getBytes(UTF_8).length;
    Check.that(
        bytes >= 1
            && bytes <= bytesMax
            && value.codePoints().noneMatch(c -> Character.isISOControl(c) || isSurrogate(c)),
        name,
        value,
        "1 to " + bytesMax + " bytes of UTF-8 without control characters");
  }

  /**
   * Printable ASCII only, as nearly all are: a million entries are looked at when a node starts.
   */
  private static boolean isPlain(String value) {
    for (int i = 0; i < value.length(); i++) {
      char c = value.charAt(i);
      if (c < ' ' || c > '~') {
        return false;
      }
    }
    return true;
  }

  /** Half of a pair: no UTF-8 stands for it, so two such keys would become one on disk. */
  private static boolean isSurrogate(int codePoint) {
    return codePoint >= Character.MIN_SURROGATE && codePoint <= Character.MAX_SURROGATE;
  }
}
