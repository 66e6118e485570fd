package dev.holdfast.drills;

import dev.holdfast.drills.Course.Point;
import dev.holdfast.drills.Course.Span;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * One panel of a report as inline SVG: lines over seconds, with the harm as marked spans behind
 * them. All panels of a page have the same width and the same time axis. Confined to one thread.
 */
final class Plot {
  private static final int WIDTH = 880;
  private static final int LEFT = 58;
  private static final int RIGHT = 14;
  private static final int LABEL_LINES = 2;
  private static final int LABEL_HEIGHT = 14;
  private static final int TOP = 6 + LABEL_LINES * LABEL_HEIGHT;
  private static final int HEIGHT = 140;
  private static final int BOTTOM = 24;
  private static final int LINES = 4;
  private static final int TICKS = 11;
  private static final int LABEL_CHARS = 6; // pixels that one character of a label takes
  private static final double LEAST_MILLIS = 0.1;

  /** What a line is drawn from. */
  private record Line(String name, String style, boolean steps, List<Point> points) {}

  private final String title;
  private final double seconds;
  private final boolean logarithmic;
  private final List<Span> spans;
  private final List<Line> lines = new ArrayList<>();
  private double low;
  private double high;

  /**
   * An empty panel.
   *
   * @param title with the unit
   * @param seconds length of the time axis
   * @param logarithmic whether each line of the grid is ten times the one below
   * @param spans harm
   */
  Plot(String title, double seconds, boolean logarithmic, List<Span> spans) {
    this.title = title;
    this.seconds = Math.max(1, seconds);
    this.logarithmic = logarithmic;
    this.spans = spans;
  }

  /** Adds a line that goes from point to point; it is broken where a value is not a number. */
  Plot line(String name, String style, List<Point> points) {
    lines.add(new Line(name, style, false, points));
    return this;
  }

  /** Adds a line of values of whole seconds. */
  Plot steps(String name, String style, List<Double> values) {
    var points = new ArrayList<Point>();
    for (int i = 0; i < values.size(); i++) {
      points.add(new Point(i, values.get(i)));
    }
    lines.add(new Line(name, style, true, points));
    return this;
  }

  /** Heading, legend and picture. */
  String html() {
    scale();
    var out = new StringBuilder();
    out.append("<figure><figcaption><b>").append(Html.text(title)).append("</b>");
    for (var line : lines) {
      out.append(" <span class=\"key ").append(line.style()).append("\">");
      out.append(Html.text(line.name())).append(nothing(line) ? " 0" : "").append("</span>");
    }
    out.append("</figcaption><div class=\"plot\">");
    out.append(
        "<svg viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"%s\">"
            .formatted(WIDTH, TOP + HEIGHT + BOTTOM, Html.text(title)));
    harm(out);
    grid(out);
    for (var line : lines.reversed()) { // the first lies above the others
      if (!nothing(line)) {
        draw(out, line);
      }
    }
    return out.append("</svg></div></figure>\n").toString();
  }

  /** Whether the line says nothing that its legend cannot say: steps that are all 0. */
  private static boolean nothing(Line line) {
    return line.steps() && line.points().stream().allMatch(point -> point.value() == 0);
  }

  private void scale() {
    double most = 0;
    double least = Double.MAX_VALUE;
    for (var line : lines) {
      for (var point : line.points()) {
        if (Double.isFinite(point.value())) {
          most = Math.max(most, point.value());
          least = Math.min(least, point.value());
        }
      }
    }
    if (logarithmic) {
      low = Math.pow(10, Math.floor(Math.log10(Math.max(LEAST_MILLIS, Math.min(least, most)))));
      high = Math.max(10 * low, Math.pow(10, Math.ceil(Math.log10(Math.max(most, low)))));
    } else {
      low = 0;
      high = nice(Math.max(most, 1) / LINES) * LINES;
    }
  }

  /** The next larger number of 1, 2, 2.5 or 5 times a power of ten. */
  static double nice(double value) {
    double power = Math.pow(10, Math.floor(Math.log10(value)));
    for (double step : new double[] {1, 2, 2.5, 5}) {
      if (value <= step * power * (1 + 1e-9)) {
        return step * power;
      }
    }
    return 10 * power;
  }

