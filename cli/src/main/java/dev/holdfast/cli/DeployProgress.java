package dev.holdfast.cli;

import java.util.ArrayList;
import java.util.List;
import tools.jackson.databind.JsonNode;

/** What a deploy shows of its release: each new step, and what the release phase writes. */
final class DeployProgress {
  private static final int LAST_LINES = 20;
  private static final String RELEASE_PHASE = "release";

  private final Screen screen;
  private final Api api;
  private final String app;
  private String step = "";
  private boolean releasing;
  private int shown;
  private String shownTime = "";

  DeployProgress(Screen screen, Api api, String app) {
    this.screen = screen;
    this.api = api;
    this.app = app;
  }

  /** Shows what is new. */
  void show(JsonNode release) throws InterruptedException {
    var status = Json.text(release, "status", "");
    // Asked once more after the phase, for the lines that came after the last look.
    boolean phase = status.equals("releasing") || releasing;
    releasing = status.equals("releasing");
    var now = Json.shown(release, "step", "");
    if (!now.isEmpty() && !now.equals(step)) {
      step = now;
      screen.line("-----> " + now);
    }
    if (phase) {
      output(release);
    }
  }

  private void output(JsonNode release) throws InterruptedException {
    var phase =
        log(release, Logs.OVERLAP_LINES).stream()
            .filter(line -> Json.text(line, "process", "").startsWith(RELEASE_PHASE))
            .toList();
    // Past the overlap the oldest lines fall out, and only times tell what was shown.
    boolean whole = phase.size() < Logs.OVERLAP_LINES;
    for (int i = whole ? shown : 0; i < phase.size(); i++) {
      var line = phase.get(i);
      var time = Json.text(line, "time", "");
      if (whole || time.compareTo(shownTime) > 0) {
        screen.line("       " + Text.logLine(Json.text(line, "text", ""), screen.fancy()));
        shownTime = time;
      }
    }
    shown = phase.size();
  }

  /** The end of the app's log since the release began. */
  void lastWords(JsonNode release) throws InterruptedException {
    for (var line : log(release, LAST_LINES)) {
      screen.line(Logs.format(screen, line));
    }
  }

  /** Lines since the release began; none when the log cannot be read, which fails no deploy. */
  private List<JsonNode> log(JsonNode release, int lines) throws InterruptedException {
    var since = Json.text(release, "createdAt", "");
    var found = new ArrayList<JsonNode>();
    try (var log =
        new Lines(api.stream("GET", Api.path("apps", app, "logs") + "?lines=" + lines))) {
      for (byte[] line; (line = log.next()) != null && found.size() < lines; ) {
        if (line.length > 1) {
          var node = Json.parse(line, "A line of the log");
          if (Json.text(node, "time", "").compareTo(since) >= 0) {
            found.add(node);
          }
        }
      }
    } catch (Refused e) {
      return List.of();
    }
    return found;
  }
}
