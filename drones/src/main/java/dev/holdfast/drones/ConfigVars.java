package dev.holdfast.drones;

import dev.holdfast.ledger.Kind;
import dev.holdfast.limits.Check;
import java.util.Collections;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.regex.Pattern;

/**
 * One version of an app's config vars, which may be secrets: they are never shown in the ledger and
 * never leave a control node. Immutable.
 */
public record ConfigVars(String app, int version, Map<String, String> vars) {
  /** Config vars in the ledger. */
  public static final Kind<ConfigVars> KIND = Kind.secret("config", 1, ConfigVars.class);

  /** Most variables of one app. */
  public static final int VARS_MAX = 500;

  /** Most characters of all names and values of one app. */
  public static final int CHARS_MAX = 64 * 1024;

  private static final Pattern NAME = Pattern.compile("[A-Za-z_][A-Za-z0-9_]{0,199}");

  /** Refuses names that no shell takes, and too much of anything. */
  public ConfigVars {
    Objects.requireNonNull(app, "app");
    vars = Collections.unmodifiableMap(new TreeMap<>(vars));
    Check.that(vars.size() <= VARS_MAX, "config vars", vars.size(), "at most " + VARS_MAX);
    int chars = 0;
    for (var one : vars.entrySet()) {
      checkName(one.getKey());
      Check.that(
          one.getValue().indexOf('\0') < 0, "config var " + one.getKey(), "…", "no NUL character");
      chars += one.getKey().length() + one.getValue().length();
    }
    Check.that(chars <= CHARS_MAX, "config vars", chars, "at most " + CHARS_MAX + " characters");
  }

  private static void checkName(String name) {
    Check.that(
        NAME.matcher(name).matches(), "config var", name, "letters, digits and _, no digit first");
    Check.that(
        !name.equals("PORT") && !name.equals("DYNO") && !name.startsWith("HOLDFAST_"),
        "config var",
        name,
        "a name that the platform does not set itself (PORT, DYNO, HOLDFAST_*)");
  }

  static String key(String app, int version) {
    return "config/" + app + "/" + version;
  }
}
