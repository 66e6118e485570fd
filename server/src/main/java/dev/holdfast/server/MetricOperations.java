package dev.holdfast.server;

import dev.holdfast.limits.MetricSource;
import dev.holdfast.limits.MetricText;
import io.javalin.http.Context;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What a scraper gets. Thread-safe. */
final class MetricOperations {
  private final List<MetricSource> sources;

  MetricOperations(List<MetricSource> sources) {
    this.sources = List.copyOf(sources);
  }

  List<Operation> all() {
    return List.of(
        Operation.get(
                "/metrics",
                "All numbers, in Prometheus' text format or, when asked for, OpenMetrics'.",
                String.class,
                this::scrape)
            .as(Operation.Access.CALL, "text/plain"));
  }

  private @Nullable Object scrape(Context context) {
    var form = MetricText.Form.of(context.header("Accept"));
    var text = new MetricText(form);
    for (var source : sources) {
      source.write(text);
    }
    context.status(200).contentType(form.contentType()).result(text.bytes());
    return null;
  }
}
