package dev.holdfast.cli;

import java.time.Duration;
import tools.jackson.databind.JsonNode;

/**
 * Follows a release until it succeeded or failed, over restarts of the platform. Confined to one
 * thread.
 */
final class ReleaseWatch {
  private static final Duration POLL = Duration.ofMillis(200);

  /** Longer than any release phase is meant to take; the platform goes on without the watcher. */
  private static final Duration WAIT_MAX = Duration.ofMinutes(30);

  private final Api api;
  private final Pace pace;

  ReleaseWatch(Api api, Pace pace) {
    this.api = api;
    this.pace = pace;
  }

  /** Hears of the release as it stands, at least once and whenever it may have changed. */
  interface Listener {
    void at(JsonNode release) throws InterruptedException;
  }

  /** Answers the release once it has ended, succeeded or failed. */
  JsonNode await(String app, long version, Listener listener) throws InterruptedException {
    var path = Api.path("apps", app, "releases", String.valueOf(version));
    var end = pace.now().plus(WAIT_MAX);
    while (true) {
      var release = api.insist(Call.of("GET", path));
      listener.at(release);
      var status = Json.text(release, "status", "");
      if (status.equals("succeeded") || status.equals("failed")) {
        return release;
      }
      if (!pace.now().isBefore(end)) {
        throw new Refused(
            "v%d is still %s after %d minutes; it goes on without this command. See: holdfast releases info v%d -a %s"
                .formatted(
                    version,
                    Text.oneLine(status),
                    WAIT_MAX.toMinutes(),
                    version,
                    Text.oneLine(app)));
      }
      pace.rest(POLL);
    }
  }

  /** As {@link #await}, quietly; {@code done, v5} when it succeeded. */
  String done(Screen screen, String app, JsonNode accepted) throws InterruptedException {
    long version = Json.number(accepted, "version", 0);
    var release = await(app, version, r -> {});
    screen.json(release);
    if (Json.text(release, "status", "").equals("failed")) {
      throw failure(release);
    }
    return "done, v" + version;
  }

  /** Why the release failed, as the end of the command. */
  static Refused failure(JsonNode release) {
    return new Refused(
        "v"
            + Json.number(release, "version", 0)
            + " failed: "
            + Json.shown(release, "failure", "the platform gave no reason"));
  }
}
