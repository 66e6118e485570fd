package dev.holdfast.server;

import dev.holdfast.edge.Descriptors;
import dev.holdfast.ledger.StoreException;
import dev.holdfast.limits.Check;
import dev.holdfast.limits.Time;
import java.io.IOException;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.concurrent.CountDownLatch;
import org.jspecify.annotations.Nullable;

/**
 * Starts the platform: {@code up}; and what works on a home without one: {@code restore}, {@code
 * migrate}, {@code down}.
 */
public final class Main {
  private static final String USAGE =
      """
      usage: holdfast up [--home DIR] [--http ADDR:PORT] [--api ADDR:PORT]
                         [--roles all|control,drones|edge] [--control URL]
                         [--store jdbc:postgresql://HOST/DATABASE?user=NAME]
             holdfast down [--home DIR]
             holdfast restore FILE [--home DIR]
             holdfast migrate --from sqlite:HOME --to jdbc:postgresql://... [--password-file FILE]
      """;

  private static final List<String> OPTIONS =
      List.of("home", "http", "api", "roles", "control", "store", "from", "to", "password-file");

  private Main() {}

  /** Exits with 0 after an orderly end, 1 when it could not start, 2 when it was called wrongly. */
  public static void main(String[] arguments) {
    Logs.start(System.err);
    System.exit(run(List.of(arguments), System.getenv(), System.out, System.err));
  }

  static int run(
      List<String> arguments, Map<String, String> environment, PrintStream out, PrintStream err) {
    try {
      var options = new TreeMap<String, String>();
      var words = parse(arguments, options);
      var told = options.remove("home");
      var home = home(told, environment);
      return switch (words.isEmpty() ? "" : words.getFirst()) {
        case "up" -> {
          expect(words, 1);
          var config = ServerConfig.load(home, environment, options);
          var handed = Descriptors.of(environment, ProcessHandle.current().pid());
          var script = System.getProperty(Anchor.SCRIPT);
          if (script != null && handed.isEmpty()) {
            Anchor.hold(config, script, arguments, environment);
          }
          yield up(config, handed, environment, out);
        }
        case "down" -> {
          expect(words, 1);
          yield Down.run(ServerConfig.load(home, environment, options), Time.system(), out);
        }
        case "refuse-visitors" -> { // what the launcher's loop asks for, and nobody else
          expect(words, 2);
          yield Anchor.refuse(words.get(1));
        }
        case "restore" -> {
          expect(words, 2);
          long head = Backup.restore(Path.of(words.get(1)), home);
          out.println("Restored " + home + " to position " + head + ". Start it with: holdfast up");
          yield 0;
        }
        case "migrate" -> {
          expect(words, 1);
          yield StoreSettings.move(
              option(options, "from"),
              option(options, "to"),
              options.getOrDefault("password-file", "none"),
              Time.system(),
              out);
        }
        default -> throw new Usage("verb: " + words + " (expected: up, down, restore or migrate)");
      };
    } catch (Usage e) {
      err.println(" !    " + e.getMessage());
      err.print(USAGE);
      return 2;
    } catch (IOException
        | StoreException
        | UncheckedIOException
        | IllegalArgumentException
        | IllegalStateException e) {
      err.println(" !    " + Objects.requireNonNullElse(e.getMessage(), e));
      return 1;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return 1;
    }
  }

  private static int up(
      ServerConfig config, Descriptors handed, Map<String, String> environment, PrintStream out)
      throws IOException, StoreException, InterruptedException {
    var platform =
        switch (Roles.of(config)) {
          case ALL, CONTROL_AND_DRONES -> Platform.start(config, handed, Time.system());
          case EDGE -> EdgeNode.start(config, handed, Time.system());
        };
    var ended = new CountDownLatch(1);
    Runtime.getRuntime()
        .addShutdownHook(
            Thread.ofPlatform()
                .name("shutdown")
                .unstarted(() -> {
                  Anchor.ending(environment);
                  int staying = platform.longConnections();
                  if (staying > 0) {
                    out.println(
                        "Letting %d WebSockets and event streams go, for at most %s"
                            .formatted(staying, config.value(ServerConfig.EDGE_DRAIN_MAX)));
                    out.flush();
                  }
                  platform.close();
                  out.println(
                      Roles.of(config) == Roles.EDGE
                          ? "The edge is down."
                          : "Holdfast is down. Its apps go on running: `holdfast up` adopts them, "
                              + "`holdfast down` ends them.");
                  out.flush();
                  ended.countDown();
                }));
    out.print(platform.greeting());
    out.flush();
    Anchor.ready(environment);
    ended.await();
    return 0;
  }

  private static Path home(@Nullable String told, Map<String, String> environment) {
    var variable = environment.get("HOLDFAST_HOME");
    if (told != null || variable != null) {
      var named = told != null ? told : String.valueOf(variable);
      Check.that(!named.isBlank(), "home", named, "a directory"); // not the one we stand in
      return Path.of(named);
    }
    var user = environment.getOrDefault("HOME", System.getProperty("user.home"));
    return Path.of(user, ".holdfast");
  }

  private static List<String> parse(List<String> arguments, Map<String, String> options)
      throws Usage {
    var words = new ArrayList<String>();
    for (int i = 0; i < arguments.size(); i++) {
      var word = arguments.get(i);
      if (!word.startsWith("--")) {
        words.add(word);
        continue;
      }
      int equals = word.indexOf('=');
      var name = word.substring(2, equals < 0 ? word.length() : equals);
      if (!OPTIONS.contains(name)) {
        throw new Usage(Check.message("option", "--" + name, "--" + String.join(", --", OPTIONS)));
      }
      if (equals < 0 && i + 1 == arguments.size()) {
        throw new Usage(Check.message("option", word, "a value behind it"));
      }
      options.put(name, equals < 0 ? arguments.get(++i) : word.substring(equals + 1));
    }
    return words;
  }

  private static String option(Map<String, String> options, String name) throws Usage {
    var value = options.get(name);
    if (value == null) {
      throw new Usage(Check.message("--" + name, "missing", "a value"));
    }
    return value;
  }

  private static void expect(List<String> words, int count) throws Usage {
    if (words.size() != count) {
      throw new Usage(
          Check.message("arguments", String.join(" ", words), (count - 1) + " behind the verb"));
    }
  }

  /** The command line is wrong. */
  private static final class Usage extends Exception {
    private static final long serialVersionUID = 1L;

    Usage(String message) {
      super(message);
    }
  }
}
