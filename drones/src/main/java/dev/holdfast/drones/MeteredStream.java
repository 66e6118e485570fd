package dev.holdfast.drones;

import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;

/**
 * Decompressed bytes on their way, counted before anybody can be hurt by them. Two bounds: one for
 * all, and one for what lies between the contents of two entries, because long names and extended
 * headers are gathered in memory by the archive reader. Confined to one thread.
 */
final class MeteredStream extends FilterInputStream {
  /** Most bytes of headers, long names and padding before one entry. */
  static final int HEADER_BYTES_MAX = 256 * 1024;

  private final ArtifactLimits limits;
  private final long packedBytes;
  private long total;
  private long headersFrom = -1;

  MeteredStream(InputStream in, ArtifactLimits limits, long packedBytes) {
    super(in);
    this.limits = limits;
    this.packedBytes = packedBytes;
  }

  /** From here on only headers are read. */
  void headers() {
    headersFrom = total;
  }

  /** From here on the contents of an entry are read. */
  void contents() {
    headersFrom = -1;
  }

  private void count(long bytes) throws BadUpload {
    total += bytes;
    if (total > limits.unpackedBytesMax()) {
      throw new BadUpload(
          "unpacked size: more than "
              + limits.unpackedBytesMax()
              + " bytes (expected: at most that much)");
    }
    if (total > ArtifactLimits.RATIO_FROM_BYTES && total / packedBytes >= limits.ratioMax()) {
      throw new BadUpload(
          "compression: %d bytes became more than %d (expected: at most %d times as many)"
              .formatted(packedBytes, total, limits.ratioMax()));
    }
    if (headersFrom >= 0 && total - headersFrom > HEADER_BYTES_MAX) {
      throw new BadUpload(
          "headers of one entry: more than " + HEADER_BYTES_MAX + " bytes (expected: a tar file)");
    }
  }

  @Override
  public int read() throws IOException {
    var one = new byte[1];
    return read(one, 0, 1) < 0 ? -1 : one[0] & 0xFF;
  }

  @Override
  public int read(byte[] into, int from, int length) throws IOException {
    int bytes = in.read(into, from, length);
    if (bytes > 0) {
      count(bytes);
    }
    return bytes;
  }

  @Override
  public long skip(long bytes) throws IOException {
    var scratch = new byte[Math.clamp(bytes, 0, 8192)];
    return scratch.length == 0 ? 0 : Math.max(0, read(scratch, 0, scratch.length));
  }

  @Override
  public boolean markSupported() {
    return false;
  }
}
