package dev.holdfast.edge;

/** What is said of a line that cannot be taken. */
final class Line {
  /** No whole line has come yet. */
  static final int MORE = -1;

  /** The line is longer than its bound. */
  static final int TOO_LONG = -2;

  /** The line does not end, or does not read, as it must. */
  static final int BAD_END = -3;

  private Line() {}
}
