package dev.holdfast.server;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.logging.Level;
import java.util.logging.Logger;
import org.jspecify.annotations.Nullable;

/** One process of a platform, in whatever role. Thread-safe. */
interface Node extends AutoCloseable {

  /** What the operator reads when it serves. */
  String greeting();

  /** Connections that would not end by themselves. */
  int longConnections();

  /** Stops serving. Idempotent. */
  @Override
  void close();

  /** Tells commands on this machine where it serves; a full disk does not keep it from serving. */
  static void writeUpFile(
      Home home, InetSocketAddress api, @Nullable InetSocketAddress edge, Instant startedAt) {
    var up = new LinkedHashMap<String, Object>();
    up.put("pid", ProcessHandle.current().pid());
    up.put("api", Listen.url(api));
    if (edge != null) {
      up.put("edge", Listen.url(edge));
    }
    up.put("startedAt", startedAt);
    try {
      Home.write(home.upFile(), new String(Json.bytes(up), UTF_8) + "\n");
    } catch (IOException e) {
      Logger.getLogger(Node.class.getName())
          .log(Level.WARNING, "up.json was not written; commands need --server URL", e);
    }
  }

  /** Tells commands on this machine that it serves no longer. */
  static void removeUpFile(Home home) {
    try {
      Files.deleteIfExists(home.upFile());
    } catch (IOException e) {
      Logger.getLogger(Node.class.getName()).log(Level.WARNING, "up.json was not removed", e);
    }
  }
}
