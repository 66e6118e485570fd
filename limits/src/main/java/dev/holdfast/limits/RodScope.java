package dev.holdfast.limits;

import java.util.Locale;
import java.util.regex.Pattern;

/**
 * Where a control rod acts: everywhere, or on one node, app, account or upstream. As text it is
 * {@code global}, {@code node/NAME}, {@code app/NAME}, {@code account/NAME} or {@code
 * upstream/HOST}. Immutable.
 *
 * @param extent how far it reaches
 * @param name of what it acts on; empty for {@link Extent#GLOBAL}
 */
public record RodScope(Extent extent, String name) {
  /** Everything. */
  public static final RodScope GLOBAL = new RodScope(Extent.GLOBAL, "");

  private static final String EXPECTED =
      "global, node/NAME, app/NAME, account/NAME or upstream/HOST";
  private static final Pattern NAME = Pattern.compile("[a-z0-9][a-z0-9._-]{0,127}");

  /** How far a rod reaches. */
  public enum Extent {
    /** Every node. */
    GLOBAL,
    /** One machine. */
    NODE,
    /** One app. */
    APP,
    /** All apps whose policy names the account. */
    ACCOUNT,
    /** One host that is called from here. */
    UPSTREAM;

    /** As it stands in a scope. */
    public String word() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  /** Refuses a name where there is nothing to name, and none where there is. */
  public RodScope {
    Check.that(
        extent == Extent.GLOBAL ? name.isEmpty() : NAME.matcher(name).matches(),
        "scope " + extent.word(),
        name,
        extent == Extent.GLOBAL ? "no name" : "a name of a-z, 0-9, '.', '_' and '-'");
  }

  /** One app. */
  public static RodScope app(String name) {
    return new RodScope(Extent.APP, name);
  }

  /** One machine. */
  public static RodScope node(String name) {
    return new RodScope(Extent.NODE, name);
  }

  /** The scope that the text says. */
  public static RodScope of(String text) {
    int slash = text.indexOf('/');
    var word = slash < 0 ? text : text.substring(0, slash);
    for (var extent : Extent.values()) {
      if (extent.word().equals(word) && (slash < 0) == (extent == Extent.GLOBAL)) {
        return new RodScope(extent, slash < 0 ? "" : text.substring(slash + 1));
      }
    }
    throw new IllegalArgumentException(Check.message("scope", text, EXPECTED));
  }

  /** As {@link #of} reads it. */
  public String text() {
    return extent == Extent.GLOBAL ? extent.word() : extent.word() + "/" + name;
  }
}
