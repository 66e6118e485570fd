package dev.holdfast.cli;

import java.util.Collection;
import java.util.Comparator;
import java.util.List;

/**
 * What somebody may have meant: words that lie few slips away, where a slip is a character too
 * many, too few or wrong, or two that changed places (optimal string alignment distance).
 */
final class Nearest {
  private static final int SLIPS_MAX = 2;
  private static final int SHOWN_MAX = 3;
  private static final int CHARS_MAX = 32;

  private Nearest() {}

  /** The nearest first; none when all are far. */
  static List<String> of(String typed, Collection<String> words) {
    if (typed.length() > CHARS_MAX) {
      return List.of();
    }
    return words.stream()
        .filter(word -> slips(typed, word) <= SLIPS_MAX)
        .sorted(Comparator.<String>comparingInt(word -> slips(typed, word)))
        .limit(SHOWN_MAX)
        .toList();
  }

  private static int slips(String a, String b) {
    var table = new int[a.length() + 1][b.length() + 1];
    for (int i = 0; i <= a.length(); i++) {
      for (int j = 0; j <= b.length(); j++) {
        table[i][j] = i == 0 || j == 0 ? i + j : least(table, a, b, i, j);
      }
    }
    return table[a.length()][b.length()];
  }

  private static int least(int[][] table, String a, String b, int i, int j) {
    boolean same = a.charAt(i - 1) == b.charAt(j - 1);
    int least =
        Math.min(
            table[i - 1][j - 1] + (same ? 0 : 1),
            Math.min(table[i - 1][j] + 1, table[i][j - 1] + 1));
    boolean swapped =
        i > 1 && j > 1 && a.charAt(i - 1) == b.charAt(j - 2) && a.charAt(i - 2) == b.charAt(j - 1);
    return swapped ? Math.min(least, table[i - 2][j - 2] + 1) : least;
  }
}
