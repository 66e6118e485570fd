package dev.holdfast.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.ledger.StoreException;
import dev.holdfast.limits.Time;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class StoreSettingsTest {
  @TempDir private Path home;

  @Test
  void theFileOfTheHomeIsTheDefault() throws Exception {
    var settings = StoreSettings.of(ServerConfig.load(home, Map.of(), Map.of()));
    assertThat(settings.postgres()).isNull();
    try (var store = settings.open(Home.open(home), Time.system())) {
      assertThat(store.shared()).isFalse();
    }
  }

  @Test
  void aPasswordIsReadFromItsFileAndNoMessageRepeatsIt() throws Exception {
    var url = "jdbc:postgresql://127.0.0.1:1/holdfast?user=x&password=secret";
    var config = ServerConfig.load(home, Map.of(), Map.of("store", url));
    var settings = StoreSettings.of(config);
    assertThat(settings.toString()).doesNotContain("secret");
    assertThatThrownBy(() -> settings.open(Home.open(home), Time.system()))
        .isInstanceOf(StoreException.class)
        .hasMessageContaining("127.0.0.1")
        .hasMessageContaining("cannot be reached")
        .hasMessageNotContaining("secret");
    assertThatThrownBy(
            () -> ServerConfig.load(home, Map.of(), Map.of("store", "postgres://x:secret@h/d")))
        .hasMessageContaining("sqlite or jdbc:postgresql://HOST/DATABASE")
        .hasMessageNotContaining("secret");
    var missing = Map.of("store", url, "store.password-file", home.resolve("nowhere").toString());
    assertThatThrownBy(() ->
            StoreSettings.of(ServerConfig.load(home, Map.of(), missing))
                .open(Home.open(home), Time.system()))
        .hasMessageContaining("nowhere");
  }

  @Test
  void aMoveThatFailsLeavesTheFileWhereItIs() throws Exception {
    StoreSettings.of(ServerConfig.load(home, Map.of(), Map.of()))
        .open(Home.open(home), Time.system())
        .close();
    var silent = new PrintStream(OutputStream.nullOutputStream());
    assertThatThrownBy(() ->
            StoreSettings.move(
                "sqlite:" + home,
                "jdbc:postgresql://127.0.0.1:1/holdfast?user=x",
                "none",
                Time.system(),
                silent))
        .isInstanceOf(StoreException.class)
        .hasMessageContaining("cannot be reached");
    assertThat(home.resolve("ledger.db")).exists();
    assertThat(home.resolve("ledger.db.moved")).doesNotExist();
    assertThat(Files.size(home.resolve("ledger.db"))).isGreaterThan(1_000);
  }

  @Test
  void aLedgerThatWasMovedIsNotBegunAgain() throws Exception {
    Files.writeString(
        home.resolve("ledger.db"),
        "This ledger was moved to PostgreSQL; start with `store` set to its URL.\n");
    var settings = StoreSettings.of(ServerConfig.load(home, Map.of(), Map.of()));
    assertThatThrownBy(() -> settings.open(Home.open(home), Time.system()))
        .hasMessageContaining("was moved to PostgreSQL: set `store` to its URL");
  }
}
