package dev.holdfast.cli;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/** {@code holdfast rods}. */
@Command(
    name = "rods",
    description = "Show the control rods, which turn a budget down; set or lift one.")
final class Rods extends Verb {
  /** In an emergency nobody waits longer for an API that may be dead. */
  private static final Duration PATIENCE = Duration.ofSeconds(5);

  private static final String PATH = "/v1/rods";

  private Rods(Options options) {
    super(options);
  }

  static CommandLine command(Options options) {
    return new CommandLine(new Rods(options))
        .addSubcommand(new Shown(options))
        .addSubcommand(new Set(options))
        .addSubcommand(new Lift(options));
  }

  @Override
  void run(Screen screen, Api api) throws InterruptedException {
    new Shown(options).run(screen, api);
  }

  /** What is asked of the API, and of the socket when the API does not answer. */
  abstract static class Urgent extends Verb {
    Urgent(Options options) {
      super(options);
    }

    /**
     * The answer of the API, or of the node's own socket.
     *
     * @param only whether the API is not even asked
     * @param instead what happens when the API does not answer, one sentence
     */
    final JsonNode either(
        Screen screen, Api api, Call call, ObjectNode question, boolean only, String instead)
        throws InterruptedException {
      var socket = BreakGlass.of(options.target());
      if (only) {
        if (socket == null) {
          throw Refused.usage("--local is for a platform of this machine, not for --server.");
        }
        return socket.ask(question);
      }
      try {
        return api.send(call.within(PATIENCE));
      } catch (Absent e) {
        if (socket == null || !socket.exists()) {
          throw e;
        }
        screen.remark(e.sentence() + "\n" + instead);
        return socket.ask(question);
      }
    }
  }

  /** {@code holdfast rods list}. */
  @Command(name = "list", description = "Show the rods that are in, and all that there are.")
  static final class Shown extends Urgent {
    @Option(names = "--history", description = "Show what happened last: who, when, why, effect.")
    boolean history;

    @Option(names = "--local", description = "Ask the node's own socket, not the API.")
    boolean local;

    Shown(Options options) {
      super(options);
    }

    @Override
    void run(Screen screen, Api api) throws InterruptedException {
      if (history) {
        history(screen, api);
        return;
      }
      var answer =
          either(
              screen,
              api,
              Call.of("GET", PATH),
              Json.object().put("ask", "list"),
              local,
              "This is what the node itself knows:");
      var rods = answer.has("list") ? answer.path("list") : answer;
      screen.json(rods);
      in(screen, rods);
      known(screen, rods);
      long unwritten = Json.number(rods, "unwritten", 0);
      if (unwritten > 0) {
        screen.line("");
        screen.line(
            Text.count(unwritten, "event") + " of this node wait for the ledger to answer.");
      }
    }

    private void in(Screen screen, JsonNode rods) {
      screen.header("Rods that are in");
      if (rods.path("items").isEmpty()) {
        screen.line("none");
      }
      for (var rod : rods.path("items")) {
        screen.line(
            "%s  %s  %s  %s"
                .formatted(
                    Json.shown(rod, "name", "?"),
                    Json.shown(rod, "scope", "?"),
                    Json.shown(rod, "level", "?"),
                    Json.has(rod, "expiresAt")
                        ? "until " + ahead(Json.text(rod, "expiresAt", ""))
                        : "for ever"));
        screen.line("  why    " + Json.shown(rod, "reason", ""));
        screen.line(
            "  by     %s (%s), %s"
                .formatted(
                    Json.shown(rod, "actor", "?"),
                    Json.shown(rod, "source", "?"),
                    moment(Json.text(rod, "setAt", ""))));
        screen.line(
            "  effect "
                + (rod.path("acts").asBoolean(false) || Json.number(rod, "effect", 0) > 0
                    ? Json.shown(rod, "effect", "0") + " " + Json.shown(rod, "counts", "")
                    : "none on " + Json.shown(rods, "node", "this node")));
      }
    }

    private void known(Screen screen, JsonNode rods) {
      screen.line("");
      screen.header("All rods");
      var rows = new ArrayList<List<String>>();
      for (var rod : rods.path("known")) {
        var scopes = new ArrayList<String>();
        rod.path("scopes").forEach(scope -> scopes.add(Text.oneLine(scope.asString(""))));
        rows.add(
            List.of(
                Json.shown(rod, "name", "?"),
                String.join(", ", scopes),
                Json.shown(rod, "total", "0") + " " + Json.shown(rod, "counts", ""),
                drilled(rod)));
      }
      screen.table(rows);
      for (var rod : rods.path("known")) {
        screen.line("");
        screen.line(Json.shown(rod, "name", "?") + ": " + Json.shown(rod, "meaning", ""));
        screen.line("  " + Json.shown(rod, "levels", ""));
      }
    }

    private String drilled(JsonNode rod) {
      var at = Json.text(rod, "drilledAt", "");
      if (rod.path("drilled").asBoolean(false)) {
        return "drilled " + moment(at);
      }
      return at.isEmpty() ? "NEVER DRILLED" : "NOT DRILLED LATELY: " + moment(at);
    }

