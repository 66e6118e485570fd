package dev.holdfast.server;

import com.sun.management.UnixOperatingSystemMXBean;
import dev.holdfast.ledger.Ledger;
import dev.holdfast.limits.MetricSource;
import dev.holdfast.limits.MetricText;
import java.lang.management.ManagementFactory;
import java.time.Instant;

/** The process itself in numbers: memory, collections, threads, processor, descriptors, ledger. */
final class PlatformMetrics implements MetricSource {
  private final Ledger ledger;
  private final Instant startedAt;

  PlatformMetrics(Ledger ledger, Instant startedAt) {
    this.ledger = ledger;
    this.startedAt = startedAt;
  }

  @Override
  public void write(MetricText out) {
    out.gauge("holdfast_info", "What runs.").sample(1, "version", Version.NAME);
    out.gauge("holdfast_ledger_position", "Head of the ledger.").sample(ledger.head());
    out.gauge("process_start_time_seconds", "When it started, seconds since 1970.")
        .sample(startedAt.toEpochMilli() / 1e3);
    if (ManagementFactory.getOperatingSystemMXBean() instanceof UnixOperatingSystemMXBean system) {
      out.counter("process_cpu_seconds", "Processor time.")
          .sample(system.getProcessCpuTime() / 1e9);
      out.gauge("process_open_fds", "Descriptors in use.")
          .sample(system.getOpenFileDescriptorCount());
      out.gauge("process_max_fds", "Descriptors that it may use.")
          .sample(system.getMaxFileDescriptorCount());
    }
    memory(out);
    var threads = ManagementFactory.getThreadMXBean();
    out.gauge("jvm_threads_current", "Threads, virtual ones not counted.")
        .sample(threads.getThreadCount());
  }

  private static void memory(MetricText out) {
    var memory = ManagementFactory.getMemoryMXBean();
    var heap = memory.getHeapMemoryUsage();
    var other = memory.getNonHeapMemoryUsage();
    out.gauge("jvm_memory_used_bytes", "Memory in use.")
        .sample(heap.getUsed(), "area", "heap")
        .sample(other.getUsed(), "area", "nonheap");
    out.gauge("jvm_memory_committed_bytes", "Memory taken from the system.")
        .sample(heap.getCommitted(), "area", "heap")
        .sample(other.getCommitted(), "area", "nonheap");
    out.gauge("jvm_memory_max_bytes", "Memory that it may take; -1 for no bound.")
        .sample(heap.getMax(), "area", "heap")
        .sample(other.getMax(), "area", "nonheap");
    var collectors = ManagementFactory.getGarbageCollectorMXBeans();
    out.counter("jvm_gc_collections", "Garbage collections.");
    for (var collector : collectors) {
      out.sample(collector.getCollectionCount(), "gc", collector.getName());
    }
    out.counter("jvm_gc_collection_seconds", "Time in garbage collections.");
    for (var collector : collectors) {
      out.sample(collector.getCollectionTime() / 1e3, "gc", collector.getName());
    }
  }
}
