package dev.holdfast.ledger;

import dev.holdfast.limits.Check;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.core.StreamReadConstraints;
import tools.jackson.core.json.JsonFactory;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.json.JsonMapper;

/**
 * What a payload is: a name, a schema version, and the one codec that both the writer and every
 * follower use. Immutable.
 *
 * <p>A reader accepts every schema from 1 to its own and ignores fields that it does not know, so
 * that a field may be added within a schema; a change of meaning raises the schema.
 *
 * @param name as it stands in the envelope
 * @param schema the version that is written
 * @param type a record; its compact constructor is the validation
 * @param secret whether entries of this kind must never leave a control node
 * @param quick for kinds of which there may be a million, or null
 */
public record Kind<T>(
    String name, int schema, Class<T> type, boolean secret, @Nullable Quick<T> quick) {

  /** Reads some payloads faster than the codec does, and to the same values. */
  @FunctionalInterface
  interface Quick<T> {
    /** The value; null for whatever is not plainly a value, which the codec reads or refuses. */
    @Nullable T read(byte[] payload);
  }

  /** Deepest nesting of a payload. */
  public static final int JSON_DEPTH_MAX = 64;

  private static final JsonMapper JSON =
      JsonMapper.builder(
              JsonFactory.builder()
                  .streamReadConstraints(
                      StreamReadConstraints.builder()
                          .maxNestingDepth(JSON_DEPTH_MAX)
                          .maxDocumentLength(Entry.PAYLOAD_BYTES_MAX)
                          .build())
                  .build())
          .disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
          .enable(DeserializationFeature.FAIL_ON_NULL_FOR_PRIMITIVES)
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .build();

  /** A kind that may be shown to everybody who may read the ledger. */
  public static <T> Kind<T> open(String name, int schema, Class<T> type) {
    return new Kind<>(name, schema, type, false, null);
  }

  /** As {@link #open(String, int, Class)}, with a faster reader of what is plain. */
  static <T> Kind<T> open(String name, int schema, Class<T> type, Quick<T> quick) {
    return new Kind<>(name, schema, type, false, quick);
  }

  /** A kind whose payload is never shown and never leaves a control node. */
  public static <T> Kind<T> secret(String name, int schema, Class<T> type) {
    return new Kind<>(name, schema, type, true, null);
  }

  /** The value's bytes. */
  public Payload encode(T value) {
    return Payload.wrap(JSON.writeValueAsBytes(value));
  }

  /**
   * The value in the entry.
   *
   * @throws IllegalArgumentException when this kind cannot read it, naming the key
   */
  public T decode(Entry entry) {
    Check.that(entry.kind().equals(name), "kind of " + entry.key(), entry.kind(), name);
    Check.that(
        entry.schema() <= schema, "schema of " + entry.key(), entry.schema(), "at most " + schema);
    var payload = entry.payload();
    var known = payload.known(type);
    if (known != null) {
      return known;
    }
    var plain = quick == null ? null : quick.read(payload.shared());
    T value = plain == null ? parse(entry) : plain;
    payload.know(value);
    return value;
  }

  /**
   * Reads the entry so that {@link #decode} need not, if it is plain; of any other nothing happens.
   * Any thread.
   */
  public void readAhead(Entry entry) {
    if (quick != null && entry.kind().equals(name) && entry.schema() <= schema) {
      var plain = quick.read(entry.payload().shared());
      if (plain != null) {
        entry.payload().know(plain);
      }
    }
  }

  private T parse(Entry entry) {
    try {
      T value = JSON.readValue(entry.payload().shared(), type);
      Check.that(value != null, "payload of " + entry.key(), "null", "a " + name);
      return value;
    } catch (JacksonException | NullPointerException e) {
      throw new IllegalArgumentException(
          Check.message("payload of " + entry.key(), oneLine(e), "a readable " + name), e);
    }
  }

  private static String oneLine(Exception e) {
    return e instanceof JacksonException json
        ? json.getOriginalMessage()
        : String.valueOf(e.getMessage());
  }
}
