package dev.holdfast.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.ledger.Ledger;
import dev.holdfast.ledger.LedgerConfig;
import dev.holdfast.ledger.LedgerContract;
import dev.holdfast.ledger.StoreAway;
import dev.holdfast.ledger.StoreException;
import dev.holdfast.limits.Refusal;
import dev.holdfast.limits.Time;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A database that is wrong, away, or comes back. */
@Timeout(120)
class PostgresTroubleTest {
  private static final Duration LONG = Duration.ofSeconds(40);

  private final String url = PostgresRig.url();
  @TempDir private Path files;

  @Test
  void aWrongPasswordIsOneSentenceThatDoesNotSayIt() throws Exception {
    role("guarded");
    var file = Files.writeString(files.resolve("password"), "not-it\n");
    var config = PostgresConfig.of(url.replace("user=postgres", "user=guarded"), file);
    assertThatThrownBy(() -> PostgresStore.open(config, Time.system()))
        .isExactlyInstanceOf(StoreException.class)
        .hasMessageContaining("user or password is wrong")
        .hasMessageNotContaining("not-it");
    Files.writeString(file, "right\n");
    try (var store = PostgresStore.open(config, Time.system())) {
      assertThat(store.head()).isZero();
    }
  }

  @Test
  void aUrlThatCannotBeReadIsNotRepeated() {
    var config = PostgresConfig.of("jdbc:postgresql://h:x/y?password=secret", null);
    assertThatThrownBy(() -> PostgresStore.open(config, Time.system()))
        .isInstanceOf(StoreException.class)
        .hasMessageNotContaining("secret");
    assertThat(config.toString()).doesNotContain("secret");
  }

  @Test
  void aDatabaseThatCanOnlyBeReadIsRefusedAtTheStartAndLater() throws Exception {
    var readOnly = url + "&options=-c%20default_transaction_read_only=on";
    assertThatThrownBy(() -> PostgresRig.open(readOnly))
        .isExactlyInstanceOf(StoreException.class)
        .hasMessageContaining("transaction_read_only is on (expected: off)");
    role("turned");
    try (var ledger = ledger(url.replace("user=postgres", "user=turned"), LONG)) {
      ledger.append(Writing.put("1", "a")).orThrow();
      PostgresRig.execute(
          url,
          "ALTER ROLE turned SET default_transaction_read_only = on",
          "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'turned'");
      var refusal = Writing.refusal(ledger.append(Writing.put("2", "a")));
      assertThat(refusal.message()).contains("it can only be read");
      assertThat(ledger.read(0, 10)).hasSize(1);
      PostgresRig.execute(
          url,
          "ALTER ROLE turned SET default_transaction_read_only = off",
          "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'turned'");
      assertThat(ledger.append(Writing.put("3", "a")).orThrow().position()).isEqualTo(2);
    }
  }

  @Test
  void aDatabaseThatIsNotThereIsSaidToBeSo() throws Exception {
    var nobody = "jdbc:postgresql://127.0.0.1:" + PostgresRig.freePort() + "/holdfast?user=x";
    assertThatThrownBy(() -> PostgresRig.open(nobody))
        .isInstanceOf(StoreAway.class)
        .hasMessageContaining("cannot be reached");
    assertThatThrownBy(() -> PostgresRig.open(url.replace("/postgres?", "/nowhere?")))
        .isExactlyInstanceOf(StoreException.class)
        .hasMessageContaining("there is no such database; create it");
  }

  @Test
  void tlsIsSpokenAndTheCertificateIsLookedAt() throws Exception {
    role("veiled");
    var veiled = url.replace("user=postgres", "user=veiled");
    var trusting = veiled + "&sslmode=verify-full&sslrootcert=" + PostgresRig.certificate();
    try (var store = PostgresRig.open(trusting)) {
      assertThat(store.head()).isZero();
    }
    assertThatThrownBy(() -> PostgresRig.open(veiled + "&sslmode=disable"))
        .isInstanceOf(StoreException.class);
    assertThatThrownBy(() ->
            PostgresRig.open(
                veiled
                    + "&sslmode=verify-full"
                    + "&sslfactory=org.postgresql.ssl.DefaultJavaSSLFactory"))
        .isInstanceOf(StoreException.class)
        .hasMessageContaining("cannot be opened");
  }

