package dev.holdfast.server;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.logging.Level;
import java.util.logging.Logger;

/**
 * Where libraries unpack their native parts: a folder of the home instead of the machine's
 * temporary one, in which a killed platform would leave a few MiB at every start. Stateless, but
 * for what it told the libraries.
 */
final class Natives {
  /** SQLite's, Netty's (epoll, io_uring, BoringSSL) and Zstandard's. */
  static final List<String> PROPERTIES =
      List.of("org.sqlite.tmpdir", "io.netty.native.workdir", "ZstdTempFolder");

  private static final Logger LOG = Logger.getLogger(Natives.class.getName());
  private static final ConcurrentMap<String, String> TOLD = new ConcurrentHashMap<>();

  private Natives() {}

  /**
   * Empties the folder, which is nobody else's while the home is locked, and tells the libraries to
   * use it; whoever chose another folder on the command line keeps it.
   *
   * @throws IOException when there can be no such folder
   */
  static void unpackInto(Path folder) throws IOException {
    Files.createDirectories(folder);
    try (var old = Files.newDirectoryStream(folder)) {
      for (var file : old) {
        remove(file);
      }
    }
    for (var property : PROPERTIES) {
      var chosen = System.getProperty(property);
      if (chosen == null || Objects.equals(chosen, TOLD.get(property))) {
        TOLD.put(property, folder.toString());
        System.setProperty(property, folder.toString());
      }
    }
  }

  /** What does not go costs room on the disk and nothing else. */
  private static void remove(Path file) {
    try {
      Files.delete(file);
    } catch (IOException e) {
      LOG.log(Level.FINE, "a leftover stays", e);
    }
  }
}
