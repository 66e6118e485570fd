package dev.holdfast.cli;

/** Ends the command with one sentence for the person who typed it and an exit code. */
sealed class Refused extends RuntimeException permits Absent {
  /** The command was understood and could not be done. */
  static final int FAILED = 1;

  /** The command was not understood. */
  static final int USAGE = 2;

  private static final long serialVersionUID = 1;

  private final int exitCode;

  Refused(String message) {
    this(message, FAILED);
  }

  private Refused(String message, int exitCode) {
    super(message);
    this.exitCode = exitCode;
  }

  /** A refusal because of how the command was typed. */
  static Refused usage(String message) {
    return new Refused(message, USAGE);
  }

  /** What the process ends with. */
  int exitCode() {
    return exitCode;
  }

  /** The sentence. */
  String sentence() {
    return String.valueOf(getMessage());
  }

  /** The one form of an error about a value: what it is, and what was expected. */
  static String sentence(String name, String value, String expected) {
    return name + ": " + Text.oneLine(value) + " (expected: " + expected + ")";
  }
}
