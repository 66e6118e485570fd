package dev.holdfast.drills;

import java.util.Map;
import java.util.TreeMap;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/** A verdict for programs. */
final class ReportJson {
  private ReportJson() {}

  /** One JSON object; numbers that are none, such as a latency of nobody, are null. */
  static String of(Drill drill, Verdict verdict, String endedAt, Map<String, String> machine) {
    var mapper = JsonMapper.shared();
    var out = mapper.createObjectNode();
    out.put("drill", verdict.drill()).put("harm", drill.harm());
    out.put("profile", verdict.profile().word()).put("form", verdict.form().word());
    out.put("seed", verdict.seed()).put("ended", endedAt).put("repeat", verdict.repeat());
    out.put("held", verdict.broken().isEmpty()).put("asExpected", verdict.asExpected());
    put(out, "lateMillis", verdict.lateMillis());
    out.put("void", verdict.isVoid());
    var all = out.putArray("promises");
    for (var promise : verdict.promises()) {
      var one = all.addObject().put("name", promise.name());
      put(one, "measured", promise.measured());
      put(one, "limit", promise.limit());
      one.put("atMost", promise.atMost())
          .put("unit", promise.unit())
          .put("judged", promise.judged())
          .put("held", promise.held());
    }
    var said = out.putObject("numbers");
    new TreeMap<>(verdict.numbers()).forEach(said::put);
    var facts = out.putObject("machine");
    machine.forEach(facts::put);
    course(out.putObject("course"), verdict.course());
    return mapper.writerWithDefaultPrettyPrinter().writeValueAsString(out) + "\n";
  }

  private static void course(ObjectNode out, Course course) {
    put(out, "seconds", course.seconds());
    var harm = out.putArray("harm");
    for (var span : course.spans()) {
      var one = harm.addObject().put("what", span.what());
      put(one, "from", span.from());
      put(one, "to", span.to());
    }
    var groups = out.putArray("groups");
    for (var group : course.groups()) {
      var seconds = groups.addObject().put("name", group.name()).putArray("seconds");
      for (var second : group.seconds()) {
        var one =
            seconds
                .addObject()
                .put("offered", second.offered())
                .put("tries", second.tries())
                .put("good", second.good())
                .put("refused", second.refused())
                .put("failed", second.failed())
                .put("late", second.late());
        put(one, "p50Millis", second.p50());
        put(one, "p90Millis", second.p90());
        put(one, "p99Millis", second.p99());
        put(one, "mostMillis", second.most());
      }
    }
    var tracks = out.putArray("tracks");
    for (var track : course.tracks()) {
      var points =
          tracks
              .addObject()
              .put("panel", track.panel())
              .put("name", track.name())
              .putArray("points");
      for (var point : track.points()) {
        var one = points.addArray().add(point.at());
        if (Double.isFinite(point.value())) {
          one.add(point.value());
        } else {
          one.addNull();
        }
      }
    }
  }

  private static void put(ObjectNode out, String name, double value) {
    if (Double.isFinite(value)) {
      out.put(name, value);
    } else {
      out.putNull(name);
    }
  }
}
