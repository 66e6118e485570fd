package dev.holdfast.drills;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.holdfast.drills.Course.Second;
import dev.holdfast.limits.Time;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.ToDoubleFunction;

/**
 * A verdict as one page for people, which needs nothing but itself: no script, no font and no
 * picture from elsewhere. The numbers behind it are {@link ReportJson}. Immutable.
 */
final class Report {
  private static final String STYLE = "report.css";
  private static final int TRACK_STYLES = 6;

  private final Drill drill;
  private final Verdict verdict;
  private final String endedAt;
  private final Map<String, String> machine;

  Report(Drill drill, Verdict verdict) {
    this.drill = drill;
    this.verdict = verdict;
    endedAt = Time.system().now().truncatedTo(ChronoUnit.SECONDS).toString();
    machine = Machine.facts();
  }

  /** Writes the page and the numbers into a directory; answers where the page is. */
  Path write(Path directory) throws IOException {
    Files.createDirectories(directory);
    var name =
        verdict.drill()
            + "-"
            + verdict.profile().word()
            + (verdict.form().isLong() ? "" : "-" + verdict.form().word());
    Files.writeString(
        directory.resolve(name + ".json"), ReportJson.of(drill, verdict, endedAt, machine));
    var page = directory.resolve(name + ".html");
    Files.writeString(page, html());
    return page;
  }

