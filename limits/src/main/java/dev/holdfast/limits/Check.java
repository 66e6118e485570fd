package dev.holdfast.limits;

/**
 * Refuses a bad value with evidence: {@code name: value (expected: what)}. The one sentence form
 * that every configuration and argument error of the platform has.
 */
public final class Check {
  /** Longest part of an offending value that is repeated in a message. */
  private static final int VALUE_CHARS_MAX = 200;

  private Check() {}

  /**
   * Passes when {@code holds}.
   *
   * @throws IllegalArgumentException naming the value and what was expected
   */
  public static void that(boolean holds, String name, Object value, String expected) {
    if (!holds) {
      throw new IllegalArgumentException(message(name, value, expected));
    }
  }

  /** The sentence itself, for refusals that are values and not exceptions. */
  public static String message(String name, Object value, String expected) {
    return name + ": " + printable(String.valueOf(value)) + " (expected: " + expected + ")";
  }

  /** The text cut to a bound, control characters replaced, so that it is safe in a log line. */
  public static String printable(String text) {
    var cut = text.length() > VALUE_CHARS_MAX ? text.substring(0, VALUE_CHARS_MAX) + "…" : text;
    var out = new StringBuilder(cut.length());
    cut.codePoints()
        .forEach(c -> out.appendCodePoint(Character.isISOControl(c) || c == 0xFFFE ? '\uFFFD' : c));
    return out.toString();
  }
}
