package dev.holdfast.server;

import dev.holdfast.ledger.StoreException;
import dev.holdfast.limits.Check;
import dev.holdfast.limits.Time;
import dev.holdfast.store.HomeLock;
import dev.holdfast.store.KeptStore;
import dev.holdfast.store.PostgresConfig;
import dev.holdfast.store.PostgresStore;
import dev.holdfast.store.SqliteStore;
import dev.holdfast.store.StoreConfig;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import org.jspecify.annotations.Nullable;

/** Where the ledger lies: in a file of the home directory, or in PostgreSQL. Immutable. */
record StoreSettings(@Nullable PostgresConfig postgres, long bytesMax) {
  static final ServerConfig.Key STORE =
      new ServerConfig.Key(
          "store",
          "sqlite",
          "Where the ledger lies: `sqlite`, a file of the home directory, or"
              + " `jdbc:postgresql://HOST[:PORT][,HOST...]/DATABASE?user=NAME`, which any number"
              + " of processes may share.");
  static final ServerConfig.Key PASSWORD_FILE =
      new ServerConfig.Key(
          "store.password-file",
          "none",
          "File that holds the password for PostgreSQL. `none`: it stands in the URL, in"
              + " `~/.pgpass`, or none is needed.");

  private static final String SQLITE = "sqlite";
  private static final String SQLITE_SCHEME = "sqlite:";
  private static final String NOTE =
      "This ledger was moved to PostgreSQL; start with `store` set to its URL.\n";
  private static final String MOVED = ".moved";

  /**
   * What the configuration says.
   *
   * @throws IllegalArgumentException when it is neither; the value, which may hold a password, is
   *     not repeated
   */
  static StoreSettings of(ServerConfig config) {
    var store = config.value(STORE);
    long bytesMax = config.bytes(ServerConfig.STORE_BYTES);
    return new StoreSettings(
        store.equals(SQLITE) ? null : postgres(store, config.value(PASSWORD_FILE)), bytesMax);
  }

  private static PostgresConfig postgres(String url, String file) {
    Check.that(
        url.startsWith(PostgresConfig.SCHEME),
        STORE.name(),
        "something else",
        SQLITE + " or " + PostgresConfig.SCHEME + "//HOST/DATABASE");
    return PostgresConfig.of(url, file.equals("none") ? null : Path.of(file));
  }

  /**
   * Opens it.
   *
   * @throws StoreException with one sentence for the operator
   */
  KeptStore open(Home home, Time time) throws StoreException, InterruptedException {
    var directory = home.directory();
    if (postgres == null) {
      if (wasMoved(directory.resolve(SqliteStore.FILE))) {
        throw new StoreException(
            "the ledger of "
                + directory
                + " was moved to PostgreSQL: set `store` to its URL. (Only to give up what was"
                + " written there: put "
                + SqliteStore.FILE
                + MOVED
                + " back as "
                + SqliteStore.FILE
                + ".)");
      }
      return SqliteStore.open(directory, StoreConfig.defaults().withBytesMax(bytesMax));
    }
    var store = PostgresStore.open(postgres, time);
    try {
      var file = directory.resolve(SqliteStore.FILE);
      if (store.head() == 0 && Files.exists(file)) {
        throw new StoreException(
            file
                + " holds a ledger and the database none; move it with: holdfast migrate --from "
                + SQLITE_SCHEME
                + directory
                + " --to URL");
      }
      return store;
    } catch (StoreException e) {
      store.close();
      throw e;
    }
  }

  private static boolean wasMoved(Path file) throws StoreException {
    try {
      return Files.exists(file)
          && Files.size(file) == NOTE.length()
          && Files.readString(file).equals(NOTE);
    } catch (IOException e) {
      throw new StoreException(file + " cannot be read: " + e.getMessage(), e);
    }
  }

  /**
   * Moves the ledger of a home that nobody runs on to an empty database. A file that no store opens
   * takes its place, so that it cannot grow into a second history.
   *
   * @param from {@code sqlite:DIRECTORY}
   */
  static int move(String from, String to, String passwordFile, Time time, PrintStream out)
      throws IOException, StoreException, InterruptedException {
    Check.that(from.startsWith(SQLITE_SCHEME), "--from", from, "sqlite:HOME");
    var directory = Path.of(from.substring(SQLITE_SCHEME.length()));
    var file = directory.resolve(SqliteStore.FILE);
    Check.that(Files.exists(file), "--from", from, "a home with " + SqliteStore.FILE);
    var config = postgres(to, passwordFile);
    var lock = HomeLock.acquire(directory);
    try {
      var digest = PostgresStore.move(directory, config, time);
      // In this order there is no moment without a file, in which a start would begin a new ledger.
      Files.createLink(file.resolveSibling(SqliteStore.FILE + MOVED), file);
      var note = file.resolveSibling(SqliteStore.FILE + ".note");
      Files.writeString(note, NOTE);
      Files.move(note, file, StandardCopyOption.ATOMIC_MOVE);
      out.println("Moved and compared: SHA-256 of all rows is " + digest + " on both sides.");
      out.println("Set `store` in " + directory.resolve(ServerConfig.FILE) + " and start it.");
      out.println("The file is kept as " + SqliteStore.FILE + MOVED + ".");
      return 0;
    } finally {
      lock.close();
    }
  }
}
