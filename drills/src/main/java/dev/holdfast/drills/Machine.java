package dev.holdfast.drills;

import java.lang.management.ManagementFactory;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;

/** Where a drill ran: what its numbers are to be read against. */
final class Machine {
  private Machine() {}

  /** Facts by name, in the order in which they are shown. */
  static Map<String, String> facts() {
    var facts = new LinkedHashMap<String, String>();
    var system = ManagementFactory.getOperatingSystemMXBean();
    facts.put("processors", Integer.toString(Runtime.getRuntime().availableProcessors()));
    if (system instanceof com.sun.management.OperatingSystemMXBean machine) {
      facts.put(
          "memory",
          String.format(
              Locale.ROOT, "%.1f GiB", machine.getTotalMemorySize() / (double) (1 << 30)));
    }
    facts.put("system", system.getName() + " " + system.getVersion() + " " + system.getArch());
    facts.put(
        "Java",
        System.getProperty("java.vm.name") + " " + System.getProperty("java.runtime.version"));
    facts.put("load at the end", String.format(Locale.ROOT, "%.2f", system.getSystemLoadAverage()));
    return facts;
  }
}
