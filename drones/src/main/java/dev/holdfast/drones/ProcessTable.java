package dev.holdfast.drones;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The kernel's list of processes, read from /proc (proc(5)). A process is named by its pid and its
 * start time together, because pids come back. Stateless and thread-safe.
 */
final class ProcessTable {
  /** Fields of /proc/PID/stat behind the command's name, counted from 0 for the state. */
  private static final int STATE = 0;

  private static final int SESSION = 3;
  private static final int START = 19;
  private static final Path PROC = Path.of("/proc");
  private static final String LISTEN = "0A";

  /**
   * Local addresses, as /proc/net/tcp and tcp6 print them, that answer a connection to 127.0.0.1:
   * 0.0.0.0, 127.0.0.1, :: and ::ffff:127.0.0.1. Each pair is written for both byte orders.
   */
  private static final Set<String> LOOPBACK =
      Set.of(
          "00000000",
          "0100007F",
          "7F000001",
          "00000000000000000000000000000000",
          "0000000000000000FFFF00000100007F",
          "00000000000000000000FFFF7F000001");

  /** One live process. */
  record Proc(long pid, long session, long start) {}

  private ProcessTable() {}

  /** The process with that pid, or null when there is none or only its corpse. */
  static @Nullable Proc find(long pid) {
    try {
      var stat = read(PROC.resolve(pid + "/stat"));
      var fields = stat.substring(stat.lastIndexOf(')') + 2).split(" ", -1);
      char state = fields[STATE].charAt(0);
      if (state == 'Z' || state == 'X' || state == 'x') {
        return null;
      }
      return new Proc(pid, Long.parseLong(fields[SESSION]), Long.parseLong(fields[START]));
    } catch (IOException | RuntimeException e) {
      return null; // it went away while we looked
    }
  }

  /** Whether exactly that process lives. */
  static boolean alive(long pid, long start) {
    var proc = find(pid);
    return proc != null && proc.start() == start;
  }

  /** Every live process. */
  static List<Proc> all() {
    var all = new ArrayList<Proc>();
    try (var entries = Files.newDirectoryStream(PROC, "[0-9]*")) {
      for (var entry : entries) {
        var proc = find(Long.parseLong(entry.getFileName().toString()));
        if (proc != null) {
          all.add(proc);
        }
      }
    } catch (IOException | DirectoryIteratorException e) {
      throw new IllegalStateException("cannot read /proc", e);
    }
    return all;
  }

  /** The value of a variable in the environment the process was started with, or null. */
  static @Nullable String variable(long pid, String name) {
    try {
      for (var entry : read(PROC.resolve(pid + "/environ")).split("\0", -1)) {
        if (entry.startsWith(name) && entry.startsWith("=", name.length())) {
          return entry.substring(name.length() + 1);
        }
      }
    } catch (IOException e) {
      // Gone, or somebody else's: it does not carry our variable as far as we may know.
    }
    return null;
  }

  /** Real user of the process, or -1 when it is gone. */
  static long uid(long pid) {
    try {
      for (var line : read(PROC.resolve(pid + "/status")).split("\n", -1)) {
        if (line.startsWith("Uid:")) {
          return Long.parseLong(line.split("\\s+", -1)[1]);
        }
      }
    } catch (IOException e) {
      return -1;
    }
    return -1;
  }

  /** Effective user of this JVM. */
  static long ownUid() {
    return uid(ProcessHandle.current().pid());
  }

  /** Changes with every boot of the machine; pids and start times of another boot mean nothing. */
  static String boot() {
    try {
      return read(PROC.resolve("sys/kernel/random/boot_id")).strip();
    } catch (IOException e) {
      throw new IllegalStateException("cannot read the boot id from /proc", e);
    }
  }

  /** Inodes of the sockets that would answer a connection to 127.0.0.1 at that port. */
  static Set<String> listening(int port) throws IOException {
    var inodes = new HashSet<String>();
    var suffix = ":%04X".formatted(port);
    for (var file : List.of("net/tcp", "net/tcp6")) {
      var path = PROC.resolve(file);
      if (!Files.exists(path)) {
        continue; // a kernel without IPv6
      }
      for (var line : read(path).split("\n", -1)) {
        var fields = line.strip().split("\\s+", -1);
        if (fields.length > 9 && fields[3].equals(LISTEN) && fields[1].endsWith(suffix)) {
          if (LOOPBACK.contains(fields[1].substring(0, fields[1].length() - suffix.length()))) {
            inodes.add(fields[9]);
          }
        }
      }
    }
    return inodes;
  }

  /** Inodes of the sockets that the process has open. */
  static Set<String> sockets(long pid) {
    var inodes = new HashSet<String>();
    try (var descriptors = Files.newDirectoryStream(PROC.resolve(pid + "/fd"))) {
      for (var descriptor : descriptors) {
        var target = target(descriptor);
        if (target.startsWith("socket:[")) {
          inodes.add(target.substring("socket:[".length(), target.length() - 1));
        }
      }
    } catch (IOException | DirectoryIteratorException e) {
      // Gone, or not ours to look at: nothing of it is proven.
    }
    return inodes;
  }

  private static String target(Path link) {
    try {
      return Files.readSymbolicLink(link).toString();
    } catch (IOException e) {
      return "";
    }
  }

  private static String read(Path file) throws IOException {
    return new String(Files.readAllBytes(file), StandardCharsets.ISO_8859_1);
  }
}
