package dev.holdfast.drills;

/** Text in pages. */
final class Html {
  private Html() {}

  /** The text as it may stand between tags and in quoted attributes. */
  static String text(String plain) {
    return plain
        .replace("&", "&amp;")
        .replace("<", "&lt;")
        .replace(">", "&gt;")
        .replace("\"", "&quot;");
  }
}
