package dev.holdfast.store;

import dev.holdfast.limits.Check;
import java.time.Duration;

/**
 * The bounds of a {@link SqliteStore}. Immutable.
 *
 * @param bytesMax largest database file; appends beyond it are refused and reading goes on
 * @param freeBytesMin appends are refused while the disk has less room than this, so that lease
 *     renewals, checkpoints and an operator still have some
 * @param cacheBytes page cache of the connection that writes; a reader has a sixteenth of it, since
 *     it reads rows in order or one by one, and behind it stands the system's page cache
 * @param walPagesMax pages of 4 KiB in the write-ahead log after which a commit also moves them
 *     into the database file
 * @param readersMax read connections, which is also how many snapshots and backups run at a time
 * @param busyWait how long to wait for a free reader, or for another program that locks the file
 * @param readBytesMax a read stops at the first entry that takes it beyond this
 * @param checkBytesMax files up to this size are checked for damage at each start
 */
public record StoreConfig(
    long bytesMax,
    long freeBytesMin,
    int cacheBytes,
    int walPagesMax,
    int readersMax,
    Duration busyWait,
    int readBytesMax,
    long checkBytesMax) {
  private static final int KIB = 1 << 10;
  private static final int MIB = 1 << 20;
  private static final int READER_CACHE_SHARE = 16;

  /** Refuses bounds under which nothing could be stored or read. */
  public StoreConfig {
    Check.that(bytesMax >= 64 * KIB, "bytesMax", bytesMax, ">= 65536");
    Check.that(freeBytesMin >= 0, "freeBytesMin", freeBytesMin, ">= 0");
    Check.that(cacheBytes >= 64 * KIB, "cacheBytes", cacheBytes, ">= 65536");
    Check.that(walPagesMax >= 1, "walPagesMax", walPagesMax, ">= 1");
    Check.that(readersMax >= 1 && readersMax <= 64, "readersMax", readersMax, "1 to 64");
    Check.that(
        busyWait.isPositive() && busyWait.compareTo(Duration.ofMinutes(1)) <= 0,
        "busyWait",
        busyWait,
        "> 0, at most 1 minute");
    Check.that(readBytesMax >= 1, "readBytesMax", readBytesMax, ">= 1");
    Check.that(checkBytesMax >= 0, "checkBytesMax", checkBytesMax, ">= 0");
  }

  /**
   * No quota but SQLite's own 16 TiB, 16 MiB kept free, 4 MiB of cache, 1,000 pages of write-ahead
   * log, 4 readers, 5 s, reads of 8 MiB, files up to 64 MiB checked at start.
   */
  public static StoreConfig defaults() {
    return new StoreConfig(
        1L << 44, 16 * MIB, 4 * MIB, 1_000, 4, Duration.ofSeconds(5), 8 * MIB, 64 * MIB);
  }

  /** Page cache of each connection that reads. */
  int readerCacheBytes() {
    return Math.max(cacheBytes / READER_CACHE_SHARE, 64 * KIB);
  }

  /** The same with another quota. */
  public StoreConfig withBytesMax(long bytes) {
    return new StoreConfig(
        bytes,
        freeBytesMin,
        cacheBytes,
        walPagesMax,
        readersMax,
        busyWait,
        readBytesMax,
        checkBytesMax);
  }

  /** The same with another reserve of free room. */
  public StoreConfig withFreeBytesMin(long bytes) {
    return new StoreConfig(
        bytesMax,
        bytes,
        cacheBytes,
        walPagesMax,
        readersMax,
        busyWait,
        readBytesMax,
        checkBytesMax);
  }
}
