package dev.holdfast.cli;

import java.time.Duration;
import java.util.function.Predicate;
import java.util.function.Supplier;
import tools.jackson.databind.JsonNode;

/** Reads a stream to its end, or follows it over breaks for as long as the reader listens. */
final class Follow {
  /** A platform may be gone for a night; who follows it decides when to stop. */
  private static final Duration ABSENCE_MAX = Duration.ofDays(7);

  private final Api api;
  private final Screen screen;
  private final Pace pace;
  private boolean connected;

  Follow(Api api, Screen screen, Pace pace) {
    this.api = api;
    this.screen = screen;
    this.pace = pace;
  }

  /**
   * Hands over each object of the stream once.
   *
   * @param items answers false when no more are wanted
   */
  void once(String path, Predicate<JsonNode> items) throws InterruptedException {
    pass(path, items, new Retry(pace));
  }

  /**
   * As {@link #once}, and connects again after a break or an end.
   *
   * @param path where to go on; asked for each connection
   */
  void forever(Supplier<String> path, Predicate<JsonNode> items) throws InterruptedException {
    var retry = new Retry(pace);
    while (true) {
      Absent absent;
      try {
        if (!pass(path.get(), items, retry)) {
          return;
        }
        absent = new Absent("The platform ended the stream.");
      } catch (Absent e) {
        if (!connected) {
          throw e;
        }
        absent = e;
      }
      if (retry.failures() == 0) {
        screen.remark(absent.sentence() + " Connecting again...");
      }
      if (!retry.restAfter(absent, ABSENCE_MAX)) {
        throw absent;
      }
    }
  }

  /** Answers false when no more are wanted, true when the stream ended. */
  private boolean pass(String path, Predicate<JsonNode> items, Retry retry)
      throws InterruptedException {
    try (var lines = new Lines(api.stream("GET", path))) {
      connected = true;
      for (byte[] line; (line = lines.next()) != null; ) {
        retry.passed();
        if (line.length > 1 || (line.length == 1 && line[0] != '\r')) {
          if (!items.test(Json.parse(line, "A line of the stream"))) {
            return false;
          }
        }
        if (screen.closed()) {
          return false;
        }
      }
      return true;
    }
  }
}
