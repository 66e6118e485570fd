package dev.holdfast.cli;

import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * The API's JSON as trees, so that a field which this command does not know does not break it, and
 * {@code --json} passes it on.
 */
final class Json {
  private static final JsonMapper MAPPER = JsonMapper.builder().build();

  private Json() {}

  /** An empty object. */
  static ObjectNode object() {
    return MAPPER.createObjectNode();
  }

  /** An empty array. */
  static ArrayNode array() {
    return MAPPER.createArrayNode();
  }

  /**
   * The tree of the bytes.
   *
   * @throws Refused when they are no JSON, naming {@code what}
   */
  static JsonNode parse(byte[] bytes, String what) {
    try {
      return MAPPER.readTree(bytes);
    } catch (JacksonException e) {
      throw new Refused(what + " is not JSON: " + Text.oneLine(e.getOriginalMessage()));
    }
  }

  /** The bytes of the tree. */
  static byte[] bytes(JsonNode node) {
    return MAPPER.writeValueAsBytes(node);
  }

  /** One line of JSON in which control characters, C1 too, are escaped. */
  static String line(JsonNode node) {
    var text = MAPPER.writeValueAsString(node);
    if (text.chars().noneMatch(Json::needsEscape)) {
      return text;
    }
    var out = new StringBuilder(text.length() + 16);
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (needsEscape(c)) {
        out.append(String.format("\\u%04x", (int) c));
      } else {
        out.append(c);
      }
    }
    return out.toString();
  }

  private static boolean needsEscape(int c) {
    return c >= 0x7F && c <= 0x9F;
  }

  /** The field as text, or {@code absent} when it is missing or null. */
  static String text(JsonNode node, String field, String absent) {
    var value = node.path(field);
    if (value.isMissingNode() || value.isNull()) {
      return absent;
    }
    return value.isString() ? value.stringValue() : value.toString();
  }

  /** As {@link #text}, safe for one line of a screen. */
  static String shown(JsonNode node, String field, String absent) {
    return Text.oneLine(text(node, field, absent));
  }

  /** The field as a whole number, or {@code absent}. */
  static long number(JsonNode node, String field, long absent) {
    var value = node.path(field);
    return value.isIntegralNumber() ? value.longValue() : absent;
  }

  /** Whether the field is there and not null. */
  static boolean has(JsonNode node, String field) {
    return !node.path(field).isMissingNode() && !node.path(field).isNull();
  }
}
