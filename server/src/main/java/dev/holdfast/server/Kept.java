package dev.holdfast.server;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.logging.Level;
import java.util.logging.Logger;
import org.jspecify.annotations.Nullable;

/**
 * What a process is made of: the last part that was made is closed first, and one that does not
 * close keeps none of the others from it. Made by one thread, closed by one.
 */
final class Kept implements AutoCloseable {
  private static final Logger LOG = Logger.getLogger(Kept.class.getName());

  private final Deque<AutoCloseable> parts = new ArrayDeque<>();

  <T extends AutoCloseable> T keep(T part) {
    parts.push(part);
    return part;
  }

  /** Idempotent. */
  @Override
  public void close() {
    @Nullable AutoCloseable part;
    while ((part = parts.poll()) != null) {
      try {
        part.close();
      } catch (Exception e) {
        LOG.log(Level.WARNING, part + " was not closed in order", e);
      }
    }
  }
}
