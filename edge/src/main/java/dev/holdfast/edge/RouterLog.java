package dev.holdfast.edge;

import org.jspecify.annotations.Nullable;

/**
 * Receives one line in Heroku's router format for every request. Called on event loops: it must not
 * block and not throw.
 */
@FunctionalInterface
public interface RouterLog {

  /**
   * Takes the line of one request that has ended.
   *
   * @param service the service that the request was for, or null when it was for none
   * @param line one line without line end, safe to print; every value in it is quoted or cleaned
   */
  void line(@Nullable String service, String line);
}
