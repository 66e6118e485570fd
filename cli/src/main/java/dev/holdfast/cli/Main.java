package dev.holdfast.cli;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.BufferedOutputStream;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.time.ZoneId;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Stream;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** The holdfast command: the table of verbs, and how a run of one ends. */
public final class Main {
  private static final Map<String, Function<Options, CommandLine>> VERBS = verbs();

  /** What Heroku's users type where a verb stands by itself here. */
  private static final Map<String, List<String>> SYNONYMS =
      Map.of(
          "create", List.of("apps", "create"),
          "destroy", List.of("apps", "destroy"),
          "ps:scale", List.of("scale"),
          "ps:restart", List.of("restart"),
          "releases:rollback", List.of("rollback"));

  private Main() {}

  /** Runs the verb and ends the process with its exit code: 0 done, 1 refused, 2 not understood. */
  public static void main(String[] args) {
    var out = stream(FileDescriptor.out);
    var err = stream(FileDescriptor.err);
    var shell =
        new Shell(
            out,
            err,
            System.in,
            System.getenv(),
            Path.of("").toAbsolutePath(),
            Path.of(System.getenv().getOrDefault("HOME", System.getProperty("user.home"))),
            terminal(),
            ZoneId.systemDefault(),
            Pace.system(),
            Programs.system());
    int code = run(shell, args);
    out.flush();
    err.flush();
    System.exit(code);
  }

  /** Runs the verb and answers its exit code. */
  static int run(Shell shell, String... args) {
    var line = expand(args);
    var options = new Options(shell);
    var root = new CommandLine(new Root()).addMixin("options", options);
    // One verb costs a tenth of all: the others are made only when they have to be shown or named.
    var one = line.isEmpty() ? null : VERBS.get(line.getFirst());
    if (one != null) {
      root.addSubcommand(line.getFirst(), one.apply(options));
    } else {
      VERBS.forEach((name, make) -> root.addSubcommand(name, make.apply(options)));
      root.addSubcommand("help", new CommandLine.HelpCommand());
    }
    root.setOut(new PrintWriter(shell.out(), true, UTF_8));
    root.setErr(new PrintWriter(shell.err(), true, UTF_8));
    root.setColorScheme(CommandLine.Help.defaultColorScheme(CommandLine.Help.Ansi.OFF));
    root.setUsageHelpAutoWidth(false).setUsageHelpWidth(100);
    root.setPosixClusteredShortOptionsAllowed(false);
    root.setParameterExceptionHandler((e, given) -> {
      options.screen().refuse(misunderstood(e));
      var verb = e.getCommandLine().getCommandSpec().qualifiedName();
      options.screen().refuse("See: " + verb + " --help");
      return Refused.USAGE;
    });
    root.setExecutionExceptionHandler((e, command, result) -> end(e, options.screen()));
    return root.execute(line.toArray(String[]::new));
  }

  private static String misunderstood(CommandLine.ParameterException e) {
    if (e instanceof CommandLine.UnmatchedArgumentException unmatched
        && e.getCommandLine().getParent() == null) {
      var typed = Text.oneLine(unmatched.getUnmatched().getFirst());
      var similar = Nearest.of(typed, VERBS.keySet());
      return typed
          + " is not a verb of holdfast."
          + (similar.isEmpty() ? "" : " Did you mean: " + String.join(", ", similar));
    }
    return String.valueOf(e.getMessage());
  }

  private static int end(Exception e, Screen screen) throws Exception {
    if (e instanceof Refused refused) {
      screen.refuse(refused.sentence());
      return refused.exitCode();
    }
    throw e;
  }

  /** {@code apps:create} and the like become words. */
  private static List<String> expand(String... args) {
    if (args.length == 0) {
      return List.of();
    }
    var words = SYNONYMS.get(args[0]);
    if (words == null) {
      var parts = List.of(args[0].split(":", 2));
      words = VERBS.containsKey(parts.getFirst()) ? parts : List.of(args[0]);
    }
    return Stream.concat(words.stream(), Arrays.stream(args).skip(1)).toList();
  }

  @SuppressWarnings("SystemConsoleNull") // null again when nobody is there, since JDK 25
  private static boolean terminal() {
    var console = System.console();
    return console != null && console.isTerminal();
  }

  private static PrintStream stream(FileDescriptor descriptor) {
    return new PrintStream(
        new BufferedOutputStream(new FileOutputStream(descriptor), 8192), false, UTF_8);
  }

  private static Map<String, Function<Options, CommandLine>> verbs() {
    var verbs = new LinkedHashMap<String, Function<Options, CommandLine>>();
    verbs.put("up", o -> new CommandLine(new Up(o)));
    verbs.put("deploy", o -> new CommandLine(new Deploy(o)));
    verbs.put("apps", Apps::command);
    verbs.put("open", o -> new CommandLine(new Open(o)));
    verbs.put("ps", o -> new CommandLine(new Ps(o)));
    verbs.put("scale", o -> new CommandLine(new Scale(o)));
    verbs.put("restart", o -> new CommandLine(new Restart(o)));
    verbs.put("logs", o -> new CommandLine(new Logs(o)));
    verbs.put("releases", Releases::command);
    verbs.put("rollback", o -> new CommandLine(new Rollback(o)));
    verbs.put("config", Config::command);
    verbs.put("domains", Domains::command);
    verbs.put("routes", Routes::command);
    verbs.put("maintenance", Maintenance::command);
    verbs.put("policy", Policy::command);
    verbs.put("rods", Rods::command);
    verbs.put("certs", Certs::command);
    verbs.put("top", o -> new CommandLine(new Top(o)));
    verbs.put("tokens", Tokens::command);
    verbs.put("ledger", Ledger::command);
    verbs.put("info", o -> new CommandLine(new Info(o)));
    verbs.put("health", o -> new CommandLine(new Info(o)));
    verbs.put("status", o -> new CommandLine(new Info(o)));
    verbs.put("backup", o -> new CommandLine(new Backup(o)));
    verbs.put("down", o -> new CommandLine(new Down(o)));
    verbs.put("restore", o -> new CommandLine(new Restore(o)));
    verbs.put("migrate", o -> new CommandLine(new Migrate(o)));
    verbs.put("drill", o -> new CommandLine(new Drill(o)));
    verbs.put("version", o -> new CommandLine(new Version(o)));
    return verbs;
  }

  /** The command without a verb: shows the verbs. */
  @Command(
      name = "holdfast",
      synopsisSubcommandLabel = "VERB",
      description = "A self-hosted application platform that holds.",
      footer = {"", "More about a verb: holdfast VERB --help"})
  private static final class Root implements Runnable {
    @Spec CommandSpec spec = CommandSpec.create();

    @Override
    public void run() {
      spec.commandLine().usage(spec.commandLine().getOut());
    }
  }
}
