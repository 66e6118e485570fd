package dev.holdfast.cli;

import java.util.ArrayDeque;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import tools.jackson.databind.JsonNode;

/** {@code holdfast ledger}. */
@Command(
    name = "ledger",
    description = "Show what was decided on the platform, in order, and how its followers are.")
final class Ledger extends Verb {
  private static final int SHOWN_MAX = 100_000;

  @Parameters(
      arity = "0..1",
      paramLabel = "KEY-PREFIX",
      description = "Only keys that begin so, such as route/.")
  String prefix = "";

  @Option(
      names = {"-f", "--follow"},
      description = "Go on with what comes.")
  boolean follow;

  @Option(
      names = "--after",
      paramLabel = "POSITION",
      description = "Begin after this position; default: the last N.")
  @Nullable Long after;

  @Option(
      names = {"-n", "--num"},
      paramLabel = "N",
      description = "Entries at most, or to start with; default: ${DEFAULT-VALUE}.")
  int count = 100;

  private long position;

  private Ledger(Options options) {
    super(options);
  }

  static CommandLine command(Options options) {
    return new CommandLine(new Ledger(options))
        .addSubcommand(new LedgerStatus(options))
        .addSubcommand(new LedgerShow(options))
        .addSubcommand(new LedgerSkip(options))
        .addSubcommand(new LedgerRepair(options))
        .addSubcommand(new LedgerDiff(options));
  }

  @Override
  void run(Screen screen, Api api) throws InterruptedException {
    if (count < 0 || count > SHOWN_MAX) {
      throw Refused.usage(Refused.sentence("-n", String.valueOf(count), "0 to " + SHOWN_MAX));
    }
    if (after != null && after < 0) {
      throw Refused.usage(Refused.sentence("--after", String.valueOf(after), "0 or more"));
    }
    if (after == null) {
      last(screen, api);
    } else if (follow) {
      position = after;
    } else {
      next(screen, api, after);
    }
    if (follow) {
      new Follow(api, screen, options.shell().pace())
          .forever(
              () -> path(position, Api.PAGE_ITEMS) + "&follow=true",
              entry -> {
                long at = Json.number(entry, "position", 0);
                if (at > position) {
                  position = at;
                  show(screen, entry);
                }
                return true;
              });
    }
  }

  /** The last {@link #count} entries that match; without a prefix the others are not even read. */
  private void last(Screen screen, Api api) throws InterruptedException {
    long head = Json.number(api.get(path(0, 1)), "head", 0);
    var last = new ArrayDeque<JsonNode>();
    long from = prefix.isEmpty() ? Math.max(0, head - count) : 0;
    pages(
        api,
        from,
        head,
        entry -> {
          last.add(entry);
          if (last.size() > count) {
            last.remove();
          }
          return true;
        });
    last.forEach(entry -> show(screen, entry));
    position = head;
  }

  private void next(Screen screen, Api api, long from) throws InterruptedException {
    int[] left = {count};
    pages(
        api,
        from,
        Long.MAX_VALUE,
        entry -> {
          if (left[0] > 0) {
            show(screen, entry);
          }
          return --left[0] > 0;
        });
  }

  /** Passes the matching entries in (from, to] until no more are wanted. */
  private void pages(Api api, long from, long to, java.util.function.Predicate<JsonNode> entries)
      throws InterruptedException {
    for (long at = from; at < to && count > 0; ) {
      var items = api.get(path(at, Api.PAGE_ITEMS)).path("items");
      if (items.isEmpty()) {
        return;
      }
      for (var entry : items) {
        long next = Json.number(entry, "position", 0);
        if (next <= at) {
          throw new Refused("The ledger's answer goes back from " + at + " to " + next + ".");
        }
        at = next;
        if (at > to || (matches(entry) && !entries.test(entry))) {
          return;
        }
      }
    }
  }

  private static String path(long after, int limit) {
    return "/v1/ledger?after=" + after + "&limit=" + limit;
  }

  private boolean matches(JsonNode entry) {
    return Json.text(entry, "key", "").startsWith(prefix);
  }

  private void show(Screen screen, JsonNode entry) {
    if (matches(entry)) {
      screen.streamed(screen.json() ? Json.line(entry) : format(entry));
    }
  }

  /** {@code 12 2026-11-21T22:39:18.123Z route/www.example.org r3 admin: {...}}. */
  static String format(JsonNode entry) {
    String payload;
    if (entry.path("deleted").asBoolean(false)) {
      payload = "deleted";
    } else if (entry.path("redacted").asBoolean(false)) {
      payload = "(redacted)";
    } else {
      payload = Json.line(entry.path("payload"));
    }
    return String.join(
        " ",
        List.of(
            Json.shown(entry, "position", "?"),
            Json.shown(entry, "time", "?"),
            Json.shown(entry, "key", "?"),
            "r" + Json.shown(entry, "revision", "?"),
            Json.shown(entry, "actor", "?") + ":",
            Text.oneLine(payload)));
  }
}