  private double x(double at) {
    return LEFT + Math.clamp(at / seconds, 0, 1) * (WIDTH - LEFT - RIGHT);
  }

  private double y(double value) {
    double share =
        logarithmic
            ? Math.log10(Math.max(value, low) / low) / Math.log10(high / low)
            : (value - low) / (high - low);
    return TOP + HEIGHT * (1 - Math.clamp(share, 0, 1));
  }

  private void harm(StringBuilder out) {
    var ends = new double[LABEL_LINES]; // how far the labels of each line reach
    for (var span : spans) {
      double from = x(span.from());
      double to = Math.max(x(span.to()), from + 1);
      out.append("<g class=\"harm\"><title>").append(Html.text(said(span))).append("</title>");
      out.append(
          say(
              "<rect x=\"%.1f\" y=\"%d\" width=\"%.1f\" height=\"%d\"/>",
              from, TOP, to - from, HEIGHT));
      out.append(say("<path d=\"M%.1f %dV%d\"/>", from, TOP, TOP + HEIGHT));
      double width = LABEL_CHARS * span.what().length();
      double at = Math.min(from, WIDTH - RIGHT - width);
      for (int line = 0; line < LABEL_LINES; line++) {
        if (at >= ends[line]) { // where no line has room, the tooltip says it
          int y = TOP - 6 - line * LABEL_HEIGHT;
          out.append(say("<text x=\"%.1f\" y=\"%d\">%s</text>", at, y, Html.text(span.what())));
          ends[line] = at + width + LABEL_CHARS;
          break;
        }
      }
      out.append("</g>");
    }
  }

  private static String said(Span span) {
    return say("%s, %.1f s to %.1f s", span.what(), span.from(), span.to());
  }

  private void grid(StringBuilder out) {
    out.append("<g class=\"grid\">");
    if (logarithmic) {
      for (double value = low; value <= high * 1.001; value *= 10) {
        rule(out, value);
      }
    } else {
      for (int i = 0; i <= LINES; i++) {
        rule(out, high * i / LINES);
      }
    }
    double step = Math.max(1, nice(seconds / TICKS));
    for (double at = 0; at <= seconds; at += step) {
      out.append(
          say(
              "<path d=\"M%.1f %dv4\"/><text class=\"t\" x=\"%.1f\" y=\"%d\">%s s</text>",
              x(at), TOP + HEIGHT, x(at), TOP + HEIGHT + 17, number(at)));
    }
    out.append("</g>");
  }

  private void rule(StringBuilder out, double value) {
    out.append(
        say(
            "<path d=\"M%d %.1fH%d\"/><text x=\"%d\" y=\"%.1f\">%s</text>",
            LEFT, y(value), WIDTH - RIGHT, LEFT - 7, y(value) + 4, number(value)));
  }

  private void draw(StringBuilder out, Line line) {
    var path = new StringBuilder();
    boolean drawing = false;
    for (var point : line.points()) {
      if (!Double.isFinite(point.value())) {
        drawing = false;
        continue;
      }
      path.append(say("%s%.1f %.1f", drawing ? "L" : "M", x(point.at()), y(point.value())));
      if (line.steps()) {
        path.append(say("H%.1f", x(point.at() + 1)));
      }
      drawing = true;
    }
    if (!path.isEmpty()) {
      out.append("<path class=\"line ").append(line.style()).append("\" d=\"").append(path);
      out.append("\"><title>").append(Html.text(line.name())).append("</title></path>");
    }
  }

  /** A number of an axis, as short as it can be. */
  private static String number(double value) {
    if (value >= 1e6) {
      return trimmed(value / 1e6) + "M";
    }
    return value >= 10_000 ? trimmed(value / 1e3) + "k" : trimmed(value);
  }

  private static String trimmed(double value) {
    var text = say("%.2f", value);
    return text.replaceAll("\\.?0+$", "");
  }

  @SuppressWarnings("AnnotateFormatMethod") // formats are constants of this class
  private static String say(String format, Object... values) {
    return String.format(Locale.ROOT, format, values);
  }
}