  @Test
  void aCommitWhoseAnswerWasLostIsAskedForAndNotRepeated() throws Exception {
    var direct = PostgresRig.open(url);
    direct.close();
    try (var cutter = new AnswerCutter(PostgresRig.freePort(), PostgresRig.port());
        var ledger = ledger(through(cutter.port()), LONG)) {
      assertThat(ledger.append(Writing.put("1", "a")).orThrow().position()).isEqualTo(1);
      assertThat(cutter.cut()).isTrue();
      assertThat(ledger.append(Writing.put("2", "a")).orThrow().position()).isEqualTo(2);
      assertThat(History.entries(url)).hasSize(2);
    }
  }

  @Test
  void aRestartOfTheDatabaseLosesNothingAndWritersWaitForIt() throws Exception {
    var data = files.resolve("data");
    int port = PostgresRig.freePort();
    var server = PostgresRig.server(data, port);
    try {
      var own = PostgresRig.schema(port);
      var history = new History();
      var on = new AtomicBoolean(true);
      try (var a = ledger(own, LONG);
          var b = ledger(own, LONG);
          var hasty = ledger(own, Duration.ofMillis(500));
          var threads = Executors.newVirtualThreadPerTaskExecutor()) {
        var writers = new ArrayList<Future<Integer>>();
        for (int w = 0; w < 8; w++) {
          var writing = new Writing(w % 2 == 0 ? a : b, "w" + w, w, history);
          writers.add(threads.submit(() -> writing.writeWhile(on)));
        }
        awaitMore(history, 100);
        server.close();
        var refusal = Writing.refusal(hasty.append(Writing.put("h", "a")));
        history.refused("h");
        assertThat(refusal).isInstanceOf(Refusal.Unavailable.class);
        assertThat(refusal.message()).contains("PostgreSQL 127.0.0.1");
        server = PostgresRig.server(data, port);
        awaitMore(history, 100);
        on.set(false);
        for (var writer : writers) {
          assertThat(writer.get()).as("refused by the store").isZero();
        }
        awaitSound(a);
        history.check(own);
        assertThat(b.awaitBeyond(history.size() - 1, LONG)).isGreaterThan(100);
      }
    } finally {
      server.close();
    }
  }

  private static void awaitSound(Ledger ledger) throws InterruptedException {
    long end = System.nanoTime() + LONG.toNanos();
    while (ledger.trouble() != null) {
      assertThat(System.nanoTime()).as(ledger.trouble()).isLessThan(end);
      Thread.sleep(5);
    }
  }

  private String through(int port) {
    return url.replace(":" + PostgresRig.port(), ":" + port) + "&sslmode=disable";
  }

  private static void awaitMore(History history, int more) throws InterruptedException {
    int from = history.size();
    long end = System.nanoTime() + LONG.toNanos();
    while (history.size() < from + more) {
      assertThat(System.nanoTime()).as("writers went on").isLessThan(end);
      Thread.sleep(5);
    }
  }

  private void role(String name) throws Exception {
    var schema = url.substring(url.lastIndexOf('=') + 1);
    PostgresRig.execute(
        url,
        "CREATE ROLE " + name + " LOGIN PASSWORD 'right'",
        "GRANT ALL ON SCHEMA " + schema + " TO " + name);
  }

  private static Ledger ledger(String url, Duration appendWait) throws Exception {
    var config = new LedgerConfig(1_024, 256, appendWait);
    return Ledger.open(PostgresRig.open(url), LedgerContract.kinds(), config, Time.system());
  }
}
