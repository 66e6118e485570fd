package dev.holdfast.drones;

import dev.holdfast.ledger.HostName;
import dev.holdfast.limits.Check;
import java.nio.charset.StandardCharsets;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.regex.Pattern;

/**
 * What an app can run: its process types and the command of each, in the order of the file.
 * Immutable.
 *
 * <p>The file has one {@code <type>: <command>} per line; empty lines and lines that begin with
 * {@code #} or {@code //} say nothing, and neither does what follows one of them after a blank
 * outside of quotes. Anything else makes the whole file invalid, so that a merge conflict can never
 * become a release.
 *
 * @param types command by process type
 */
public record Procfile(Map<String, String> types) {
  /** Most process types of one app. */
  public static final int TYPES_MAX = 64;

  /** Longest file in bytes of UTF-8. */
  public static final int BYTES_MAX = 64 * 1024;

  /** Longest command in bytes of UTF-8. */
  public static final int COMMAND_BYTES_MAX = 16 * 1024;

  private static final Pattern LINE = Pattern.compile("([A-Za-z0-9_-]+):[ \\t]*(.*)");

  /** Refuses no type at all, too many, and a type or a command that could not be run. */
  public Procfile {
    Check.that(!types.isEmpty(), "Procfile", "no process type", "at least one <type>: <command>");
    Check.that(types.size() <= TYPES_MAX, "Procfile types", types.size(), "at most " + TYPES_MAX);
    types.forEach((type, command) -> {
      HostName.label("Procfile type", type);
      Check.that(runnable(command), "Procfile command of " + type, command, "a command");
    });
    types = Collections.unmodifiableMap(new LinkedHashMap<>(types));
  }

  /**
   * Reads the file.
   *
   * @throws IllegalArgumentException naming the line, what stands there and what was expected
   */
  public static Procfile parse(String text) {
    int bytes = text.getBytes(StandardCharsets.UTF_8).length;
    Check.that(bytes <= BYTES_MAX, "Procfile bytes", bytes, "at most " + BYTES_MAX);
    var types = new LinkedHashMap<String, String>();
    int number = 0;
    for (var raw : text.split("\n", -1)) {
      number++;
      var line = raw.stripTrailing();
      if (line.isEmpty() || line.startsWith("#") || line.startsWith("//")) {
        continue;
      }
      var where = "Procfile line " + number;
      var match = LINE.matcher(line);
      Check.that(match.matches(), where, line, "<type>: <command>, a comment or nothing");
      var type = HostName.label(where + ", process type", match.group(1));
      var command = withoutComment(match.group(2));
      Check.that(
          runnable(command),
          where,
          line,
          "a command after " + type + ": of at most " + COMMAND_BYTES_MAX + " bytes");
      Check.that(types.put(type, command) == null, where, type, "each process type once");
      Check.that(types.size() <= TYPES_MAX, where, type, "at most " + TYPES_MAX + " types");
    }
    return new Procfile(types);
  }

  /** Whether a shell could be asked to run it. */
  static boolean runnable(String command) {
    return !command.isBlank()
        && command.chars().noneMatch(c -> c == 0 || c == '\n')
        && command.getBytes(StandardCharsets.UTF_8).length <= COMMAND_BYTES_MAX;
  }

  /** Cuts at the first comment sign that stands at the beginning or behind a blank, unquoted. */
  private static String withoutComment(String command) {
    char quote = 0;
    for (int i = 0; i < command.length(); i++) {
      char c = command.charAt(i);
      if (c == '\\' && quote != '\'') {
        i++; // the escaped character means nothing
      } else if (quote != 0) {
        quote = c == quote ? 0 : quote;
      } else if (c == '\'' || c == '"') {
        quote = c;
      } else if ((c == '#' || command.startsWith("//", i)) && (i == 0 || blank(command, i - 1))) {
        return command.substring(0, i).strip();
      }
    }
    return command.strip();
  }

  private static boolean blank(String text, int at) {
    return text.charAt(at) == ' ' || text.charAt(at) == '\t';
  }
}
