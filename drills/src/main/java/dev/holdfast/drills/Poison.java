package dev.holdfast.drills;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.holdfast.drills.PoisonWriter.Rows;
import java.io.IOException;
import java.sql.SQLException;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Locale;

/** What can be wrong with what stands in a ledger. */
enum Poison {
  /** The payload is no JSON. */
  BROKEN_PAYLOAD(true, false),
  /** The entry is of a kind that nobody knows. */
  UNKNOWN_TYPE(true, true),
  /** The payload is of a form that a later program will write. */
  FUTURE_SCHEMA(true, true),
  /** The payload is nested 100,000 deep. */
  DEEP_NESTING(true, true),
  /** The payload is ten times as large as any may be. */
  TEN_MEBIBYTES(false, false),
  /** A bit of the envelope is another. */
  BAD_CRC(false, false),
  /** Two entries are missing. */
  SEQ_GAP(false, false),
  /** The envelope says that it stands where another one does. */
  DUPLICATE_SEQ(false, false),
  /** Six of ten routes are deleted at once. */
  MASS_DELETION(false, false);

  private static final int DEPTH = 100_000;
  private static final int LARGE_BYTES = 10 << 20;
  private static final int GAP = 2;
  private static final int HEX_BYTES = 64;
  private static final double DELETED_SHARE = 0.6;
  private static final String ROUTE = "route";

  private final boolean keyed;
  private final boolean newSort;

  Poison(boolean keyed, boolean newSort) {
    this.keyed = keyed;
    this.newSort = newSort;
  }

  /** Whether it is about one key, so that everything else has to go on. */
  boolean keyed() {
    return keyed;
  }

  /** Whether a canary holds it back for a while. */
  boolean newSort() {
    return newSort;
  }

  String word() {
    return name().toLowerCase(Locale.ROOT).replace('_', ' ');
  }

  /** Bytes that stand in its payload and nowhere else. */
  String marker() {
    return "poison-" + name();
  }

  /**
   * One that was written.
   *
   * @param from first position that it is about
   * @param through last position that it is about
   * @param key of the first, or empty where nothing is
   * @param hex first bytes of its envelope
   */
  record Dose(Poison poison, long from, long through, String key, String hex) {
    /** What an operator sends to make it good, and where to. */
    String cure() {
      var range = "\"from\":" + from + ",\"through\":" + through + ",\"reason\":\"drill\"}";
      return switch (poison) {
        case SEQ_GAP, MASS_DELETION -> "{" + range;
        case BROKEN_PAYLOAD,
            UNKNOWN_TYPE,
            FUTURE_SCHEMA,
            DEEP_NESTING,
            TEN_MEBIBYTES,
            BAD_CRC,
            DUPLICATE_SEQ ->
            "{\"key\":\"" + key + "\",\"reason\":\"drill\"}";
      };
    }

    String verb() {
      return poison == SEQ_GAP ? "skip" : "repair";
    }
  }

  /**
   * Writes it.
   *
   * @param host pattern of the hosts, with {@code #} for the number
   * @param hosts how many there are
   * @param number of the one that it is about, if it is about one
   */
  Dose write(PoisonWriter writer, String host, int hosts, int number) throws IOException {
    return writer.write(rows -> put(rows, host, hosts, number));
  }

  private Dose put(Rows rows, String host, int hosts, int number) throws SQLException {
    long at = rows.head() + 1;
    var key = key(host, number);
    return switch (this) {
      case BROKEN_PAYLOAD -> one(rows, at, ROUTE, 1, key, "{\"host\": \"" + marker());
      case UNKNOWN_TYPE -> one(rows, at, "teleport", 1, key, "{\"to\":\"" + marker() + "\"}");
      case FUTURE_SCHEMA -> one(rows, at, ROUTE, 99, key, "{\"to\":[\"" + marker() + "\"]}");
      case DEEP_NESTING ->
          one(rows, at, ROUTE, 1, key, "[\"" + marker() + "\"," + "[".repeat(DEPTH));
      case TEN_MEBIBYTES -> one(rows, at, ROUTE, 1, key, marker() + "x".repeat(LARGE_BYTES));
      case BAD_CRC -> {
        var seal = rows.seal(at, ROUTE, 1, key, false, marker().getBytes(UTF_8));
        var bytes = seal.bytes();
        bytes[bytes.length - 5] ^= 1; // the payload's last
        rows.put(at, seal, bytes);
        yield dose(at, at, key, bytes);
      }
      case DUPLICATE_SEQ -> {
        var seal = rows.seal(at - 1, ROUTE, 1, key, false, marker().getBytes(UTF_8));
        rows.put(at, seal, seal.bytes());
        yield dose(at, at, key, seal.bytes());
      }
      case SEQ_GAP -> {
        var seal = rows.seal(at + GAP, ROUTE, 1, "route/gap.test", true, new byte[0]);
        rows.put(at + GAP, seal, seal.bytes());
        yield dose(at, at + GAP - 1, "", new byte[0]);
      }
      case MASS_DELETION -> {
        byte[] first = new byte[0];
        int count = (int) (hosts * DELETED_SHARE);
        for (int i = 0; i < count; i++) {
          var seal = rows.seal(at + i, ROUTE, 1, key(host, i), true, new byte[0]);
          rows.put(at + i, seal, seal.bytes());
          first = i == 0 ? seal.bytes() : first;
        }
        yield dose(at, at + count - 1, key(host, 0), first);
      }
    };
  }

  private Dose one(Rows rows, long at, String kind, int schema, String key, String payload)
      throws SQLException {
    var seal = rows.seal(at, kind, schema, key, false, payload.getBytes(UTF_8));
    rows.put(at, seal, seal.bytes());
    return dose(at, at, key, seal.bytes());
  }

  private Dose dose(long from, long through, String key, byte[] envelope) {
    var first = Arrays.copyOf(envelope, Math.min(envelope.length, HEX_BYTES));
    return new Dose(this, from, through, key, HexFormat.of().formatHex(first));
  }

  private static String key(String host, int number) {
    return "route/" + host.replace("#", Integer.toString(number));
  }
}
