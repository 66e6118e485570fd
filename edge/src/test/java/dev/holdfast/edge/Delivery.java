package dev.holdfast.edge;

import java.io.IOException;
import java.util.Arrays;
import java.util.Random;

/** How bytes are cut into writes, which must make no difference to what they mean. */
interface Delivery {
  void deliver(Wire wire, byte[] bytes) throws IOException;

  /** In one write. */
  static Delivery whole() {
    return Delivery::write;
  }

  /** One write for each byte. */
  static Delivery byteByByte() {
    return (wire, bytes) -> {
      for (int i = 0; i < bytes.length; i++) {
        write(wire, Arrays.copyOfRange(bytes, i, i + 1));
      }
    };
  }

  /** In pieces whose sizes the seed decides. */
  static Delivery split(long seed) {
    var random = new Random(seed);
    return (wire, bytes) -> {
      int most = Math.max(2, bytes.length / 6);
      for (int at = 0; at < bytes.length; ) {
        int end = Math.min(bytes.length, at + 1 + random.nextInt(most));
        write(wire, Arrays.copyOfRange(bytes, at, end));
        at = end;
      }
    };
  }

  private static void write(Wire wire, byte[] bytes) throws IOException {
    wire.socket.getOutputStream().write(bytes);
  }
}
