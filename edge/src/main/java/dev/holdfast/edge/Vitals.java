package dev.holdfast.edge;

import com.sun.management.UnixOperatingSystemMXBean;
import io.netty.util.internal.PlatformDependent;
import java.lang.management.ManagementFactory;
import java.lang.management.MemoryPoolMXBean;
import java.lang.management.MemoryType;
import java.lang.management.MemoryUsage;
import java.util.List;

/**
 * How much of the machine is used: descriptors, direct memory, and the heap as the last collection
 * left it. Reading takes up to a millisecond, so it is done once per second and not on an event
 * loop. Thread-safe.
 */
final class Vitals {
  /** Those that hold what stays: a survivor space may be full at any time and means nothing. */
  private final List<MemoryPoolMXBean> pools =
      ManagementFactory.getMemoryPoolMXBeans().stream()
          .filter(pool ->
              pool.getType() == MemoryType.HEAP
                  && pool.isUsageThresholdSupported()
                  && pool.getCollectionUsage() != null)
          .toList();

  /**
   * Shares of what there is, each in [0, 1].
   *
   * @param descriptors open, of those that may be open
   * @param memory the worse of direct memory and the heap after a collection
   */
  record Reading(double descriptors, double memory) {
    /** Nothing is used. */
    static final Reading NONE = new Reading(0, 0);
  }

  Reading read() {
    return new Reading(descriptors(), Math.max(direct(), heap()));
  }

  private static double descriptors() {
    return ManagementFactory.getOperatingSystemMXBean() instanceof UnixOperatingSystemMXBean unix
        ? share(unix.getOpenFileDescriptorCount(), unix.getMaxFileDescriptorCount())
        : 0;
  }

  private static double direct() {
    return share(PlatformDependent.usedDirectMemory(), PlatformDependent.maxDirectMemory());
  }

  /** Of the pool that is fullest. */
  private double heap() {
    double most = 0;
    for (var pool : pools) {
      MemoryUsage usage = pool.getCollectionUsage();
      if (usage != null) {
        most = Math.max(most, share(usage.getUsed(), usage.getMax()));
      }
    }
    return most;
  }

  private static double share(long used, long max) {
    return used <= 0 || max <= 0 ? 0 : Math.min(1, (double) used / max);
  }
}
