package dev.holdfast.edge;

import dev.holdfast.limits.MetricText;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.IntFunction;

/** One scrape of all lanes: adds up, then writes. Confined to one thread. */
final class MeterReport {
  private static final String SERVICE = "service";
  private static final String[] CLASSES = {"none", "1xx", "2xx", "3xx", "4xx", "5xx"};
  private static final Code[] CODES = Code.values();

  /** Of the buckets, those that a service shows: 1, 2 and 5 of each decade. */
  private static final int[] COARSE = coarse();

  private static final double[] COARSE_SECONDS = seconds(COARSE);
  private static final double[] FINE_SECONDS = seconds(fine());

  private final Map<String, long[]> counts = new TreeMap<>();
  private final Map<String, long[]> serviceTimes = new TreeMap<>();
  private final Map<String, long[]> firstBytes = new TreeMap<>();
  private final Map<String, long[]> connects = new TreeMap<>();
  private final long[][] all = new long[3][Timings.CELLS];

  MeterReport(Collection<List<Meter>> meters, Collection<Meters.Lane> lanes) {
    for (var some : meters) {
      some.forEach(this::add);
    }
    for (var lane : lanes) {
      for (int i = 0; i < all.length; i++) {
        lane.gone[i].addTo(all[i]);
      }
    }
  }

  private void add(Meter meter) {
    var sum = counts.computeIfAbsent(meter.service, _ -> new long[Meter.COUNTS]);
    for (int i = 0; i < Meter.COUNTS; i++) {
      sum[i] += meter.count(i);
    }
    add(serviceTimes, meter, meter.serviceTime, all[0]);
    add(firstBytes, meter, meter.firstByte, all[1]);
    add(connects, meter, meter.connect, all[2]);
  }

  private static void add(Map<String, long[]> sums, Meter meter, Timings times, long[] all) {
    times.addTo(sums.computeIfAbsent(meter.service, _ -> new long[Timings.CELLS]));
    times.addTo(all);
  }

  void write(MetricText out) {
    out.counter("holdfast_edge_requests", "Requests that have ended, by class of status.");
    each(Meter.STATUS, Meter.CLASSES, "status", i -> CLASSES[i], out);
    out.counter("holdfast_edge_errors", "Requests that ended with one of Heroku's codes.");
    each(Meter.CODE, Meter.CODES, "code", i -> CODES[i].name(), out);
    count(out, "holdfast_edge_received_bytes", "Body bytes from clients.", Meter.BYTES_IN);
    count(out, "holdfast_edge_sent_bytes", "Body bytes to clients.", Meter.BYTES_OUT);
    count(out, "holdfast_edge_retries", "Requests that were sent once more.", Meter.RETRIES);
    count(out, "holdfast_edge_connects", "Connections opened to endpoints.", Meter.CONNECTS);
    count(
        out,
        "holdfast_edge_connect_failures",
        "Endpoints that took no connection.",
        Meter.CONNECT_FAILURES);
    count(out, "holdfast_edge_reuses", "Requests over a connection of the pool.", Meter.REUSES);
    level(out, "holdfast_edge_requests_in_flight", "Requests under way.", Meter.IN_FLIGHT);
    level(
        out,
        "holdfast_edge_upstream_connections",
        "Connections to endpoints, idle ones counted.",
        Meter.CONNECTIONS);
    level(out, "holdfast_edge_websockets", "Tunnels that are open.", Meter.WEB_SOCKETS);
    level(out, "holdfast_edge_event_streams", "Event streams that are open.", Meter.STREAMS);
    times(out, "holdfast_edge_service_seconds", "Head read to last byte sent.", serviceTimes);
    times(out, "holdfast_edge_first_byte_seconds", "Request sent to first byte.", firstBytes);
    times(out, "holdfast_edge_connect_seconds", "To open a connection.", connects);
    out.histogram("holdfast_edge_time_seconds", "As above, all services, in finer buckets.");
    var phases = new String[] {"service", "first_byte", "connect"};
    for (int i = 0; i < all.length; i++) {
      distribution(out, FINE_SECONDS, fine(), all[i], "phase", phases[i]);
    }
  }

  private void each(int first, int count, String label, IntFunction<String> name, MetricText out) {
    counts.forEach((service, sum) -> {
      for (int i = 0; i < count; i++) {
        if (sum[first + i] > 0) {
          out.sample(sum[first + i], SERVICE, service, label, name.apply(i));
        }
      }
    });
  }

  private void count(MetricText out, String name, String help, int what) {
    out.counter(name, help);
    counts.forEach((service, sum) -> out.sample(sum[what], SERVICE, service));
  }

  private void level(MetricText out, String name, String help, int what) {
    out.gauge(name, help);
    counts.forEach((service, sum) -> out.sample(sum[what], SERVICE, service));
  }

  private static void times(MetricText out, String name, String help, Map<String, long[]> sums) {
    out.histogram(name, help);
    sums.forEach((service, sum) -> {
      if (Timings.count(sum) > 0) {
        distribution(out, COARSE_SECONDS, COARSE, sum, SERVICE, service);
      }
    });
  }

  private static void distribution(
      MetricText out, double[] bounds, int[] buckets, long[] sum, String label, String value) {
    var cumulative = new long[bounds.length];
    long below = 0;
    int next = 0;
    for (int i = 0; i < bounds.length; i++) {
      for (; next <= buckets[i]; next++) {
        below += sum[next];
      }
      cumulative[i] = below;
    }
    out.distribution(bounds, cumulative, Timings.count(sum), Timings.seconds(sum), label, value);
  }

  private static int[] coarse() {
    var some = new int[19];
    int n = 0;
    for (int i = 0; i < Timings.BOUNDS; i++) {
      if (i % 9 == 0 || i % 9 == 1 || i % 9 == 4) {
        some[n++] = i;
      }
    }
    return some;
  }

  private static int[] fine() {
    var every = new int[Timings.BOUNDS];
    for (int i = 0; i < every.length; i++) {
      every[i] = i;
    }
    return every;
  }

  private static double[] seconds(int[] buckets) {
    var seconds = new double[buckets.length];
    for (int i = 0; i < buckets.length; i++) {
      seconds[i] = Timings.boundSeconds(buckets[i]);
    }
    return seconds;
  }
}
