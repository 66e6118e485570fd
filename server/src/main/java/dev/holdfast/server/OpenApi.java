package dev.holdfast.server;

import java.lang.reflect.ParameterizedType;
import java.lang.reflect.RecordComponent;
import java.lang.reflect.Type;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Writes the OpenAPI 3.1 document of a list of operations, with schemas from their records. */
final class OpenApi {
  private static final Pattern PARAMETER = Pattern.compile("\\{([a-z]+)}");

  private final Map<String, Object> schemas = new TreeMap<>();

  private OpenApi() {}

  static Map<String, Object> document(List<Operation> operations, String version) {
    return new OpenApi().write(operations, version);
  }

  private Map<String, Object> write(List<Operation> operations, String version) {
    var paths = new LinkedHashMap<String, Map<String, Object>>();
    for (var operation : operations) {
      paths
          .computeIfAbsent(path(operation), _ -> new LinkedHashMap<>())
          .put(operation.method().name().toLowerCase(Locale.ROOT), describe(operation));
    }
    schema(Problem.class);
    var document = new LinkedHashMap<String, Object>();
    document.put("openapi", "3.1.0");
    document.put(
        "info",
        Map.of(
            "title",
            "Holdfast",
            "version",
            version,
            "description",
            "A self-hosted application platform that holds."));
    document.put("security", List.of(Map.of("token", List.of())));
    document.put("paths", paths);
    document.put(
        "components",
        Map.of(
            "schemas",
            schemas,
            "securitySchemes",
            Map.of("token", Map.of("type", "http", "scheme", "bearer"))));
    return document;
  }

  /** The path as the document writes it: with braces around what may hold slashes, too. */
  private static String path(Operation operation) {
    return operation.path().replace('<', '{').replace('>', '}');
  }

  private Map<String, Object> describe(Operation operation) {
    var described = new LinkedHashMap<String, Object>();
    described.put("summary", operation.summary());
    described.put("operationId", id(operation));
    if (operation.access() == Operation.Access.OPEN) {
      described.put("security", List.of());
    }
    var parameters = new ArrayList<Object>();
    var names = PARAMETER.matcher(path(operation));
    while (names.find()) {
      parameters.add(parameter(names.group(1), "path", "", true));
    }
    for (var query : operation.query()) {
      parameters.add(parameter(query.name(), "query", query.meaning(), false));
    }
    if (!parameters.isEmpty()) {
      described.put("parameters", parameters);
    }
    boolean upload = operation.media() != null && operation.media().equals("application/gzip");
    var body = operation.body();
    if (upload) {
      described.put(
          "requestBody", content("application/gzip", Map.of("type", "string", "format", "binary")));
    } else if (body != null) {
      described.put("requestBody", content("application/json", schema(body)));
    }
    described.put("responses", responses(operation, upload));
    return described;
  }

  private Map<String, Object> responses(Operation operation, boolean upload) {
    var success = new LinkedHashMap<String, Object>();
    success.put("description", operation.status() == 202 ? "Accepted; on its way" : "Done");
    var media = operation.media();
    var answer = operation.answer();
    if (media != null && !upload) {
      success.putAll(content(media, answer == null ? Map.of("type", "string") : schema(answer)));
    } else if (answer != null) {
      success.putAll(content("application/json", schema(answer)));
    }
    var refusal = new LinkedHashMap<String, Object>();
    refusal.put("description", "Refused; the detail names the value and what was expected");
    refusal.putAll(content("application/problem+json", schema(Problem.class)));
    var responses = new LinkedHashMap<String, Object>();
    responses.put(String.valueOf(operation.status()), success);
    responses.put("default", refusal);
    return responses;
  }

  private static Map<String, Object> content(String media, Map<String, Object> schema) {
    return Map.of("content", Map.of(media, Map.of("schema", schema)));
  }

  private static Map<String, Object> parameter(
      String name, String in, String meaning, boolean required) {
    var parameter = new LinkedHashMap<String, Object>();
    parameter.put("name", name);
    parameter.put("in", in);
    parameter.put("required", required);
    if (!meaning.isEmpty()) {
      parameter.put("description", meaning);
    }
    parameter.put("schema", Map.of("type", "string"));
    return parameter;
  }

  private static String id(Operation operation) {
    var words = operation.path().replaceAll("[{}<>]", "").split("[/.]", -1);
    var id = new StringBuilder(operation.method().name().toLowerCase(Locale.ROOT));
    for (var word : words) {
      if (!word.isEmpty() && !word.equals("v1")) {
        id.append(Character.toUpperCase(word.charAt(0))).append(word.substring(1));
      }
    }
    return id.toString();
  }

  private Map<String, Object> schema(Type type) {
    if (type instanceof ParameterizedType generic) {
      var arguments = generic.getActualTypeArguments();
      return generic.getRawType() == Map.class
          ? Map.of("type", "object", "additionalProperties", schema(arguments[1]))
          : Map.of("type", "array", "items", schema(arguments[0]));
    }
    if (type instanceof Class<?> plain) {
      if (plain.isRecord()) {
        return record(plain);
      }
      if (plain.isEnum()) {
        var names =
            Arrays.stream(plain.getEnumConstants())
                .map(constant -> ((Enum<?>) constant).name().toLowerCase(Locale.ROOT))
                .toList();
        return Map.of("type", "string", "enum", names);
      }
      return switch (plain.getSimpleName()) {
        case "String" -> Map.of("type", "string");
        case "int", "Integer" -> Map.of("type", "integer", "format", "int32");
        case "long", "Long" -> Map.of("type", "integer", "format", "int64");
        case "boolean", "Boolean" -> Map.of("type", "boolean");
        default ->
            plain == Instant.class
                ? Map.of("type", "string", "format", "date-time")
                : Map.of("type", "object");
      };
    }
    return Map.of();
  }

  private Map<String, Object> record(Class<?> type) {
    var name = type.getSimpleName().replace("Shape", "").replace("View", "");
    if (!schemas.containsKey(name)) {
      schemas.put(name, Map.of()); // a record that contains itself ends here
      var properties = new LinkedHashMap<String, Object>();
      var required = new ArrayList<String>();
      for (var component : type.getRecordComponents()) {
        boolean optional = optional(component);
        var schema = schema(component.getGenericType());
        properties.put(component.getName(), optional ? nullable(schema) : schema);
        if (!optional) {
          required.add(component.getName());
        }
      }
      var described = new LinkedHashMap<String, Object>();
      described.put("type", "object");
      described.put("properties", properties);
      if (!required.isEmpty()) {
        described.put("required", required);
      }
      schemas.put(name, described);
    }
    return Map.of("$ref", "#/components/schemas/" + name);
  }

  private static Map<String, Object> nullable(Map<String, Object> schema) {
    return Map.of("anyOf", List.of(schema, Map.of("type", "null")));
  }

  private static boolean optional(RecordComponent component) {
    return Arrays.stream(component.getAnnotatedType().getAnnotations())
        .anyMatch(annotation -> annotation.annotationType() == Nullable.class);
  }
}
