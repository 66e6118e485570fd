package dev.holdfast.limits;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

class MetricTextTest {
  private static String write(MetricText.Form form, MetricSource source) {
    var text = new MetricText(form);
    source.write(text);
    return new String(text.bytes(), UTF_8);
  }

  @Test
  void writesBothFormsAsTheirReadersWantThem() {
    MetricSource source =
        out -> {
          out.counter("a_requests", "Requests.").sample(3, "service", "x").sample(4);
          out.gauge("a_lag_seconds", "Lag.").sample(0.25);
        };
    assertThat(write(MetricText.Form.PROMETHEUS, source))
        .isEqualTo(
            """
            # HELP a_requests_total Requests.
            # TYPE a_requests_total counter
            a_requests_total{service="x"} 3
            a_requests_total 4
            # HELP a_lag_seconds Lag.
            # TYPE a_lag_seconds gauge
            a_lag_seconds 0.25
            """);
    assertThat(write(MetricText.Form.OPEN_METRICS, source))
        .contains("# TYPE a_requests counter\na_requests_total{service=\"x\"} 3\n")
        .endsWith("\na_lag_seconds 0.25\n# EOF\n");
  }

  @Test
  void writesDistributionsWithCumulativeBuckets() {
    var bounds = new double[] {0.0001, 0.5, 20};
    assertThat(
            write(
                MetricText.Form.PROMETHEUS,
                out ->
                    out.histogram("a_seconds", "Time.")
                        .distribution(bounds, new long[] {1, 2, 2}, 3, 42.5, "service", "x")))
        .isEqualTo(
            """
            # HELP a_seconds Time.
            # TYPE a_seconds histogram
            a_seconds_bucket{service="x",le="0.0001"} 1
            a_seconds_bucket{service="x",le="0.5"} 2
            a_seconds_bucket{service="x",le="20"} 2
            a_seconds_bucket{service="x",le="+Inf"} 3
            a_seconds_sum{service="x"} 42.5
            a_seconds_count{service="x"} 3
            """);
  }

  @Test
  void letsNoLabelEndItsQuotes() {
    assertThat(
            write(
                MetricText.Form.PROMETHEUS,
                out -> out.gauge("a", "A \"b\"\\\n.").sample(1, "l", "\"} 5\n\\")))
        .isEqualTo("# HELP a A \"b\"\\\\\\n.\n# TYPE a gauge\na{l=\"\\\"} 5\\n\\\\\"} 1\n");
  }

  @Test
  void refusesWhatNoReaderTakes() {
    var text = new MetricText(MetricText.Form.PROMETHEUS);
    assertThatThrownBy(() -> text.sample(1)).hasMessageContaining("expected: a family before it");
    text.gauge("a", "A.");
    assertThatThrownBy(() -> text.gauge("a", "A.")).hasMessageContaining("each family once");
    assertThatThrownBy(() -> text.gauge("a-b", "A.")).hasMessageContaining("metric: a-b");
    assertThatThrownBy(() -> text.sample(1, "x")).hasMessageContaining("names and values in turn");
  }

  @Test
  void picksTheFormThatIsAskedFor() {
    assertThat(MetricText.Form.of(null)).isEqualTo(MetricText.Form.PROMETHEUS);
    assertThat(MetricText.Form.of("text/plain;version=0.0.4;q=0.3,*/*;q=0.1"))
        .isEqualTo(MetricText.Form.PROMETHEUS);
    assertThat(MetricText.Form.of("application/OpenMetrics-text;version=1.0.0,text/plain;q=0.5"))
        .isEqualTo(MetricText.Form.OPEN_METRICS);
  }
}
