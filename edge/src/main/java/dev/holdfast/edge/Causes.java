package dev.holdfast.edge;

import dev.holdfast.limits.Keys;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/**
 * What a request is blamed on besides its client and its app: the route, which is method, host and
 * the first part of the path, and the program that asks, as it names itself. Both are keys; what
 * they are called is noted when it is not known already, and only then anything is allocated.
 * Stateless.
 */
final class Causes {
  /** Longer parts of paths are cut; an identifier in a path has a cause of its own. */
  private static final int SEGMENT_BYTES_MAX = 32;

  private static final int AGENT_BYTES_MAX = 96;
  private static final long NO_AGENT = Keys.of("no User-Agent");
  private static final long PRIME = 0x100000001b3L;
  private static final VarHandle LONGS =
      MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);

  private Causes() {}

  /** The key of what is asked for, such as {@code GET shop.example/search}. */
  static long route(Request asked, Place place, Names names) {
    var bytes = asked.head.bytes;
    int from = asked.targetAt();
    int to = segmentEnd(bytes, from, asked.targetEnd());
    long method = mix(bytes, asked.methodAt(), asked.methodEnd(), place.key);
    long key = Keys.of(place.key, mix(bytes, from, to, method));
    if (!names.knows(key)) {
      var head = asked.head;
      var what = head.text(asked.methodAt(), asked.methodEnd()) + " " + place.name();
      names.put(key, what + head.text(from, to));
    }
    return key;
  }

  /** The key of the program that asks, such as {@code curl/8.1.2}. */
  static long agent(Head head, Names names) {
    if (!head.has(Name.USER_AGENT)) {
      if (!names.knows(NO_AGENT)) {
        names.put(NO_AGENT, "no User-Agent");
      }
      return NO_AGENT;
    }
    int field = head.find(Name.USER_AGENT);
    int from = head.valueAt(field);
    int to = Math.min(head.valueEnd(field), from + AGENT_BYTES_MAX);
    long key = Keys.of(NO_AGENT, mix(head.bytes, from, to, PRIME));
    if (!names.knows(key)) {
      names.put(key, head.text(from, to));
    }
    return key;
  }

  /** Where the first part of a path ends: before its second slash, or its query. */
  private static int segmentEnd(byte[] bytes, int from, int to) {
    int end = Math.min(to, from + SEGMENT_BYTES_MAX);
    for (int i = from + 1; i < end; i++) {
      if (bytes[i] == '/' || bytes[i] == '?') {
        return i;
      }
    }
    return end;
  }

  /** Eight bytes at a time: this runs for every request. */
  private static long mix(byte[] bytes, int from, int to, long seed) {
    long mixed = seed ^ (to - from);
    int i = from;
    for (; i + Long.BYTES <= to; i += Long.BYTES) {
      mixed = Keys.mix((mixed ^ (long) LONGS.get(bytes, i)) * PRIME);
    }
    for (; i < to; i++) {
      mixed = (mixed ^ bytes[i]) * PRIME;
    }
    return Keys.mix(mixed);
  }
}
