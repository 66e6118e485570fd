package dev.holdfast.ledger;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.holdfast.limits.Check;
import java.io.IOException;
import java.time.Instant;
import java.util.Base64;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** One line of the stream that {@code GET /v1/ledger} answers. Immutable. */
sealed interface StreamLine {
  /** An entry that did not leave the control node; it keeps its place. */
  String WITHHELD = "withheld";

  /** Whose stream it is. */
  record Hello(String ledger, long position, long floor) implements StreamLine {}

  /** An entry as the store holds it, or a place-holder for one that is withheld. */
  record One(Sealed sealed) implements StreamLine {}

  /** How far the ledger is. */
  record Beat(long head, long position, Map<String, Long> digests, Instant at)
      implements StreamLine {}

  /** The end of a snapshot. */
  record End(String ledger, long position, long entries) implements StreamLine {}

  /** Longest line: an envelope in base64 and what stands around it. */
  int BYTES_MAX = (Envelope.BYTES_MAX / 3 + 1) * 4 + 256;

  /** Reads one line; null for an empty one and for one of a kind that is not known. */
  static @Nullable StreamLine of(byte[] line, int length) throws IOException {
    if (length == 0) {
      return null;
    }
    try {
      return of(Lines.JSON.readTree(line, 0, length));
    } catch (JacksonException | IllegalArgumentException e) {
      throw new IOException("a line that cannot be read: " + text(line, length), e);
    }
  }

  private static @Nullable StreamLine of(JsonNode line) {
    if (line.has("envelope")) {
      byte[] envelope = Base64.getDecoder().decode(line.get("envelope").asString());
      return new One(new Sealed(line.get("position").asLong(), Payload.wrap(envelope)));
    }
    if (line.has(WITHHELD)) {
      return new One(Withheld.place(line.get("position").asLong()));
    }
    if (line.has("unreadable")) { // the control node's own copy is damaged: so is ours
      return new One(new Sealed(line.get("position").asLong(), Payload.EMPTY));
    }
    if (line.has("beacon")) {
      var beacon = line.get("beacon");
      var digests = new HashMap<String, Long>();
      beacon
          .path("digests")
          .properties()
          .forEach(digest ->
              digests.put(
                  digest.getKey(), HexFormat.fromHexDigitsToLong(digest.getValue().asString())));
      return new Beat(
          beacon.get("head").asLong(),
          beacon.get("position").asLong(),
          Map.copyOf(digests),
          Instant.parse(beacon.get("at").asString()));
    }
    if (line.has("snapshot")) {
      var end = line.get("snapshot");
      return new End(
          end.get("ledger").asString(), end.get("position").asLong(), end.get("entries").asLong());
    }
    return line.has("ledger")
        ? new Hello(
            line.get("ledger").asString(),
            line.get("position").asLong(),
            line.get("floor").asLong())
        : null;
  }

  private static String text(byte[] line, int length) {
    return Check.printable(new String(line, 0, Math.min(length, 100), UTF_8));
  }

  /** Keeps the mapper. */
  final class Lines {
    private static final JsonMapper JSON = JsonMapper.builder().build();

    private Lines() {}
  }
}
