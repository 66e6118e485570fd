package dev.holdfast.drones;

import dev.holdfast.ledger.Kind;
import dev.holdfast.limits.Check;
import java.nio.charset.StandardCharsets;
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

  /** Most bytes of all names and values of one app, in UTF-8. */
  public static final int BYTES_MAX = LaunchSpec.CONFIG_BYTES_MAX;

  private static final Pattern NAME = Pattern.compile("[A-Za-z_][A-Za-z0-9_]{0,199}");

  /** Refuses names that no shell takes, and too much of anything. */
  public ConfigVars {
    Objects.requireNonNull(app, "app");
    vars = Collections.unmodifiableMap(new TreeMap<>(vars));
    Check.that(vars.size() <= VARS_MAX, "config vars", vars.size(), "at most " + VARS_MAX);
    int total = 0;
    for (var one : vars.entrySet()) {
      checkName(one.getKey());
      Check.that(
          one.getValue().indexOf('\0') < 0, "config var " + one.getKey(), "…", "no NUL character");
      int bytes = one.getValue().getBytes(StandardCharsets.UTF_8).length;
      Check.that(
          bytes <= LaunchSpec.VALUE_BYTES_MAX,
          "config var " + one.getKey(),
          bytes + " bytes",
          "at most " + LaunchSpec.VALUE_BYTES_MAX + " bytes");
      total += one.getKey().length() + bytes;
    }
    Check.that(
        total <= BYTES_MAX, "config vars", total + " bytes", "at most " + BYTES_MAX + " bytes");
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
