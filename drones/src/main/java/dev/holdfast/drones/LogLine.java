package dev.holdfast.drones;

import java.time.Instant;
import java.util.Objects;

/**
 * One line of an app's log. Immutable.
 *
 * @param at when the platform read or wrote it
 * @param source {@link #APP} or {@link #HOLDFAST}
 * @param process who said it: {@code web.1}, {@code router}, {@code release}
 * @param text without line ends and without control characters other than tabs and ANSI colours
 */
public record LogLine(Instant at, String source, String process, String text) {
  /** Source of what the app's own processes print. */
  public static final String APP = "app";

  /** Source of what the platform has to say about the app. */
  public static final String HOLDFAST = "holdfast";

  /** Refuses missing parts. */
  public LogLine {
    Objects.requireNonNull(at, "at");
    Objects.requireNonNull(source, "source");
    Objects.requireNonNull(process, "process");
    Objects.requireNonNull(text, "text");
  }
}
