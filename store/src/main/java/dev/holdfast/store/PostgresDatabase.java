package dev.holdfast.store;

import dev.holdfast.ledger.StoreAway;
import dev.holdfast.ledger.StoreException;
import dev.holdfast.limits.Check;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Arrays;
import java.util.Properties;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.postgresql.Driver;
import org.postgresql.PGProperty;

/**
 * One PostgreSQL database: opens connections to it, each with its bounds, and says in a sentence
 * what went wrong. Thread-safe.
 */
final class PostgresDatabase implements Readers.Source {
  /** First release that this was written for and tested with. */
  static final int VERSION_MIN = 15;

  /** The longest that a statement, or the other side, may take when all of a ledger is copied. */
  private static final Duration WHOLE_MAX = Duration.ofMinutes(30);

  private static final String READ_ONLY =
      " -c default_transaction_read_only=on -c default_transaction_isolation=repeatable\\ read";
  private static final int PASSWORD_BYTES_MAX = 4_096;
  private static final Set<String> LOOPBACK = Set.of("localhost", "127.0.0.1", "::1", "[::1]");

  /** States after which the same may be asked again: lost, starting, ending, busy, timed out. */
  private static final Set<String> AWAY =
      Set.of(
          "57P01", "57P02", "57P03", "57P05", "57014", "53300", "55P03", "25P03", "25P04", "40001",
          "40P01");

  /** States in which two who make one schema at a time find each other. */
  private static final Set<String> RACE = Set.of("23505", "42P07", "42710", "XX000");

  private final PostgresConfig config;
  private final Properties properties;
  private final String name;
  private final Fence fence;

  private PostgresDatabase(PostgresConfig config, Properties properties, String name) {
    this.config = config;
    this.properties = properties;
    this.name = name;
    fence = new Fence(name);
  }

  /**
   * The database that the configuration names; connects to nothing.
   *
   * @throws StoreException when the URL or the file of the password cannot be read
   */
  static PostgresDatabase of(PostgresConfig config) throws StoreException {
    var properties = Driver.parseURL(config.url(), new Properties());
    if (properties == null) {
      throw new StoreException(
          Check.message(
              "store", "a URL that cannot be read", PostgresConfig.SCHEME + "//HOST/DATABASE"));
    }
    var given = PGProperty.PG_HOST.getOrDefault(properties);
    var hostList = given == null ? "localhost" : given;
    var name =
        "PostgreSQL " + hostList + " database " + PGProperty.PG_DBNAME.getOrDefault(properties);
    secure(properties, hostList);
    if (hostList.contains(",") && !PGProperty.TARGET_SERVER_TYPE.isPresent(properties)) {
      PGProperty.TARGET_SERVER_TYPE.set(properties, "primary");
    }
    var file = config.passwordFile();
    if (file != null) {
      PGProperty.PASSWORD.set(properties, password(file));
    }
    PGProperty.REWRITE_BATCHED_INSERTS.set(properties, true);
    PGProperty.APPLICATION_NAME.set(properties, "holdfast");
    PGProperty.TCP_KEEP_ALIVE.set(properties, true);
    PGProperty.CONNECT_TIMEOUT.set(properties, seconds(config.connectWait()));
    int hosts = hostList.split(",", -1).length; // one after the other
    PGProperty.LOGIN_TIMEOUT.set(properties, seconds(config.connectWait().multipliedBy(hosts)));
    PGProperty.HOST_RECHECK_SECONDS.set(properties, 1); // a standby may just have been promoted
    return new PostgresDatabase(config, properties, name);
  }

  @Override
  public String name() {
    return name;
  }

  @Override
  public int readersMax() {
    return config.readersMax();
  }

  @Override
  public Duration busyWait() {
    return config.busyWait();
  }

  PostgresConfig config() {
    return config;
  }

  Fence fence() {
    return fence;
  }

  /** A writer for as long as that; nobody else may use the ledger meanwhile. */
  Connection wholeWriter() throws StoreException {
    return open(WHOLE_MAX, WHOLE_MAX, "");
  }

  /** One that listens and looks, with the short bounds of a batch. */
  Connection ear() throws StoreException {
    return open(config.batchWait(), config.batchWait(), " -c default_transaction_read_only=on");
  }

  /** A connection that cannot write; what it reads in one transaction is of one moment. */
  @Override
  public Connection reader() throws StoreException {
    return reader(config.readWait());
  }

  /** A reader for as long as it takes to copy a whole ledger. */
  Connection wholeReader() throws StoreException {
    return reader(WHOLE_MAX);
  }

  private Connection reader(Duration wait) throws StoreException {
    long seen = fence.seen();
    var connection = open(wait, wait, READ_ONLY);
    try {
      fence.pass(seen, Database.number(connection, PostgresSql.EPOCH));
      return connection;
    } catch (SQLException e) {
      Database.close(connection);
      throw failure("cannot be read", e);
    } catch (StoreException e) {
      Database.close(connection);
      throw e;
    }
  }

