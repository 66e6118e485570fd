package dev.holdfast.store;

import dev.holdfast.limits.Check;
import java.nio.file.Path;
import java.time.Duration;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Where a {@link PostgresStore} is and what bounds it. Immutable.
 *
 * @param url {@code jdbc:postgresql://HOST[:PORT][,HOST...]/DATABASE[?OPTION=VALUE&...]}, with the
 *     driver's options; of several hosts, the one that takes writes is used
 * @param passwordFile holds the password, or null: then the URL or {@code ~/.pgpass} does
 * @param readersMax read connections; a process has two more, one that writes and one that looks
 * @param busyWait how long to wait for a free reader
 * @param connectWait how long a connection may take to come about
 * @param batchWait how long a statement of a batch may run, and a process that was paused in the
 *     middle of one may keep the others waiting, who wait twice as long before they give up
 * @param readWait how long the statement of a reader may run
 * @param readBytesMax a read stops at the first entry that takes it beyond this
 */
public record PostgresConfig(
    String url,
    @Nullable Path passwordFile,
    int readersMax,
    Duration busyWait,
    Duration connectWait,
    Duration batchWait,
    Duration readWait,
    int readBytesMax) {
  /** How every such URL begins. */
  public static final String SCHEME = "jdbc:postgresql:";

  private static final Pattern FORM = Pattern.compile("jdbc:postgresql:(//[^/]*/)?[^/]*");
  private static final int READ_BYTES_MAX = 8 << 20;

  /** Refuses what is no such URL, without repeating it, and bounds under which nothing passes. */
  public PostgresConfig {
    Check.that(
        url.startsWith(SCHEME), "store", "a URL that begins otherwise", SCHEME + "//HOST/DATABASE");
    var server = url.split("\\?", 2)[0];
    Check.that(server.indexOf('@') < 0, "store", "a URL with a user before the host", "?user=NAME");
    Check.that(
        FORM.matcher(server).matches(),
        "store",
        "a URL that cannot be read",
        SCHEME + "//HOST/DATABASE");
    Check.that(readersMax >= 1 && readersMax <= 64, "readersMax", readersMax, "1 to 64");
    bounded("busyWait", busyWait);
    bounded("connectWait", connectWait);
    bounded("batchWait", batchWait);
    bounded("readWait", readWait);
    Check.that(readBytesMax >= 1, "readBytesMax", readBytesMax, ">= 1");
  }

  private static void bounded(String name, Duration wait) {
    Check.that(
        wait.compareTo(Duration.ofMillis(1)) >= 0 && wait.compareTo(Duration.ofMinutes(10)) <= 0,
        name,
        wait,
        "1 ms to 10 minutes");
  }

  /** 4 readers, 5 s for a reader, 3 s to connect, 3 s for a batch, 60 s for a read of 8 MiB. */
  public static PostgresConfig of(String url, @Nullable Path passwordFile) {
    return new PostgresConfig(
        url,
        passwordFile,
        4,
        Duration.ofSeconds(5),
        Duration.ofSeconds(3),
        Duration.ofSeconds(3),
        Duration.ofSeconds(60),
        READ_BYTES_MAX);
  }

  /** The same with another wait for batches. */
  public PostgresConfig withBatchWait(Duration wait) {
    return new PostgresConfig(
        url, passwordFile, readersMax, busyWait, connectWait, wait, readWait, readBytesMax);
  }

  /** Without the URL, which may hold a password. */
  @Override
  public String toString() {
    return "PostgresConfig[readersMax=" + readersMax + ", batchWait=" + batchWait + "]";
  }
}
