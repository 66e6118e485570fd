package dev.holdfast.store;

import dev.holdfast.limits.Time;
import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicInteger;

/** A real PostgreSQL that lives as long as this JVM, and a schema of it for each test. */
final class PostgresRig {
  private static final AtomicInteger SCHEMAS = new AtomicInteger();
  private static final int PORT_FIRST = 21_432;
  private static final int PORT_LAST = 21_999;

  private PostgresRig() {}

  private static final class Shared {
    static final EmbeddedPostgres SERVER = start();

    private static EmbeddedPostgres start() {
      try {
        return server();
      } catch (IOException e) {
        throw new IllegalStateException(e);
      }
    }
  }

  /** A server as durable as a real one, with TLS, and with a role that needs its password. */
  private static EmbeddedPostgres server() throws IOException {
    return builder(freePort())
        .setServerConfig("ssl", "on")
        .setDataDirectoryCustomizer(data -> prepare(data.toPath()))
        .start();
  }

  /** A server of one's own on that port, with data that stay. */
  static EmbeddedPostgres server(Path data, int port) throws IOException {
    return builder(port).setDataDirectory(data).setCleanDataDirectory(false).start();
  }

  private static EmbeddedPostgres.Builder builder(int port) {
    return EmbeddedPostgres.builder()
        .setPort(port)
        .setServerConfig("fsync", "on")
        .setServerConfig("synchronous_commit", "on")
        .setServerConfig("max_connections", "60")
        .setOutputRedirector(ProcessBuilder.Redirect.DISCARD)
        .setErrorRedirector(ProcessBuilder.Redirect.DISCARD)
        .setPGStartupWait(Duration.ofSeconds(60));
  }

  private static void prepare(Path data) {
    try {
      var rules = data.resolve("pg_hba.conf");
      Files.writeString(
          rules,
          "host all guarded 127.0.0.1/32 scram-sha-256\nhostnossl all veiled all reject\n"
              + Files.readString(rules));
      ServerKey.write(data.resolve("server.key"), data.resolve("server.crt"));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Certificate that vouches for the shared server. */
  static Path certificate() throws SQLException {
    try (var connection = DriverManager.getConnection(base(Shared.SERVER.getPort()));
        var statement = connection.createStatement();
        var rows = statement.executeQuery("SHOW data_directory")) {
      rows.next();
      return Path.of(rows.getString(1), "server.crt");
    }
  }

  private static String base(int port) {
    return "jdbc:postgresql://127.0.0.1:" + port + "/postgres?user=postgres";
  }

  static int port() {
    return Shared.SERVER.getPort();
  }

  static void execute(String url, String... statements) throws SQLException {
    try (var connection = DriverManager.getConnection(url);
        var statement = connection.createStatement()) {
      for (var sql : statements) {
        statement.execute(sql);
      }
    }
  }

  /** URL of an empty schema of the shared server. */
  static String url() {
    return schema(Shared.SERVER.getPort());
  }

  static String schema(int port) {
    var schema = "t" + SCHEMAS.incrementAndGet();
    var base = base(port);
    try {
      execute(base, "CREATE SCHEMA " + schema);
    } catch (SQLException e) {
      throw new IllegalStateException(e);
    }
    return base + "&currentSchema=" + schema;
  }

  static PostgresStore open(String url) throws Exception {
    return PostgresStore.open(PostgresConfig.of(url, null), Time.system());
  }

  static Connection connect(String url) throws SQLException {
    return DriverManager.getConnection(url);
  }

  static int freePort() throws IOException {
    for (int port = PORT_FIRST; port <= PORT_LAST; port++) {
      try (var socket = new ServerSocket(port, 1, InetAddress.getLoopbackAddress())) {
        return socket.getLocalPort();
      } catch (IOException e) {
        // taken: the next one
      }
    }
    throw new IOException("no free port in " + PORT_FIRST + " to " + PORT_LAST);
  }
}
