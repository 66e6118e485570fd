package dev.holdfast.cli;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/**
 * {@code holdfast routes import}: reads and checks the whole file before it sends any of it. Routes
 * are full states, so importing the same file again changes nothing.
 */
@Command(
    name = "import",
    description = {
      "Import routes from a file, or from standard input with '-'.",
      "Each line is: HOST ADDRESS. Blank lines and lines after '#' are left out."
    })
final class RoutesImport extends Verb {
  static final int BATCH = 1000;
  static final int LINES_MAX = 1_000_000;
  private static final int ERRORS_SHOWN = 10;

  @Parameters(paramLabel = "FILE", description = "The file, or - for standard input.")
  String file = "";

  RoutesImport(Options options) {
    super(options);
  }

  @Override
  void run(Screen screen, Api api) throws InterruptedException {
    var routes = read();
    if (routes.isEmpty()) {
      throw new Refused(Text.oneLine(file) + " has no routes (expected: lines of HOST ADDRESS).");
    }
    var what = "Importing " + Text.count(routes.size(), "route");
    screen.action(what, () -> send(screen, api, what, routes));
  }

  private static String send(Screen screen, Api api, String what, List<RouteLine> routes)
      throws InterruptedException {
    long added = 0;
    long changed = 0;
    long unchanged = 0;
    for (int from = 0; from < routes.size(); from += BATCH) {
      var batch = routes.subList(from, Math.min(routes.size(), from + BATCH));
      var body = Json.object();
      var items = body.putArray("routes");
      batch.forEach(route -> items.addObject().put("host", route.host()).put("to", route.to()));
      try {
        // A repeated batch is a batch of unchanged routes: safe without a key.
        var answer = api.insist(Call.of("POST", "/v1/routes/import", body));
        added += Json.number(answer, "added", 0);
        changed += Json.number(answer, "changed", 0);
        unchanged += Json.number(answer, "unchanged", 0);
      } catch (Refused e) {
        throw new Refused(
            e.sentence()
                + "\n"
                + from
                + " of "
                + Text.count(routes.size(), "route")
                + " are in; importing the file again is safe.");
      }
      screen.progress(what, from + batch.size() + " sent,");
    }
    screen.json(
        Json.object().put("added", added).put("changed", changed).put("unchanged", unchanged));
    return "done, %d added, %d changed, %d unchanged".formatted(added, changed, unchanged);
  }

  private List<RouteLine> read() {
    var shell = options.shell();
    try (var in =
        file.equals("-") ? shell.in() : Files.newInputStream(shell.folder().resolve(file))) {
      return parse(in, file.equals("-") ? "standard input" : Text.oneLine(file));
    } catch (NoSuchFileException e) {
      throw new Refused("There is no file " + Text.oneLine(file) + ".");
    } catch (IOException e) {
      throw new Refused("Cannot read " + Text.oneLine(file) + ": " + e);
    }
  }

  /** The routes in order; every bad line is named, the first {@link #ERRORS_SHOWN} in full. */
  static List<RouteLine> parse(InputStream in, String name) throws IOException {
    var routes = new ArrayList<RouteLine>();
    var errors = new ArrayList<String>();
    var seen = new HashMap<String, Integer>();
    var reader = new BufferedReader(new InputStreamReader(in, UTF_8));
    int number = 0;
    for (String line; (line = reader.readLine()) != null; ) {
      if (++number > LINES_MAX) {
        throw new Refused(name + " has more than " + LINES_MAX + " lines.");
      }
      int comment = line.indexOf('#');
      var text = (comment < 0 ? line : line.substring(0, comment)).strip();
      if (text.isEmpty()) {
        continue;
      }
      try {
        var route = parse(text);
        var earlier = seen.putIfAbsent(route.host(), number);
        if (earlier != null) {
          throw new Refused(route.host() + " stands in line " + earlier + " already");
        }
        routes.add(route);
      } catch (Refused e) {
        errors.add(name + ":" + number + ": " + e.sentence());
      }
    }
    if (!errors.isEmpty()) {
      int shown = Math.min(errors.size(), ERRORS_SHOWN);
      var more = errors.size() > shown ? "\nand " + (errors.size() - shown) + " more" : "";
      throw new Refused(
          String.join("\n", errors.subList(0, shown)) + more + "\nNothing was imported.");
    }
    return routes;
  }

  private static RouteLine parse(String text) {
    var words = text.split("\\s+", -1);
    if (words.length != 2) {
      throw new Refused(
          Refused.sentence("line", text, "HOST ADDRESS, such as www.example.org 127.0.0.1:3000"));
    }
    return RouteLine.checked(words[0], words[1]);
  }
}