  /**
   * A connection that writes. Who is paused in the middle of a transaction loses it after {@link
   * PostgresConfig#batchWait}, and can only find out.
   */
  Connection writer() throws StoreException {
    return open(config.batchWait().multipliedBy(3), config.batchWait(), "");
  }

  @Override
  public StoreException failure(String what, SQLException e) {
    var state = state(e);
    var why =
        switch (state) {
          case "28P01", "28000" -> "user or password is wrong; look at `store` and its password";
          case "3D000" -> "there is no such database; create it";
          case "42501" -> "the user may not do that; grant it, or let the user own the database";
          case "25006" -> "it can only be read: a standby, or default_transaction_read_only is on";
          case "53100" -> "its disk is full; free some room; what was written before is safe";
          case "53300" -> "it has no connection left; raise its max_connections";
          case "57P01", "57P02", "57P03" -> "it is being started, stopped or recovered";
          case "55P03" -> "another node kept it busy for too long";
          case "57014" -> "a statement took too long";
          case "25P03" -> "this process was paused in the middle of a batch for too long";
          case "08001", "08004", "08006", "08003", "08S01" -> "it cannot be reached";
          default -> "it refused";
        };
    var message =
        name
            + " "
            + what
            + ": "
            + why
            + " ("
            + Check.printable(String.valueOf(e.getMessage()))
            + ")";
    return isAway(e) ? new StoreAway(message, e) : new StoreException(message, e);
  }

  /** Whether nothing is wrong with what was asked, only with the moment. */
  @Override
  public boolean isAway(SQLException e) {
    var state = state(e);
    return state.startsWith("08") || AWAY.contains(state);
  }

  /** Whether somebody else made the schema at the same time. */
  static boolean isRace(SQLException e) {
    return RACE.contains(state(e));
  }

  private static String state(SQLException e) {
    var state = e.getSQLState();
    return state == null ? "" : state;
  }

  private Connection open(Duration statementWait, Duration idleWait, String more)
      throws StoreException {
    var all = (Properties) properties.clone();
    var given = PGProperty.OPTIONS.getOrDefault(all);
    PGProperty.OPTIONS.set(
        all,
        (given == null ? "" : given + " ")
            + "-c statement_timeout="
            + statementWait.toMillis()
            + " -c lock_timeout=" // longer than one who is paused may keep the lock
            + config.batchWait().multipliedBy(2).toMillis()
            + " -c idle_in_transaction_session_timeout="
            + idleWait.toMillis()
            + more);
    // Longer than the server's own bound, which gives the better answer; it bounds a COMMIT that
    // waits for a standby, and a server that is gone without a word.
    PGProperty.SOCKET_TIMEOUT.set(all, seconds(statementWait.multipliedBy(4).dividedBy(3)));
    try {
      // Without its options, which would prevail over what was made of them.
      var connection = new Driver().connect(config.url().split("\\?", 2)[0], all);
      if (connection == null) {
        throw new StoreException("store: no URL for PostgreSQL");
      }
      return connection;
    } catch (SQLException e) {
      throw failure("cannot be opened", e);
    }
  }

  /** TLS with a certificate that is looked at, unless it is this machine or the URL says how. */
  private static void secure(Properties properties, String hosts) {
    if (PGProperty.SSL_MODE.isPresent(properties)
        || PGProperty.SSL.isPresent(properties)
        || Arrays.stream(hosts.split(",", -1)).allMatch(LOOPBACK::contains)) {
      return;
    }
    PGProperty.SSL_MODE.set(properties, "verify-full");
    if (!PGProperty.SSL_ROOT_CERT.isPresent(properties)
        && !PGProperty.SSL_FACTORY.isPresent(properties)) {
      PGProperty.SSL_FACTORY.set(properties, "org.postgresql.ssl.DefaultJavaSSLFactory");
    }
  }

  private static String password(Path file) throws StoreException {
    try {
      if (Files.size(file) > PASSWORD_BYTES_MAX) {
        throw new StoreException(file + " is longer than a password can be");
      }
      return Files.readString(file).strip();
    } catch (IOException e) {
      throw new StoreException(file + ", which holds the store's password, cannot be read: " + e);
    }
  }

  private static int seconds(Duration wait) {
    return (int) Math.max(1, wait.plusMillis(999).toSeconds());
  }

  /** Text of the first column of the first row, or null. */
  static @Nullable String text(Connection connection, String sql) throws SQLException {
    try (var statement = connection.createStatement();
        var rows = statement.executeQuery(sql)) {
      return rows.next() ? rows.getString(1) : null;
    }
  }
}
