package dev.holdfast.server;

import dev.holdfast.limits.MetricSource;
import dev.holdfast.limits.MetricText;
import dev.holdfast.limits.Supervised;
import dev.holdfast.limits.Supervised.State;
import dev.holdfast.server.Shapes.PartList;
import dev.holdfast.server.Shapes.PartShape;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.TreeMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Supplier;

/** How the background parts of this process are, wherever they live. Thread-safe. */
final class Supervision implements MetricSource {
  private final CopyOnWriteArrayList<Supplier<List<Supervised>>> rooms =
      new CopyOnWriteArrayList<>();

  /** Shows these, too; asked anew each time. */
  void show(Supplier<List<Supervised>> parts) {
    rooms.add(parts);
  }

  /** All of them, in order of name. */
  List<Supervised.Report> reports() {
    var all = new ArrayList<Supervised.Report>();
    for (var room : rooms) {
      room.get().forEach(part -> all.add(part.report()));
    }
    all.sort(Comparator.comparing(Supervised.Report::name));
    return all;
  }

  List<Operation> operations() {
    return List.of(
        Operation.get(
            "/v1/parts",
            "Lists the platform's own background parts and how they are.",
            PartList.class,
            _ -> new PartList(reports().stream().map(PartShape::of).toList())));
  }

  @Override
  public void write(MetricText out) {
    var reports = reports();
    out.gauge("holdfast_parts", "Background parts of the platform by state.");
    for (var state : State.values()) {
      out.sample(
          reports.stream().filter(report -> report.state() == state).count(),
          "state",
          state.word());
    }
    out.counter("holdfast_part_starts", "How often a background part was started.");
    var starts = new TreeMap<String, Long>(); // two may have one name
    reports.forEach(report -> starts.merge(report.name(), report.starts(), Long::sum));
    starts.forEach((part, count) -> out.sample(count, "part", part));
  }
}
