package dev.holdfast.drones;

import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * How a run ended: with a status, by a signal, or unseen. Immutable.
 *
 * <p>A shell reports the death of a command by signal n as status 128 + n; that is read back as the
 * signal, also when a program chose the number itself (as a JVM does: 143 after SIGTERM).
 *
 * @param status exit status, 0 to 255, or null
 * @param signal number of the signal, or null
 */
public record Exit(@Nullable Integer status, @Nullable Integer signal) {
  /** Nobody was left to see it. */
  public static final Exit LOST = new Exit(null, null);

  private static final int SIGNAL_MAX = 64;
  private static final Map<Integer, String> NAMES =
      Map.ofEntries(
          Map.entry(1, "SIGHUP"),
          Map.entry(2, "SIGINT"),
          Map.entry(3, "SIGQUIT"),
          Map.entry(4, "SIGILL"),
          Map.entry(5, "SIGTRAP"),
          Map.entry(6, "SIGABRT"),
          Map.entry(7, "SIGBUS"),
          Map.entry(8, "SIGFPE"),
          Map.entry(9, "SIGKILL"),
          Map.entry(10, "SIGUSR1"),
          Map.entry(11, "SIGSEGV"),
          Map.entry(12, "SIGUSR2"),
          Map.entry(13, "SIGPIPE"),
          Map.entry(14, "SIGALRM"),
          Map.entry(15, "SIGTERM"),
          Map.entry(24, "SIGXCPU"),
          Map.entry(25, "SIGXFSZ"),
          Map.entry(31, "SIGSYS"));

  /** What a shell's {@code $?} says. */
  static Exit ofShell(int code) {
    return code > 128 && code <= 128 + SIGNAL_MAX
        ? new Exit(null, code - 128)
        : new Exit(code, null);
  }

  /** The end in words, such as {@code exit status 1} or {@code killed by SIGKILL}. */
  public String describe() {
    if (signal != null) {
      return "killed by " + NAMES.getOrDefault(signal, "signal " + signal);
    }
    return status != null
        ? "exit status " + status
        : "lost (the machine or the drone's wrapper went away)";
  }
}
