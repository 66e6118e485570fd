package dev.holdfast.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;

/**
 * Which files of a folder stay at home: {@code .git}, and what {@code .holdfastignore} names in
 * gitignore's way (comments, {@code !}, {@code /} in front and at the end, {@code *}, {@code ?},
 * {@code [a-z]}, {@code **}; the last rule that matches decides). Immutable.
 */
final class IgnoreRules {
  static final String FILE = ".holdfastignore";
  static final int FILE_BYTES_MAX = 1 << 20;

  private record Rule(Pattern path, boolean foldersOnly, boolean ignored) {}

  private final List<Rule> rules;

  private IgnoreRules(List<Rule> rules) {
    this.rules = rules;
  }

  /** The rules of the folder. */
  static IgnoreRules of(Path folder) throws IOException {
    var file = folder.resolve(FILE);
    if (!Files.isRegularFile(file)) {
      return new IgnoreRules(List.of());
    }
    if (Files.size(file) > FILE_BYTES_MAX) {
      throw new Refused(FILE + " is larger than " + Text.size(FILE_BYTES_MAX) + ".");
    }
    return parse(Files.readAllLines(file));
  }

  /** The rules in these lines. */
  static IgnoreRules parse(List<String> lines) {
    var rules = new ArrayList<Rule>();
    for (int i = 0; i < lines.size(); i++) {
      var line = lines.get(i).stripTrailing();
      if (line.isEmpty() || line.startsWith("#")) {
        continue;
      }
      boolean ignored = !line.startsWith("!");
      var glob = ignored ? line : line.substring(1);
      boolean foldersOnly = glob.endsWith("/");
      if (foldersOnly) {
        glob = glob.substring(0, glob.length() - 1);
      }
      try {
        rules.add(new Rule(Pattern.compile(regex(glob)), foldersOnly, ignored));
      } catch (PatternSyntaxException e) {
        throw new Refused(
            FILE + ":" + (i + 1) + ": " + Refused.sentence("pattern", line, "a gitignore pattern"));
      }
    }
    return new IgnoreRules(List.copyOf(rules));
  }

  /**
   * Whether the file stays at home.
   *
   * @param path from the folder, parts separated by {@code /}
   */
  boolean ignores(String path, boolean folder) {
    if (path.equals(".git") || path.endsWith("/.git")) {
      return true;
    }
    boolean ignored = false;
    for (var rule : rules) {
      if ((folder || !rule.foldersOnly) && rule.path.matcher(path).matches()) {
        ignored = rule.ignored;
      }
    }
    return ignored;
  }

  /** A pattern with a slash inside is about the whole path, one without about any last part. */
  private static String regex(String glob) {
    boolean anchored = glob.indexOf('/') >= 0;
    var text = glob.startsWith("/") ? glob.substring(1) : glob;
    var regex = new StringBuilder(anchored ? "" : "(?:.*/)?");
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (text.startsWith("**/", i) && (i == 0 || text.charAt(i - 1) == '/')) {
        regex.append("(?:.*/)?");
        i += 2;
      } else if (text.startsWith("/**", i) && i + 3 == text.length()) {
        regex.append("/.*");
        i += 2;
      } else if (c == '*') {
        regex.append("[^/]*");
      } else if (c == '?') {
        regex.append("[^/]");
      } else if (c == '[' && text.indexOf(']', i + 2) > 0) {
        int end = text.indexOf(']', i + 2);
        var set =
            text.substring(i + 1, end)
                .replace("\\", "\\\\")
                .replace("[", "\\[")
                .replace("&&", "&\\&");
        regex.append('[').append(set.startsWith("!") ? "^" + set.substring(1) : set).append(']');
        i = end;
      } else if (c == '\\' && i + 1 < text.length()) {
        regex.append(Pattern.quote(String.valueOf(text.charAt(++i))));
      } else {
        regex.append(Pattern.quote(String.valueOf(c)));
      }
    }
    return regex.toString();
  }
}
