package dev.holdfast.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.ledger.Entry;
import dev.holdfast.ledger.Fold;
import dev.holdfast.ledger.Payload;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Instant;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SuspectsTest {
  @TempDir private Path directory;

  /** Counts, and dies of one position as a process does: nothing after it is done. */
  private record Mortal(long deadly) implements Fold<Integer> {
    @Override
    public Integer start() {
      return 0;
    }

    @Override
    public boolean reads(String kind) {
      return kind.equals("route");
    }

    @Override
    public Integer apply(Integer view, Entry entry) {
      if (entry.position() == deadly) {
        throw new Death();
      }
      return view + 1;
    }
  }

  private static final class Death extends Error {
    private static final long serialVersionUID = 1L;
  }

  @Test
  void anEntryThatTwoProcessesDiedOfIsLeftOutByTheThird() throws IOException {
    for (int process = 0; process < 2; process++) {
      var fold = fold(5);
      assertThat(fold.apply(7, entry(4))).isEqualTo(8);
      assertThatThrownBy(() -> fold.apply(8, entry(5))).isInstanceOf(Death.class);
    }
    for (int process = 0; process < 2; process++) {
      var fold = fold(5);
      assertThatThrownBy(() -> fold.apply(8, entry(5)))
          .isInstanceOf(IllegalStateException.class)
          .hasMessage("2 processes in a row died while they applied it");
      assertThat(fold.apply(8, entry(6))).isEqualTo(9);
      assertThat(fold.start()).isZero();
      assertThat(fold.reads("route")).isTrue();
      assertThat(fold.reads("token")).isFalse();
    }
  }

  @Test
  void deathsAtDifferentEntriesAreNoReason() throws IOException {
    for (long deadly : new long[] {5, 6, 5, 7}) {
      var fold = fold(deadly);
      assertThatThrownBy(() -> fold.apply(8, entry(deadly))).isInstanceOf(Death.class);
    }
    assertThat(fold(0).apply(1, entry(5))).isEqualTo(2);
  }

  @Test
  void aDeathBetweenEntriesIsNobodysFault() throws IOException {
    for (int process = 0; process < 4; process++) {
      assertThat(fold(0).apply(1, entry(5))).isEqualTo(2);
    }
  }

  /** The fold of a new process. */
  private Fold<Integer> fold(long deadly) throws IOException {
    return Suspects.open(directory.resolve("applying")).guard(new Mortal(deadly));
  }

  private static Entry entry(long position) {
    return new Entry(
        position, "route/a", "route", 1, 1, Instant.EPOCH, "test", false, Payload.EMPTY);
  }
}