    private void history(Screen screen, Api api) throws InterruptedException {
      var events = api.list(PATH + "/history");
      if (screen.json()) {
        screen.json(Json.array().addAll(events));
        return;
      }
      screen.header("What happened to rods");
      for (var event : events) {
        var where =
            Json.has(event, "node") ? " on " + Json.shown(event, "node", "") + " alone" : "";
        var drill = event.path("drill").asBoolean(false) ? ", a drill" : "";
        screen.line(
            "%s  %s %s %s %s by %s%s%s"
                .formatted(
                    moment(Json.text(event, "at", "")),
                    Json.shown(event, "name", "?"),
                    Json.shown(event, "scope", "?"),
                    Json.shown(event, "level", "?"),
                    Json.shown(event, "event", "?"),
                    Json.shown(event, "by", "?"),
                    where,
                    drill));
        screen.line(
            "  %s; effect %s"
                .formatted(Json.shown(event, "reason", ""), Json.shown(event, "effect", "0")));
      }
    }
  }

  /** {@code holdfast rods set}. */
  @Command(
      name = "set",
      description = {
        "Set a control rod. When the API does not answer, it is set on this node alone, over the",
        "socket in the platform's folder."
      })
  static final class Set extends Urgent {
    @Parameters(paramLabel = "NAME", description = "As `holdfast rods list` shows it.")
    String name = "";

    @Option(
        names = "--scope",
        paramLabel = "SCOPE",
        description = "global (default), node, node/NAME, app/NAME, account/NAME or upstream/HOST.")
    @Nullable String scope;

    @Option(
        names = "--level",
        paramLabel = "LEVEL",
        description = "Such as on, or the share that is left: 25%%. Default: ${DEFAULT-VALUE}.")
    String level = "on";

    @Option(
        names = "--ttl",
        paramLabel = "TIME",
        description = "Such as 30m or 2h, or forever; default: what rods.ttl says.")
    @Nullable String ttl;

    @Option(names = "--reason", paramLabel = "TEXT", required = true, description = "Why.")
    String reason = "";

    @Option(names = "--drill", description = "It is set to see that it works.")
    boolean drill;

    @Option(names = "--local", description = "On this node alone, over its own socket.")
    boolean local;

    Set(Options options) {
      super(options);
    }

    @Override
    void run(Screen screen, Api api) throws InterruptedException {
      screen.action(
          "Setting " + Text.oneLine(name),
          () -> {
            var answer =
                either(
                    screen,
                    api,
                    Call.of("PUT", Api.path("rods", name), order(Json.object())),
                    order(Json.object().put("ask", "set").put("name", name)),
                    local,
                    "Setting it on this node alone, over its own socket.");
            var rod = answer.has("items") ? answer.path("items").path(0) : answer;
            screen.json(rod);
            var remark = Json.shown(answer, "remark", "");
            return "done, level %s, %s, %s%s"
                .formatted(
                    Json.shown(rod, "level", level),
                    Json.shown(rod, "scope", "global"),
                    Json.has(rod, "expiresAt")
                        ? "until " + ahead(Json.text(rod, "expiresAt", ""))
                        : "for ever",
                    remark.isEmpty() ? "" : "\n" + remark);
          });
    }

    private ObjectNode order(ObjectNode into) {
      return into.put("scope", scope)
          .put("level", level)
          .put("ttl", ttl)
          .put("reason", reason)
          .put("drill", drill);
    }
  }

  /** {@code holdfast rods lift}. */
  @Command(name = "lift", description = "Take a control rod out, whichever way it came.")
  static final class Lift extends Urgent {
    @Parameters(paramLabel = "NAME", description = "As `holdfast rods list` shows it.")
    String name = "";

    @Option(names = "--scope", paramLabel = "SCOPE", description = "As the list shows it.")
    @Nullable String scope;

    @Option(names = "--reason", paramLabel = "TEXT", description = "Why.")
    @Nullable String reason;

    @Option(names = "--local", description = "One that was set on this node alone.")
    boolean local;

    Lift(Options options) {
      super(options);
    }

    @Override
    void run(Screen screen, Api api) throws InterruptedException {
      screen.action(
          "Lifting " + Text.oneLine(name),
          () -> {
            var question =
                Json.object()
                    .put("ask", "lift")
                    .put("name", name)
                    .put("scope", scope)
                    .put("reason", reason);
            var answer =
                either(
                    screen,
                    api,
                    Call.of("DELETE", path()),
                    question,
                    local,
                    "Lifting what was set on this node alone.");
            screen.json(answer);
            var effects = new ArrayList<String>();
            for (var rod : answer.path("items")) {
              effects.add(
                  Json.shown(rod, "source", "?")
                      + ": "
                      + Json.shown(rod, "effect", "0")
                      + " "
                      + Json.shown(rod, "counts", ""));
            }
            return "done (" + String.join("; ", effects) + ")";
          });
    }

    private String path() {
      return Api.path("rods", name)
          + "?scope="
          + Api.escape(scope == null ? "global" : scope)
          + (reason == null ? "" : "&reason=" + Api.escape(reason));
    }
  }
}
