package dev.holdfast.server;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.holdfast.limits.Check;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.logging.Level;
import java.util.logging.Logger;

/**
 * The platform's side of what holds the edge's listening sockets while it is away: the loop in the
 * launcher script, or systemd. Stateless.
 */
final class Anchor {
  /** Java property with the path of the script that wants to hold the sockets. */
  static final String SCRIPT = "holdfast.anchor";

  /** Environment: process id of the loop that starts this process again when it dies. */
  static final String SUPERVISOR = "HOLDFAST_SUPERVISOR";

  private static final Logger LOG = Logger.getLogger(Anchor.class.getName());
  private static final int FIRST = 3;
  private static final int SOCKETS_MAX = 2;
  private static final int BACKLOG = 4096;

  private Anchor() {}

  /**
   * Opens the edge's sockets as descriptors 3 and 4, which the script left free, and becomes the
   * script's loop. Returns when it cannot: then this process is the platform itself, and says what
   * is wrong when it opens them.
   */
  static void hold(
      ServerConfig config, String script, List<String> arguments, Map<String, String> environment) {
    var edge = new EdgeSettings(config);
    var transport = config.value(ServerConfig.EDGE_TRANSPORT);
    if (!transport.equals("auto") && !transport.equals("epoll")) {
      LOG.info("nobody holds the edge's sockets: edge.transport is " + transport);
      return;
    }
    var addresses = new ArrayList<InetSocketAddress>();
    var roles = Roles.of(config);
    boolean secure = roles != Roles.EDGE || Roles.keys(config) != null;
    var https = secure ? edge.front().tlsListen() : null;
    boolean holds =
        !"off".equals(environment.get("HOLDFAST_ANCHOR")) && roles != Roles.CONTROL_AND_DRONES;
    if (holds) {
      addresses.add(edge.edge().listen());
    }
    if (holds && https != null) {
      addresses.add(https);
    }
    try {
      if (open(addresses)) {
        keepOnly(addresses.size());
        Libc.become(
            "/bin/sh", words(addresses.size(), config, script, arguments).toArray(String[]::new));
        LOG.warning("nobody holds the edge's sockets: /bin/sh cannot be started");
      }
    } catch (IOException | IllegalStateException | UnsatisfiedLinkError e) {
      LOG.log(Level.WARNING, "nobody holds the edge's sockets", e);
    }
    for (int i = 0; i < addresses.size(); i++) {
      Libc.close(FIRST + i);
    }
  }

  private static List<String> words(
      int held, ServerConfig config, String script, List<String> arguments) {
    var words = new ArrayList<String>();
    words.add("sh");
    words.add(script);
    words.add("--supervise");
    words.add(String.valueOf(held));
    words.add(config.home().toAbsolutePath().normalize().toString());
    words.add(System.getProperty("java.home"));
    words.addAll(arguments);
    return words;
  }

  private static boolean open(List<InetSocketAddress> addresses) throws IOException {
    for (int i = 0; i < addresses.size(); i++) {
      var at = addresses.get(i);
      if (at.isUnresolved()) {
        return false;
      }
      int socket = Libc.listen(at.getPort() == 0 ? free(at) : at, BACKLOG);
      if (socket < 0 || !Libc.duplicate(socket, FIRST + i)) {
        return false;
      }
    }
    return true;
  }

  private static void keepOnly(int held) throws IOException {
    try (var all = Files.newDirectoryStream(Path.of("/proc/self/fd"))) {
      for (var one : all) {
        int number = Integer.parseInt(one.getFileName().toString());
        if (number >= FIRST + held) {
          Libc.closeAtExec(number);
        }
      }
    }
  }

  /** Only a port that was asked for stays with a socket that stops listening for a while. */
  private static InetSocketAddress free(InetSocketAddress at) throws IOException {
    try (var probe = new ServerSocket()) {
      probe.bind(at);
      return new InetSocketAddress(at.getAddress(), probe.getLocalPort());
    }
  }

  /** Refuses visitors on the sockets that the loop holds, until a platform listens again. */
  static int refuse(String count) {
    Check.that(count.matches("[1-" + SOCKETS_MAX + "]"), "sockets", count, "1 or " + SOCKETS_MAX);
    int refusing = 0;
    for (int i = 0; i < Integer.parseInt(count); i++) {
      refusing += Libc.refuse(FIRST + i) ? 1 : 0;
    }
    return refusing == Integer.parseInt(count) ? 0 : 1;
  }

  /** Tells systemd (sd_notify(3)), if it asked to be told; for anybody else it does nothing. */
  private static void tell(Map<String, String> environment, String state) {
    var socket = environment.get("NOTIFY_SOCKET");
    if (socket != null && !Libc.send(socket, state.getBytes(UTF_8))) {
      LOG.warning("systemd was not told " + state + " at NOTIFY_SOCKET " + socket);
    }
  }

  /** Tells whoever started this process that it serves. */
  static void ready(Map<String, String> environment) {
    tell(environment, "READY=1");
    supervisor(environment)
        .ifPresent(loop -> {
          try {
            new ProcessBuilder("/bin/sh", "-c", "kill -USR1 " + loop.pid()).start();
          } catch (IOException e) {
            LOG.log(Level.WARNING, "the launcher's loop was not told that it serves", e);
          }
        });
  }

  /** Ends the loop that would start this process again: the end is meant. */
  static void ending(Map<String, String> environment) {
    tell(environment, "STOPPING=1");
    supervisor(environment).ifPresent(ProcessHandle::destroy);
  }

  private static Optional<ProcessHandle> supervisor(Map<String, String> environment) {
    var told = environment.get(SUPERVISOR);
    return ProcessHandle.current()
        .parent()
        .filter(parent -> String.valueOf(parent.pid()).equals(told));
  }
}
