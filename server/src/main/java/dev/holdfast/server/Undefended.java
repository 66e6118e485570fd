package dev.holdfast.server;

import dev.holdfast.limits.Check;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;

/**
 * A defence that a drill switches off to see what happens without it. Nobody else has a reason to.
 */
enum Undefended {
  /** Whoever listens on a process's port is taken for that process. */
  PORT_OWNER,
  /** What crashes is started again at once, for ever. */
  CRASH_PACING,
  /** An edge in a process of its own keeps no copy of what it knows on disk. */
  DISK_COPY,
  /** Edges in other processes get what stands in the ledger before anybody tried it. */
  CANARY,
  /** An entry that an edge in a process of its own cannot take ends that process. */
  POISON_QUARANTINE,
  /** An edge in a process of its own compares what it has with nothing. */
  DIGESTS;

  static final ServerConfig.Key WITHOUT =
      new ServerConfig.Key(
          "drill.without",
          "none",
          "For drills only: defences that are switched off, with commas between them, of "
              + String.join(", ", Arrays.stream(values()).map(u -> "`" + u.word() + "`").toList())
              + ". It shows what an outage looked like; never set it otherwise.");

  String word() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }

  /**
   * What the configuration says.
   *
   * @throws IllegalArgumentException when it names what is no such defence
   */
  static Set<Undefended> of(ServerConfig config) {
    var all = EnumSet.noneOf(Undefended.class);
    var text = config.value(WITHOUT);
    if (text.equals(WITHOUT.standard())) {
      return all;
    }
    for (var word : text.split(",", -1)) {
      all.add(named(word.strip()));
    }
    return all;
  }

  private static Undefended named(String word) {
    for (var one : values()) {
      if (one.word().equals(word)) {
        return one;
      }
    }
    throw new IllegalArgumentException(
        Check.message(
            WITHOUT.name(),
            word,
            "none, or of " + List.of(values()).stream().map(Undefended::word).toList()));
  }
}
