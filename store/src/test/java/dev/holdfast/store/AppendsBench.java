package dev.holdfast.store;

import dev.holdfast.ledger.Ledger;
import dev.holdfast.ledger.LedgerConfig;
import dev.holdfast.ledger.LedgerContract;
import dev.holdfast.limits.Time;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

/**
 * Acknowledged appends per second of 32 writers with full durability, beside a counter row that
 * each commit locks for itself. Run by {@code bench/appends.sh}; no test.
 */
class AppendsBench {
  private static final int WRITERS = 32;
  private static final Duration WARM_UP = Duration.ofSeconds(3);
  private static final Duration MEASURED = Duration.ofSeconds(8);

  /** What one writer does once; false ends it. */
  private interface Write {
    void once(int number) throws Exception;
  }

  @Test
  void acknowledgedCommitsPerSecond() throws Exception {
    var url = System.getProperty("bench.url", PostgresRig.url());
    try (var connection = PostgresRig.connect(url)) {
      for (var setting : List.of("server_version", "fsync", "synchronous_commit")) {
        System.out.printf(
            "%s: %s%n", setting, PostgresDatabase.text(connection, "SHOW " + setting));
      }
    }
    naive(url);
    holdfast(url, 1);
    holdfast(url, 2);
    naive(url);
    holdfast(url, 1);
  }

  private static void holdfast(String url, int processes) throws Exception {
    var ledgers = new ArrayList<Ledger>();
    for (int i = 0; i < processes; i++) {
      ledgers.add(
          Ledger.open(
              PostgresRig.open(url),
              LedgerContract.kinds(),
              LedgerConfig.defaults(),
              Time.system()));
    }
    var writes = new ArrayList<Write>();
    for (int w = 0; w < WRITERS; w++) {
      var ledger = ledgers.get(w % processes);
      var name = "s" + w;
      writes.add(i -> ledger.append(Writing.put("bench", name + "-" + i % 10)).orThrow());
    }
    measure("holdfast, " + processes + " ledger(s)", writes);
    ledgers.forEach(Ledger::close);
  }

  private static void naive(String url) throws Exception {
    PostgresRig.execute(
        url,
        "CREATE TABLE IF NOT EXISTS naive_counter (n bigint NOT NULL)",
        "CREATE TABLE IF NOT EXISTS naive (n bigint PRIMARY KEY, key text, envelope bytea)",
        "TRUNCATE naive, naive_counter",
        "INSERT INTO naive_counter VALUES (0)");
    var connections = new ArrayList<Connection>();
    var writes = new ArrayList<Write>();
    var payload = new byte[200];
    for (int w = 0; w < WRITERS; w++) {
      var connection = PostgresRig.connect(url);
      connection.setAutoCommit(false);
      connections.add(connection);
      var name = "s" + w;
      writes.add(i -> naive(connection, name + "-" + i % 10, payload));
    }
    measure("naive, a counter row locked by each commit", writes);
    for (var connection : connections) {
      connection.close();
    }
  }

  private static void naive(Connection connection, String key, byte[] payload) throws SQLException {
    long position;
    try (var next = connection.prepareStatement("UPDATE naive_counter SET n = n + 1 RETURNING n");
        var row = next.executeQuery()) {
      row.next();
      position = row.getLong(1);
    }
    try (var insert = connection.prepareStatement("INSERT INTO naive VALUES (?, ?, ?)")) {
      insert.setLong(1, position);
      insert.setString(2, key);
      insert.setBytes(3, payload);
      insert.executeUpdate();
    }
    connection.commit();
  }

  private static void measure(String name, List<Write> writes) throws Exception {
    run(writes, WARM_UP);
    long began = System.nanoTime();
    var latencies = run(writes, MEASURED);
    double seconds = (System.nanoTime() - began) / 1e9;
    Arrays.sort(latencies);
    System.out.printf(
        "%-45s %,9.0f commits/s   p50 %6.2f ms   p99 %6.2f ms%n",
        name,
        latencies.length / seconds,
        latencies[latencies.length / 2] / 1e6,
        latencies[(int) (latencies.length * 0.99)] / 1e6);
  }

  private static long[] run(List<Write> writes, Duration wait) throws Exception {
    long end = System.nanoTime() + wait.toNanos();
    var calls = new ArrayList<Callable<long[]>>();
    for (var write : writes) {
      calls.add(() -> {
        var taken = LongStream.builder();
        for (int i = 0; System.nanoTime() < end; i++) {
          long began = System.nanoTime();
          write.once(i);
          taken.add(System.nanoTime() - began);
        }
        return taken.build().toArray();
      });
    }
    try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
      var all = new ArrayList<long[]>();
      for (var done : threads.invokeAll(calls)) {
        all.add(done.get());
      }
      return all.stream().flatMapToLong(Arrays::stream).toArray();
    }
  }
}
