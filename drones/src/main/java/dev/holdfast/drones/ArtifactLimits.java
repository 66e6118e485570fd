package dev.holdfast.drones;

import dev.holdfast.limits.Check;
import java.time.Duration;

/**
 * How large an upload may be, packed and unpacked. Immutable.
 *
 * @param packedBytesMax bytes of the upload itself
 * @param unpackedBytesMax bytes of the whole archive after decompression
 * @param entriesMax files, directories and links, directories that are only implied included
 * @param pathBytesMax bytes of one path inside the archive, in UTF-8
 * @param ratioMax unpacked bytes for each packed byte, from 64 MiB unpacked on
 * @param keepNew for how long after its upload an artifact survives a collection of garbage
 */
public record ArtifactLimits(
    long packedBytesMax,
    long unpackedBytesMax,
    int entriesMax,
    int pathBytesMax,
    int ratioMax,
    Duration keepNew) {
  /** From here on the ratio counts: small archives of empty files are nobody's bomb. */
  static final long RATIO_FROM_BYTES = 64L << 20;

  /** Refuses limits under which nothing could be uploaded. */
  public ArtifactLimits {
    Check.that(packedBytesMax >= 1, "packedBytesMax", packedBytesMax, ">= 1");
    Check.that(unpackedBytesMax >= 1, "unpackedBytesMax", unpackedBytesMax, ">= 1");
    Check.that(entriesMax >= 1, "entriesMax", entriesMax, ">= 1");
    Check.that(
        pathBytesMax >= 8 && pathBytesMax <= 4000, "pathBytesMax", pathBytesMax, "8 to 4000");
    Check.that(ratioMax >= 2, "ratioMax", ratioMax, ">= 2");
    Check.that(!keepNew.isNegative(), "keepNew", keepNew, ">= 0");
  }

  /** 512 MiB packed, 2 GiB unpacked, 100,000 entries, paths of 1024 bytes, ratio 200, one hour. */
  public static ArtifactLimits defaults() {
    return new ArtifactLimits(512L << 20, 2L << 30, 100_000, 1024, 200, Duration.ofHours(1));
  }

  /** The same with other bounds on bytes. */
  public ArtifactLimits withBytesMax(long packed, long unpacked) {
    return new ArtifactLimits(packed, unpacked, entriesMax, pathBytesMax, ratioMax, keepNew);
  }

  /** The same with another bound on entries. */
  public ArtifactLimits withEntriesMax(int entries) {
    return new ArtifactLimits(
        packedBytesMax, unpackedBytesMax, entries, pathBytesMax, ratioMax, keepNew);
  }

  /** The same with another grace for new uploads. */
  public ArtifactLimits withKeepNew(Duration grace) {
    return new ArtifactLimits(
        packedBytesMax, unpackedBytesMax, entriesMax, pathBytesMax, ratioMax, grace);
  }
}
