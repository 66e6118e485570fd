package dev.holdfast.edge;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/**
 * What one request costs the collector once its connection and its app's are open: nothing. Counted
 * by the virtual machine for the event loop's thread, with everything switched on.
 */
class AllocationTest {
  private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();
  private static final int CONNECTIONS = 8;
  private static final int WARM_UP = 4000;
  private static final int COUNTED = 4000;

  /** On a busy machine a round may open connections; garbage of requests would be in each. */
  private static final int ROUNDS = 5;

  /** The wheel, the sweeps and the log's wakes go on whatever the requests do. */
  private static final long BYTES_BESIDE = 64 * 1024;

  private static final String REQUEST =
      """
      GET /some/path?with=query HTTP/1.1\r
      Host: app.test\r
      User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36\r
      Accept: text/html,application/xhtml+xml\r
      Accept-Encoding: gzip, deflate, br\r
      Cookie: session=0123456789abcdef\r
      \r
      """;

  @Test
  void aRequestMakesNoGarbage() throws IOException {
    try (var backend = Backend.answering(Backend.ok("x".repeat(1024)));
        var rig = rig()) {
      rig.app(backend);
      var wires = new ArrayList<Wire>();
      for (int i = 0; i < CONNECTIONS; i++) {
        wires.add(rig.connect());
      }
      ask(wires, WARM_UP);
      long[] loops = loops();
      long bytes = Long.MAX_VALUE;
      for (int round = 0; round < ROUNDS && bytes >= BYTES_BESIDE; round++) {
        long before = allocated(loops);
        ask(wires, COUNTED);
        bytes = Math.min(bytes, allocated(loops) - before);
      }
      assertThat(bytes).as("bytes for %d requests", COUNTED).isLessThan(BYTES_BESIDE);
      for (var wire : wires) {
        wire.close();
      }
    }
  }

  /** Admission decides as it does outside of tests; it only refuses nobody. */
  private static Rig rig() throws IOException {
    var config = new TestConfig();
    config.admission = AdmissionConfig.defaults().withAll(Limiter.Mode.OBSERVE);
    return new Rig(config);
  }

  private static void ask(List<Wire> wires, int count) throws IOException {
    for (int i = 0; i < count; i += wires.size()) {
      for (var wire : wires) {
        wire.send(REQUEST);
      }
      for (var wire : wires) {
        assertThat(wire.message().body()).hasSize(1024);
      }
    }
  }

  private static long[] loops() {
    var ids = new ArrayList<Long>();
    for (var thread : Thread.getAllStackTraces().keySet()) {
      if (thread.getName().startsWith("edge-")) {
        ids.add(thread.threadId());
      }
    }
    return ids.stream().mapToLong(Long::longValue).toArray();
  }

  private static long allocated(long[] threads) {
    long sum = 0;
    for (long bytes : THREADS.getThreadAllocatedBytes(threads)) {
      sum += bytes;
    }
    return sum;
  }
}