  String html() {
    var out = new StringBuilder();
    var title = verdict.drill() + ", " + verdict.profile().word();
    out.append("<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">");
    out.append("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">");
    out.append("<meta name=\"color-scheme\" content=\"light dark\">");
    out.append("<title>").append(Html.text(title + ": " + state())).append("</title>\n<style>");
    out.append(style()).append("</style></head>\n<body><main>\n");
    head(out);
    promises(out);
    plots(out);
    table(out, "What was seen", new TreeMap<>(verdict.numbers()));
    var run = new LinkedHashMap<String, String>();
    run.put("profile", verdict.profile().word());
    run.put("form", verdict.form().word());
    run.put("seed", Long.toString(verdict.seed()));
    run.put("ended", endedAt);
    run.putAll(machine);
    table(out, "This run", run);
    out.append("<section><h2>Once more</h2><pre>").append(Html.text(verdict.repeat()));
    out.append("</pre></section>\n");
    seconds(out);
    return out.append("</main></body></html>\n").toString();
  }

  private String state() {
    long broken = verdict.broken().size();
    if (verdict.isVoid()) {
      return "void";
    }
    return broken == 0 ? "held" : broken == 1 ? "1 promise broken" : broken + " promises broken";
  }

  private void head(StringBuilder out) {
    var kind = verdict.isVoid() ? "void" : verdict.broken().isEmpty() ? "held" : "broken";
    out.append("<header><p class=\"over\">Holdfast drill</p><h1>")
        .append(Html.text(verdict.drill()))
        .append(" <span class=\"badge ")
        .append(kind)
        .append("\">")
        .append(Html.text(state()))
        .append("</span></h1><p class=\"harm-line\">Harm: ")
        .append(Html.text(drill.harm()))
        .append(".</p><p>")
        .append(Html.text(meaning()))
        .append("</p></header>\n");
  }

  /** What the outcome means on this side. */
  private String meaning() {
    if (verdict.isVoid()) {
      return String.format(
          Locale.ROOT,
          "The load itself was %.0f ms late at the 99th percentile (at most %.0f ms may be): the"
              + " machine was too busy for these numbers to mean anything.",
          verdict.lateMillis(),
          Verdict.LATE_MILLIS_MAX);
    }
    boolean held = verdict.broken().isEmpty();
    return switch (verdict.profile()) {
      case PROTECTED ->
          held
              ? "Protected, as the platform is meant to run: every promise has to hold, and did."
              : "Protected, as the platform is meant to run: every promise has to hold, and this"
                  + " one did not.";
      case NAIVE ->
          !verdict.hasNaiveSide()
              ? "This drill has no naive side: what defends the platform cannot be switched off."
              : held
                  ? "Naive, with the defence switched off: a promise has to break, and none did, so"
                      + " this run proves nothing."
                  : "Naive, with the defence switched off: a promise has to break, and did. This is"
                      + " what the outage looked like.";
    };
  }

  private void promises(StringBuilder out) {
    out.append("<section><h2>Promises</h2><ul class=\"promises\">");
    for (var promise : verdict.promises()) {
      var kind = !promise.judged() ? "unjudged" : promise.held() ? "held" : "broken";
      out.append("<li class=\"").append(kind).append("\"><span class=\"badge ").append(kind);
      out.append("\">").append(kind.equals("unjudged") ? "not judged" : kind).append("</span>");
      out.append("<span class=\"what\">").append(Html.text(promise.name())).append("</span>");
      out.append("<span class=\"measured\">").append(Html.text(number(promise.measured())));
      if (Double.isFinite(promise.measured())) {
        out.append(" ").append(Html.text(promise.unit()));
      }
      out.append("</span>");
      out.append("<span class=\"limit\">").append(promise.atMost() ? "at most " : "at least ");
      out.append(Html.text(number(promise.limit()))).append("</span></li>");
    }
    out.append("</ul></section>\n");
  }

  static String number(double value) {
    if (Double.isNaN(value)) {
      return "nothing";
    }
    if (Double.isInfinite(value)) {
      return "never";
    }
    if (value == Math.rint(value) && Math.abs(value) < 1e9) {
      return String.format(Locale.ROOT, "%,d", (long) value);
    }
    return String.format(Locale.ROOT, Math.abs(value) >= 100 ? "%,.0f" : "%.3g", value);
  }

  // ---- pictures

  private void plots(StringBuilder out) {
    var course = verdict.course();
    if (course.groups().isEmpty() && course.tracks().isEmpty()) {
      return;
    }
    out.append("<section><h2>Over time</h2>");
    for (var group : course.groups()) {
      var name = course.groups().size() > 1 ? ", " + group.name() : "";
      out.append(requests(group, "Requests per second" + name));
      out.append(latencies(group, "Latency of good answers" + name + ", ms"));
    }
    var panels = new LinkedHashMap<String, List<Course.Track>>();
    for (var track : course.tracks()) {
      panels.computeIfAbsent(track.panel(), _ -> new ArrayList<>()).add(track);
    }
    panels.forEach((panel, tracks) -> {
      var plot = new Plot(panel, course.seconds(), false, course.spans());
      for (int i = 0; i < tracks.size(); i++) {
        plot.line(tracks.get(i).name(), "t" + i % TRACK_STYLES, tracks.get(i).points());
      }
      out.append(plot.html());
    });
    out.append("</section>\n");
  }

  private String requests(Course.Group group, String title) {
    var plot = new Plot(title, verdict.course().seconds(), false, verdict.course().spans());
    plot.steps("offered", "offered", values(group, Second::offered));
    plot.steps("good", "good", values(group, Second::good));
    plot.steps("refused", "refused", values(group, Second::refused));
    plot.steps("failed", "failed", values(group, Second::failed));
    plot.steps("too late", "late", values(group, Second::late));
    return plot.html();
  }

  private String latencies(Course.Group group, String title) {
    var plot = new Plot(title, verdict.course().seconds(), true, verdict.course().spans());
    plot.steps("p50", "p50", values(group, Second::p50));
    plot.steps("p90", "p90", values(group, Second::p90));
    plot.steps("p99", "p99", values(group, Second::p99));
    plot.steps("most", "most", values(group, Second::most));
    return plot.html();
  }

  private static List<Double> values(Course.Group group, ToDoubleFunction<Second> value) {
    return group.seconds().stream().mapToDouble(value).boxed().toList();
  }

  // ---- tables

  private static void table(StringBuilder out, String title, Map<String, String> rows) {
    if (rows.isEmpty()) {
      return;
    }
    out.append("<section><h2>").append(Html.text(title)).append("</h2><dl>");
    rows.forEach((name, value) -> {
      out.append("<dt>").append(Html.text(name)).append("</dt>");
      out.append("<dd>").append(Html.text(value)).append("</dd>");
    });
    out.append("</dl></section>\n");
  }

  private void seconds(StringBuilder out) {
    for (var group : verdict.course().groups()) {
      out.append("<details><summary>Second by second: ").append(Html.text(group.name()));
      out.append("</summary><div class=\"plot\"><table><thead><tr><th>s</th><th>offered</th>");
      out.append("<th>tries</th><th>good</th><th>refused</th><th>failed</th><th>too late</th>");
      out.append("<th>p50 ms</th><th>p90 ms</th><th>p99 ms</th><th>most ms</th></tr></thead>");
      out.append("<tbody>\n");
      for (int i = 0; i < group.seconds().size(); i++) {
        var second = group.seconds().get(i);
        out.append("<tr><td>").append(i).append("</td>");
        for (long count :
            new long[] {
              second.offered(),
              second.tries(),
              second.good(),
              second.refused(),
              second.failed(),
              second.late()
            }) {
          out.append("<td>").append(count).append("</td>");
        }
        for (double millis :
            new double[] {second.p50(), second.p90(), second.p99(), second.most()}) {
          out.append("<td>").append(Double.isNaN(millis) ? "" : number(millis)).append("</td>");
        }
        out.append("</tr>\n");
      }
      out.append("</tbody></table></div></details>\n");
    }
  }

  private static String style() {
    try (var in = Report.class.getResourceAsStream(STYLE)) {
      if (in == null) {
        throw new IllegalStateException(STYLE + " is not on the class path");
      }
      return new String(in.readAllBytes(), UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
