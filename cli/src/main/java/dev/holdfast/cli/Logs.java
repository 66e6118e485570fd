package dev.holdfast.cli;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import tools.jackson.databind.JsonNode;

/** {@code holdfast logs}. */
@Command(name = "logs", description = "Show an app's log.")
final class Logs extends AppVerb {
  /** Lines asked for again after a break, of which those already shown are left out. */
  static final int OVERLAP_LINES = 1000;

  @Option(
      names = {"-f", "--follow", "-t", "--tail"},
      description = "Go on with what comes.")
  boolean follow;

  @Option(
      names = {"-n", "--num"},
      paramLabel = "N",
      description = "Lines to start with; default: ${DEFAULT-VALUE}.")
  int lines = 100;

  @Option(
      names = {"-p", "--process"},
      paramLabel = "PROCESS",
      description = "Only this process or type, such as web.1, or router.")
  @Nullable String process;

  @Option(
      names = {"-s", "--source"},
      paramLabel = "SOURCE",
      description = "Only app, router or platform.")
  @Nullable String source;

  private String lastTime = "";
  private final List<String> atLastTime = new ArrayList<>();

  Logs(Options options) {
    super(options, new AppOption(options));
  }

  @Override
  void run(Screen screen, Api api) throws InterruptedException {
    if (lines < 0) {
      throw Refused.usage(Refused.sentence("-n", String.valueOf(lines), "0 or more"));
    }
    var reader = new Follow(api, screen, options.shell().pace());
    if (!follow) {
      reader.once(path(lines), line -> show(screen, line));
      return;
    }
    var overlap = new Overlap(screen);
    reader.forever(overlap::path, overlap::show);
  }

  /** Shows after a break only what was not shown before it. */
  private final class Overlap {
    private final Screen screen;
    private int left;
    private boolean connected;
    private String until = "";
    private List<String> seen = List.of();

    Overlap(Screen screen) {
      this.screen = screen;
    }

    String path() {
      if (!connected) {
        connected = true;
        return Logs.this.path(lines);
      }
      left = OVERLAP_LINES;
      until = lastTime;
      seen = new ArrayList<>(atLastTime);
      return Logs.this.path(OVERLAP_LINES);
    }

    boolean show(JsonNode line) {
      if (left > 0) {
        left--;
        // The API's times have one fixed form, so that their order is that of their text.
        int order = Json.text(line, "time", "").compareTo(until);
        if (order < 0 || (order == 0 && seen.remove(line.toString()))) {
          return true;
        }
      }
      return Logs.this.show(screen, line);
    }
  }

  private boolean show(Screen screen, JsonNode line) {
    var time = Json.text(line, "time", "");
    if (!time.equals(lastTime)) {
      lastTime = time;
      atLastTime.clear();
    }
    if (atLastTime.size() < OVERLAP_LINES) {
      atLastTime.add(line.toString());
    }
    screen.streamed(screen.json() ? Json.line(line) : format(screen, line));
    return true;
  }

  private String path(int count) {
    var path = Api.path("apps", app(), "logs") + "?lines=" + count;
    if (follow) {
      path += "&follow=true";
    }
    if (source != null) {
      path += "&source=" + Api.escape(source);
    }
    return process == null ? path : path + "&process=" + Api.escape(process);
  }

  /** {@code 2026-11-21T22:39:18.123456+00:00 app[web.1]: text}. */
  static String format(Screen screen, JsonNode line) {
    var process = Json.shown(line, "process", "");
    var prefix =
        Text.logTime(Json.text(line, "time", ""))
            + " "
            + Json.shown(line, "source", "app")
            + "["
            + process
            + "]:";
    return screen.process(prefix, process)
        + " "
        + Text.logLine(Json.text(line, "text", ""), screen.fancy());
  }
}
