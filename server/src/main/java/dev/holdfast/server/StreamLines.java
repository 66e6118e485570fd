package dev.holdfast.server;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import dev.holdfast.ledger.Canary;
import dev.holdfast.ledger.Entry;
import dev.holdfast.ledger.Envelope;
import dev.holdfast.ledger.Kinds;
import dev.holdfast.ledger.Sealed;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * What a follower reads, one JSON object a line. An entry goes as the sealed envelope that the
 * store holds, in base64, so that its checksum is the writer's own; of a secret one only its
 * position leaves, so that positions stay dense and a gap is always a fault. Immutable.
 *
 * @param only kinds of which anything leaves, or null for all; to whoever wants those, nothing else
 *     can be a fault, not even that it is missing
 */
record StreamLines(String ledger, Kinds kinds, @Nullable Set<String> only) {
  /** Of every kind. */
  StreamLines(String ledger, Kinds kinds) {
    this(ledger, kinds, null);
  }

  /** The first line: whose stream it is, and where it stands. */
  byte[] hello(long head, long floor) {
    return json(Map.of("ledger", ledger, "position", head, "floor", floor));
  }

  /** The line of one entry. */
  byte[] entry(Sealed sealed) {
    var text = new StringBuilder().append("{\"position\":").append(sealed.position());
    switch (Envelope.decode(sealed.envelope())) {
      case Envelope.Decoded.Good(var entry) when mayLeave(entry) ->
          text.append(",\"envelope\":\"")
              .append(Base64.getEncoder().encodeToString(sealed.envelope().bytes()))
              .append('"');
      case Envelope.Decoded.Good(Entry _) -> text.append(",\"withheld\":true");
      case Envelope.Decoded.Unreadable(String _) ->
          text.append(only == null ? ",\"unreadable\":true" : ",\"withheld\":true");
    }
    return text.append("}\n").toString().getBytes(ISO_8859_1);
  }

  /** The lines of entries that follow that position; with {@link #only}, also of missing ones. */
  List<byte[]> entries(long after, List<Sealed> entries) {
    var all = new ArrayList<byte[]>(entries.size());
    long next = after + 1;
    for (var sealed : entries) {
      while (only != null && next < sealed.position()) {
        all.add("{\"position\":%d,\"withheld\":true}\n".formatted(next++).getBytes(ISO_8859_1));
      }
      all.add(entry(sealed));
      next = sealed.position() + 1;
    }
    return all;
  }

  /** As {@link #entry}, or null when a snapshot has no place for it. */
  byte @Nullable [] live(Sealed sealed) {
    boolean leaves =
        Envelope.decode(sealed.envelope()) instanceof Envelope.Decoded.Good(var entry)
            ? mayLeave(entry)
            : only == null;
    return leaves ? entry(sealed) : null;
  }

  /** What stands for a key that followers serve already is no secret, and nothing else of it is. */
  private boolean mayLeave(Entry entry) {
    if (only != null && !only.contains(entry.kind())) {
      return false;
    }
    return kinds.mayShow(entry) || Canary.namesKey(entry);
  }

  /**
   * What the ledger's keys add up to.
   *
   * @param position to which it belongs; 0 when nothing was added up
   * @param digests by kind, of all live keys of that kind
   */
  record Sums(long position, Map<String, Long> digests) {
    /** Nothing was added up. */
    static final Sums NONE = new Sums(0, Map.of());
  }

  /** Says that all is well and how far a follower should be. */
  byte[] beacon(long head, Sums sums, Instant at) {
    var digests = new TreeMap<String, String>();
    sums.digests()
        .forEach((kind, digest) -> {
          var known = kinds.find(kind);
          boolean wanted = only == null || only.contains(kind);
          if (wanted && known != null && !known.secret()) {
            digests.put(kind, HexFormat.of().toHexDigits(digest));
          }
        });
    var beacon = new LinkedHashMap<String, Object>();
    beacon.put("ledger", ledger);
    beacon.put("head", Math.max(head, sums.position()));
    beacon.put("position", sums.position());
    beacon.put("digests", digests);
    beacon.put("at", at);
    return json(Map.of("beacon", beacon));
  }

  /** The last line of a snapshot, without which it is not whole. */
  byte[] end(long position, long entries) {
    return json(
        Map.of("snapshot", Map.of("ledger", ledger, "position", position, "entries", entries)));
  }

  private static byte[] json(Map<String, Object> value) {
    byte[] bytes = Json.bytes(value);
    byte[] line = Arrays.copyOf(bytes, bytes.length + 1);
    line[bytes.length] = '\n';
    return line;
  }
}
