package dev.holdfast.edge;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.management.ThreadMXBean;
import dev.holdfast.limits.MetricText;
import java.lang.management.ManagementFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class MetersTest {
  private static final long MILLI = 1_000_000;

  private static String scrape(Meters meters) {
    var text = new MetricText(MetricText.Form.PROMETHEUS);
    meters.write(text);
    return new String(text.bytes(), UTF_8);
  }

  @Test
  void addsUpWhatAllLoopsCount() {
    var meters = new Meters(MetersConfig.defaults());
    for (int i = 0; i < 2; i++) {
      var meter = meters.lane().meter("app");
      meter.begun();
      meter.begun();
      meter.ended(200, null, 10, 100, 3 * MILLI);
      meter.begun();
      meter.ended(503, Code.H12, 1, 2, 30_000 * MILLI);
      meter.connected(MILLI / 10);
      meter.connectFailed();
      meter.reused();
      meter.retried();
      meter.connection(3);
      meter.webSocket(2);
      meter.webSocket(-1);
      meter.stream(1);
      meter.firstByte(2 * MILLI);
    }
    assertThat(scrape(meters))
        .contains("\nholdfast_edge_requests_total{service=\"app\",status=\"2xx\"} 2\n")
        .contains("\nholdfast_edge_requests_total{service=\"app\",status=\"5xx\"} 2\n")
        .contains("\nholdfast_edge_errors_total{service=\"app\",code=\"H12\"} 2\n")
        .contains("\nholdfast_edge_received_bytes_total{service=\"app\"} 22\n")
        .contains("\nholdfast_edge_sent_bytes_total{service=\"app\"} 204\n")
        .contains("\nholdfast_edge_requests_in_flight{service=\"app\"} 2\n")
        .contains("\nholdfast_edge_upstream_connections{service=\"app\"} 6\n")
        .contains("\nholdfast_edge_websockets{service=\"app\"} 2\n")
        .contains("\nholdfast_edge_event_streams{service=\"app\"} 2\n")
        .contains("\nholdfast_edge_retries_total{service=\"app\"} 2\n")
        .contains("\nholdfast_edge_connects_total{service=\"app\"} 2\n")
        .contains("\nholdfast_edge_connect_failures_total{service=\"app\"} 2\n")
        .contains("\nholdfast_edge_reuses_total{service=\"app\"} 2\n")
        .contains("\nholdfast_edge_service_seconds_bucket{service=\"app\",le=\"0.002\"} 0\n")
        .contains("\nholdfast_edge_service_seconds_bucket{service=\"app\",le=\"0.005\"} 2\n")
        .contains("\nholdfast_edge_service_seconds_bucket{service=\"app\",le=\"50\"} 4\n")
        .contains("\nholdfast_edge_service_seconds_sum{service=\"app\"} 60.006\n")
        .contains("\nholdfast_edge_first_byte_seconds_bucket{service=\"app\",le=\"0.002\"} 2\n")
        .contains("\nholdfast_edge_connect_seconds_bucket{service=\"app\",le=\"0.0001\"} 2\n")
        .contains("\nholdfast_edge_time_seconds_bucket{phase=\"service\",le=\"0.003\"} 2\n")
        .contains("\nholdfast_edge_time_seconds_count{phase=\"connect\"} 2\n")
        .doesNotContain("status=\"4xx\"", "code=\"H13\"");
  }

  @ParameterizedTest
  @CsvSource({
    "0, 0.0001",
    "100, 0.0001",
    "101, 0.0002",
    "900, 0.0009",
    "901, 0.001",
    "1000, 0.001",
    "1001, 0.002",
    "99999999, 100",
    "100000000, 100",
    "100000001, +Inf",
    "9000000000, +Inf"
  })
  void putsATimeInTheFirstBucketThatHoldsIt(long micros, String bound) {
    var timings = new Timings();
    timings.record(1000 * micros);
    var sum = new long[Timings.CELLS];
    timings.addTo(sum);
    int bucket = 0;
    while (sum[bucket] == 0) {
      bucket++;
    }
    assertThat(bucket == Timings.BOUNDS).isEqualTo(bound.equals("+Inf"));
    if (bucket < Timings.BOUNDS) {
      assertThat(Timings.boundSeconds(bucket)).isEqualTo(Double.parseDouble(bound));
    }
    assertThat(Timings.count(sum)).isEqualTo(1);
    assertThat(Timings.seconds(sum)).isEqualTo(micros / 1e6);
  }

  @Test
  void boundsHowManyServicesHaveNumbersOfTheirOwn() {
    var meters = new Meters(new MetersConfig(2));
    var lane = meters.lane();
    var second = meters.lane();
    assertThat(lane.meter("a").service).isEqualTo("a");
    assertThat(second.meter("b").service).isEqualTo("b");
    assertThat(lane.meter("c").service).isEqualTo(Meters.OTHER);
    assertThat(lane.meter("b").service).isEqualTo("b");
    assertThat(lane.meter(null).service).isEqualTo(Meters.NONE);
    assertThat(lane.meter("a")).isSameAs(lane.meter("a")).isNotSameAs(second.meter("a"));
    assertThat(scrape(meters)).doesNotContain("service=\"c\"").contains("service=\"_other\"");
  }

  @Test
  void givesTheRoomOfServicesThatAreGoneBackOnceTheyAreIdle() {
    var meters = new Meters(new MetersConfig(1));
    var lane = meters.lane();
    var gone = lane.meter("gone");
    gone.begun();
    meters.retire(service -> !service.equals("gone"));
    lane.sweep();
    assertThat(scrape(meters)).contains("service=\"gone\"");
    gone.ended(200, null, 0, 0, MILLI);
    lane.sweep();
    assertThat(scrape(meters))
        .doesNotContain("service=\"gone\"")
        .contains("holdfast_edge_time_seconds_count{phase=\"service\"} 1\n");
    assertThat(lane.meter("next").service).isEqualTo("next");
  }

  @Test
  void findsEachOfManyServicesAgain() {
    var meters = new Meters(MetersConfig.defaults());
    var lane = meters.lane();
    for (int i = 0; i < 300; i++) {
      lane.meter("app-" + i).begun();
    }
    meters.retire(service -> service.endsWith("7"));
    for (int i = 0; i < 300; i++) {
      if (i % 10 != 7) {
        lane.meter("app-" + i).ended(200, null, 0, 0, 0);
      }
    }
    lane.sweep();
    for (int i = 7; i < 300; i += 10) {
      assertThat(lane.meter("app-" + i).count(Meter.IN_FLIGHT)).isEqualTo(1);
    }
    assertThat(scrape(meters)).contains("{service=\"app-297\"}").doesNotContain("\"app-298\"");
  }

  @Test
  void countsWithoutMakingObjects() {
    var lane = new Meters(MetersConfig.defaults()).lane();
    var service = "app";
    lane.meter(service);
    var threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    long id = Thread.currentThread().threadId();
    long least = Long.MAX_VALUE;
    for (int round = 0; round < 20; round++) {
      long before = threads.getThreadAllocatedBytes(id);
      for (int i = 0; i < 1000; i++) {
        var meter = lane.meter(service);
        meter.begun();
        meter.firstByte(i);
        meter.ended(200, Code.H27, i, i, i * 1000L);
      }
      least = Math.min(least, threads.getThreadAllocatedBytes(id) - before);
    }
    assertThat(least).as("bytes for 1000 requests").isLessThan(1000);
  }

  @Test
  void showsWhatOthersCount() {
    var meters = new Meters(MetersConfig.defaults());
    meters.gauge("holdfast_edge_lag_seconds", "Lag.", () -> 0.5);
    meters.counter("holdfast_edge_dropped_lines", "Lines.", () -> 7);
    meters.info("holdfast_edge_info", "Facts.", "transport", "epoll");
    meters.add(out -> out.counter("holdfast_edge_shed", "Shed.").sample(2, "reason", "rate"));
    assertThat(scrape(meters))
        .contains("\nholdfast_edge_lag_seconds 0.5\n")
        .contains("\nholdfast_edge_dropped_lines_total 7\n")
        .contains("\nholdfast_edge_info{transport=\"epoll\"} 1\n")
        .contains("\nholdfast_edge_shed_total{reason=\"rate\"} 2\n");
  }

  @Test
  void statesItsDefaultAndItsBound() {
    assertThat(MetersConfig.defaults()).isEqualTo(new MetersConfig(500));
    assertThatThrownBy(() -> new MetersConfig(-1)).hasMessageContaining("servicesMax: -1");
  }
}
