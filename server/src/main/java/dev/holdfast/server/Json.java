package dev.holdfast.server;

import dev.holdfast.ledger.Kind;
import dev.holdfast.limits.Check;
import io.javalin.http.Context;
import java.io.IOException;
import java.time.Instant;
import java.time.format.DateTimeFormatter;
import java.time.format.DateTimeFormatterBuilder;
import java.util.Locale;
import java.util.Map;
import java.util.StringJoiner;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonGenerator;
import tools.jackson.core.StreamReadConstraints;
import tools.jackson.core.StreamReadFeature;
import tools.jackson.core.json.JsonFactory;
import tools.jackson.core.type.TypeReference;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.MapperFeature;
import tools.jackson.databind.SerializationContext;
import tools.jackson.databind.ValueSerializer;
import tools.jackson.databind.cfg.EnumFeature;
import tools.jackson.databind.exc.UnrecognizedPropertyException;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.module.SimpleModule;
import tools.jackson.databind.node.ObjectNode;

/** JSON as the API reads it (strictly) and writes it. Thread-safe. */
final class Json {
  /** Largest JSON body. */
  static final int BODY_BYTES_MAX = 1 << 20;

  static final JsonMapper MAPPER =
      JsonMapper.builder(
              JsonFactory.builder()
                  .streamReadConstraints(
                      StreamReadConstraints.builder()
                          .maxNestingDepth(Kind.JSON_DEPTH_MAX)
                          .maxDocumentLength(BODY_BYTES_MAX)
                          .build())
                  .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
                  .build())
          .addModule(new SimpleModule().addSerializer(Instant.class, new Times()))
          .enable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
          .enable(DeserializationFeature.FAIL_ON_NULL_FOR_PRIMITIVES)
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .disable(DeserializationFeature.ACCEPT_FLOAT_AS_INT)
          .enable(MapperFeature.ACCEPT_CASE_INSENSITIVE_ENUMS)
          .enable(EnumFeature.WRITE_ENUMS_TO_LOWERCASE)
          .enable(EnumFeature.FAIL_ON_NUMBERS_FOR_ENUMS)
          .build();

  private static final TypeReference<Map<String, @Nullable Integer>> COUNTS =
      new TypeReference<>() {};

  /** Times have milliseconds always, so that their text sorts as they do. */
  private static final class Times extends ValueSerializer<Instant> {
    private static final DateTimeFormatter MILLIS =
        new DateTimeFormatterBuilder().appendInstant(3).toFormatter(Locale.ROOT);

    @Override
    public void serialize(Instant value, JsonGenerator out, SerializationContext context) {
      out.writeString(MILLIS.format(value));
    }
  }

  private Json() {}

  /**
   * The request's body as that record.
   *
   * @throws Problem.Thrown when it is too large, no JSON, or has a field that is not known
   */
  static <T> T body(Context context, Class<T> type) throws IOException {
    return read(context, bytes -> MAPPER.readValue(bytes, type));
  }

  /** As {@link #body}, of an object that has a number in every field. */
  static Map<String, @Nullable Integer> counts(Context context) throws IOException {
    return read(context, bytes -> MAPPER.readValue(bytes, COUNTS));
  }

  /** As {@link #body}, of any object. */
  static ObjectNode object(Context context) throws IOException {
    return read(
        context,
        bytes -> {
          if (MAPPER.readTree(bytes) instanceof ObjectNode object) {
            return object;
          }
          throw Problem.invalid(Check.message("body", "no object", "a JSON object"));
        });
  }

  /** As {@link #body}, of a tree that was read before. */
  static <T> T value(JsonNode tree, Class<T> type) {
    return value(() -> MAPPER.treeToValue(tree, type));
  }

  private interface Reader<T> {
    @Nullable T from(byte[] bytes);
  }

  private static <T> T read(Context context, Reader<T> reader) throws IOException {
    byte[] bytes = context.bodyInputStream().readNBytes(BODY_BYTES_MAX + 1);
    if (bytes.length > BODY_BYTES_MAX) {
      throw new Problem.Thrown(
          Problem.of(
              413,
              "Too large",
              Check.message("body", "more", "at most " + BODY_BYTES_MAX + " bytes")),
          null);
    }
    if (bytes.length == 0) {
      throw Problem.invalid(Check.message("body", "nothing", "a JSON object"));
    }
    return value(() -> reader.from(bytes));
  }

  private interface Reading<T> {
    @Nullable T now();
  }

  private static <T> T value(Reading<T> reading) {
    try {
      T value = reading.now();
      if (value == null) {
        throw Problem.invalid(Check.message("body", "null", "a JSON object"));
      }
      return value;
    } catch (UnrecognizedPropertyException e) {
      throw Problem.invalid(
          Check.message("field", e.getPropertyName(), "one of " + e.getKnownPropertyIds()));
    } catch (JacksonException e) {
      throw Problem.invalid(sentence(e));
    }
  }

  /** What is wrong, without the names of classes that only we know. */
  private static String sentence(JacksonException e) {
    return switch (e.getCause()) {
      case IllegalArgumentException bad -> String.valueOf(bad.getMessage());
      case NullPointerException missing ->
          Check.message(String.valueOf(missing.getMessage()), "none", "a value");
      case null, default -> {
        var said = String.valueOf(e.getOriginalMessage());
        yield said.contains("`")
            ? Check.message("body", place(e), "a value of the type in /v1/openapi.json")
            : Check.message("body", said, "readable JSON");
      }
    };
  }

  /** Such as {@code routes.0.host}. */
  private static String place(JacksonException e) {
    var names = new StringJoiner(".");
    for (var step : e.getPath()) {
      var name = step.getPropertyName();
      names.add(name == null ? String.valueOf(step.getIndex()) : name);
    }
    return names.length() == 0 ? "another type" : "another type at " + names;
  }

  static byte[] bytes(Object value) {
    return MAPPER.writeValueAsBytes(value);
  }
}
