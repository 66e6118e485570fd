package dev.holdfast.limits;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.math.BigDecimal;
import java.util.HashSet;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * One scrape in the text format of Prometheus 0.0.4 or of OpenMetrics 1.0: a family is begun, then
 * its samples follow. Not thread-safe.
 */
public final class MetricText {
  private static final Pattern NAME = Pattern.compile("[a-z][a-z0-9_]*");
  private static final String OPEN_METRICS = "application/openmetrics-text";

  /** Longest value of a label. */
  private static final int LABEL_CHARS_MAX = 200;

  private final StringBuilder out = new StringBuilder(16 * 1024);
  private final Set<String> families = new HashSet<>();
  private final Form form;
  private String family = "";

  /** Which of the two text formats. */
  public enum Form {
    /** What Prometheus has read since 2014. */
    PROMETHEUS("text/plain; version=0.0.4; charset=utf-8"),
    /** OpenMetrics 1.0, which ends with a line of its own. */
    OPEN_METRICS("application/openmetrics-text; version=1.0.0; charset=utf-8");

    private final String contentType;

    Form(String contentType) {
      this.contentType = contentType;
    }

    /** For the field Content-Type. */
    public String contentType() {
      return contentType;
    }

    /** The form that a client with that field Accept gets; without one, Prometheus'. */
    public static Form of(@Nullable String accept) {
      return accept != null && accept.toLowerCase(Locale.ROOT).contains(MetricText.OPEN_METRICS)
          ? OPEN_METRICS
          : PROMETHEUS;
    }
  }

  /** A scrape without families. */
  public MetricText(Form form) {
    this.form = form;
  }

  /**
   * Begins a family of numbers that only grow.
   *
   * @param name without {@code _total}, which its samples get
   */
  public MetricText counter(String name, String help) {
    begin(name, form == Form.OPEN_METRICS ? name : name + "_total", "counter", help);
    family = name + "_total";
    return this;
  }

  /** Begins a family of numbers that go up and down. */
  public MetricText gauge(String name, String help) {
    begin(name, name, "gauge", help);
    return this;
  }

  /** Begins a family of distributions. */
  public MetricText histogram(String name, String help) {
    begin(name, name, "histogram", help);
    return this;
  }

  private void begin(String name, String shown, String type, String help) {
    Check.that(NAME.matcher(name).matches(), "metric", name, "a-z, 0-9 and '_'");
    Check.that(families.add(name), "metric", name, "each family once");
    out.append("# HELP ").append(shown).append(' ');
    escaped(help, false);
    out.append("\n# TYPE ").append(shown).append(' ').append(type).append('\n');
    family = name;
  }

  /**
   * A sample of the family that was begun last.
   *
   * @param labels names and values in turn
   */
  public MetricText sample(long value, String... labels) {
    line("", null, labels).append(value).append('\n');
    return this;
  }

  /** As {@link #sample(long, String...)}. */
  public MetricText sample(double value, String... labels) {
    line("", null, labels).append(number(value)).append('\n');
    return this;
  }

  /**
   * One distribution of the family that was begun last.
   *
   * @param bounds upper ends of the buckets, inclusive, growing
   * @param cumulative how many values lie at or below each bound
   * @param count of all values
   * @param sum of all values
   * @param labels names and values in turn
   */
  public MetricText distribution(
      double[] bounds, long[] cumulative, long count, double sum, String... labels) {
    for (int i = 0; i < bounds.length; i++) {
      line("_bucket", plain(bounds[i]), labels).append(cumulative[i]).append('\n');
    }
    line("_bucket", "+Inf", labels).append(count).append('\n');
    line("_sum", null, labels).append(number(sum)).append('\n');
    line("_count", null, labels).append(count).append('\n');
    return this;
  }

  private StringBuilder line(String suffix, @Nullable String bound, String... labels) {
    Check.that(!family.isEmpty(), "sample", suffix, "a family before it");
    Check.that(labels.length % 2 == 0, "labels", labels.length, "names and values in turn");
    out.append(family).append(suffix);
    char before = '{';
    for (int i = 0; i < labels.length; i += 2) {
      out.append(before).append(labels[i]).append("=\"");
      escaped(labels[i + 1], true);
      out.append('"');
      before = ',';
    }
    if (bound != null) {
      out.append(before).append("le=\"").append(bound).append('"');
      before = ',';
    }
    return out.append(before == ',' ? "} " : " ");
  }

  private void escaped(String text, boolean label) {
    int length = label ? Math.min(text.length(), LABEL_CHARS_MAX) : text.length();
    for (int i = 0; i < length; i++) {
      char c = text.charAt(i);
      if (c == '\\') {
        out.append("\\\\");
      } else if (c == '\n') {
        out.append("\\n");
      } else if (c == '"' && label) {
        out.append("\\\"");
      } else {
        out.append(c);
      }
    }
  }

  private static String plain(double bound) {
    return BigDecimal.valueOf(bound).stripTrailingZeros().toPlainString();
  }

  private static String number(double value) {
    if (Double.isNaN(value)) {
      return "NaN";
    }
    if (Double.isInfinite(value)) {
      return value > 0 ? "+Inf" : "-Inf";
    }
    return value == Math.rint(value) && Math.abs(value) < 1e15
        ? Long.toString((long) value)
        : Double.toString(value);
  }

  /** The scrape, which ends with this. */
  public byte[] bytes() {
    if (form == Form.OPEN_METRICS) {
      out.append("# EOF\n");
    }
    return out.toString().getBytes(UTF_8);
  }
}
