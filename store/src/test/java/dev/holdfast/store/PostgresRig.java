package dev.holdfast.store;

import dev.holdfast.limits.Time;
import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
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

  /** A server of one's own, as durable as a real one. */
  static EmbeddedPostgres server() throws IOException {
    return EmbeddedPostgres.builder()
        .setPort(freePort())
        .setServerConfig("fsync", "on")
        .setServerConfig("synchronous_commit", "on")
        .setServerConfig("max_connections", "60")
        .setPGStartupWait(Duration.ofSeconds(60))
        .start();
  }

  /** URL of an empty schema of the shared server. */
  static String url() {
    return schema(Shared.SERVER.getPort());
  }

  static String schema(int port) {
    var schema = "t" + SCHEMAS.incrementAndGet();
    var base = "jdbc:postgresql://127.0.0.1:" + port + "/postgres?user=postgres";
    try (var connection = DriverManager.getConnection(base);
        var statement = connection.createStatement()) {
      statement.execute("CREATE SCHEMA " + schema);
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

  private static int freePort() throws IOException {
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
