package dev.holdfast.cli;

import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/**
 * {@code holdfast restart}: says done when the processes that ran were replaced and answer, not
 * when the request for it was accepted.
 */
@Command(name = "restart", description = "Restart an app's processes, or one of them.")
final class Restart extends AppVerb {
  private static final Duration POLL = Duration.ofMillis(200);
  private static final Duration WAIT_MAX = Duration.ofMinutes(3);

  @Parameters(arity = "0..1", paramLabel = "PROCESS", description = "Such as web.1; default: all.")
  @Nullable String process;

  Restart(Options options) {
    super(options, new AppOption(options));
  }

  @Override
  void run(Screen screen, Api api) throws InterruptedException {
    var what = process == null ? "processes" : Text.oneLine(process);
    screen.action(
        "Restarting " + what + " of " + screen.app(app()),
        () -> {
          var before = running(api);
          var body = Json.object().put("process", process);
          screen.json(api.send(Call.of("POST", Api.path("apps", app(), "restart"), body)));
          return await(api, before);
        });
  }

  private String await(Api api, Map<String, String> before) throws InterruptedException {
    var pace = options.shell().pace();
    var end = pace.now().plus(WAIT_MAX);
    while (true) {
      var waiting = new HashMap<>(before);
      for (var now : api.list(Api.path("apps", app(), "processes"))) {
        var name = Json.shown(now, "name", "");
        var old = before.get(name);
        if (old != null && !old.equals(run(now))) {
          switch (Json.text(now, "state", "")) {
            case "up" -> waiting.remove(name);
            case "crashed" ->
                throw new Refused(
                    name
                        + " crashed after its restart: "
                        + Json.shown(now, "lastExit", "no reason given"));
            default -> {}
          }
        }
      }
      if (waiting.isEmpty()) {
        return "done";
      }
      if (!pace.now().isBefore(end)) {
        throw new Refused(
            "Not up again after " + WAIT_MAX.toMinutes() + " minutes: " + waiting.keySet());
      }
      pace.rest(POLL);
    }
  }

  /** The processes that will be replaced, each with what tells one run of it from the next. */
  private Map<String, String> running(Api api) throws InterruptedException {
    var running = new HashMap<String, String>();
    for (var now : api.list(Api.path("apps", app(), "processes"))) {
      var name = Json.shown(now, "name", "");
      if (Json.text(now, "state", "").equals("up") && (process == null || process.equals(name))) {
        running.put(name, run(now));
      }
    }
    return running;
  }

  private static String run(tools.jackson.databind.JsonNode process) {
    return Json.text(process, "pid", "") + " " + Json.text(process, "drone", "");
  }
}
