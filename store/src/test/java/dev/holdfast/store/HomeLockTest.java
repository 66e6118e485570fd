package dev.holdfast.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.ledger.StoreException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class HomeLockTest {
  @TempDir private Path home;

  @Test
  void aSecondStartInThisProcessIsRefusedAndTheFirstKeepsItsLock() throws Exception {
    long pid = ProcessHandle.current().pid();
    var lock = HomeLock.acquire(home);
    try {
      for (int i = 0; i < 2; i++) {
        assertThatThrownBy(() -> HomeLock.acquire(home.resolve("../" + home.getFileName())))
            .isInstanceOf(StoreException.class)
            .hasMessage(
                "Holdfast is already running (pid %d) on %s; stop it or choose another --home",
                pid, home.toRealPath());
      }
      assertThat(Files.readString(home.resolve(HomeLock.FILE))).isEqualTo(pid + "\n");
    } finally {
      lock.close();
      lock.close();
    }
    HomeLock.acquire(home).close();
  }

  @Test
  void aSecondProcessIsRefusedAndAKilledOneLeavesTheHomeFree() throws Exception {
    var child = Child.start(LockHolder.class, home.toString());
    try {
      assertThat(child.line()).isEqualTo("locked");
      assertThatThrownBy(() -> HomeLock.acquire(home))
          .isInstanceOf(StoreException.class)
          .hasMessageContaining("already running (pid " + child.pid() + ") on " + home);
    } finally {
      child.kill();
    }
    HomeLock.acquire(home).close();
  }

  @Test
  void aFileLeftBehindByAnOldProcessMeansNothing() throws Exception {
    Files.writeString(home.resolve(HomeLock.FILE), "99999999999999999999999999\n");
    HomeLock.acquire(home).close();
  }

  @Test
  void aHomeThatIsAFileIsRefusedInASentence() throws Exception {
    var file = Files.writeString(home.resolve("file"), "");
    assertThatThrownBy(() -> HomeLock.acquire(file))
        .isInstanceOf(StoreException.class)
        .hasMessageContaining(file.toString());
  }

  /** Takes the lock and waits to be killed. */
  static final class LockHolder {
    private LockHolder() {}

    public static void main(String[] args) throws Exception {
      try (var lock = HomeLock.acquire(Path.of(args[0]))) {
        System.out.println(lock == null ? "" : "locked");
        System.in.read();
      }
    }
  }
}
