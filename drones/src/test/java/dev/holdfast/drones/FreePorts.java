package dev.holdfast.drones;

import java.io.IOException;
import java.net.ServerSocket;
import java.util.random.RandomGenerator;

/** Finds ports that nobody uses now. */
final class FreePorts {
  private FreePorts() {}

  /** The first of so many ports that nobody listens on, below those for outgoing connections. */
  static int first(int count) {
    var random = RandomGenerator.getDefault();
    for (int tries = 0; tries < 100; tries++) {
      int first = 12_000 + random.nextInt(7_000);
      int free = 0;
      while (free < count && free(first + free)) {
        free++;
      }
      if (free == count) {
        return first;
      }
    }
    throw new AssertionError("no " + count + " free ports");
  }

  private static boolean free(int port) {
    try (var _ = new ServerSocket(port)) {
      return true;
    } catch (IOException e) {
      return false;
    }
  }
}
