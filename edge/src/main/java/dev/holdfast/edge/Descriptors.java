package dev.holdfast.edge;

import dev.holdfast.limits.Check;
import io.netty.channel.unix.Socket;
import io.netty.util.NetUtil;
import java.io.IOException;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.ValueLayout;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Listening sockets that whoever started this process opened for it, by systemd's protocol
 * (sd_listen_fds(3)): descriptors from 3 on, as many as {@code LISTEN_FDS} says, if {@code
 * LISTEN_PID} is this process. They outlive it, and so do the connections that wait in them.
 * Immutable.
 *
 * @param sockets in the order of their numbers
 */
public record Descriptors(List<Descriptor> sockets) {
  /** Name of the socket for plain HTTP in {@code LISTEN_FDNAMES}; it may have another. */
  public static final String HTTP = "edge.http";

  /** Name of the socket for TLS. */
  public static final String HTTPS = "edge.https";

  /** None: the edge opens its own. */
  public static final Descriptors NONE = new Descriptors(List.of());

  private static final int FIRST = 3;
  private static final int COUNT_MAX = 16;
  private static final String ADOPTED = "a listening socket of an address that is configured";

  /** fcntl(2), Linux. */
  private static final int F_SETFL = 4;

  private static final int O_NONBLOCK = 04000;

  /**
   * One of them.
   *
   * @param number the process's descriptor
   * @param name what whoever opened it calls it, or empty
   */
  public record Descriptor(int number, String name) {}

  /** Copies what it is given. */
  public Descriptors {
    sockets = List.copyOf(sockets);
  }

  /**
   * What this environment hands to the process with that id.
   *
   * @throws IllegalArgumentException when there are more than 16 or their number is none
   */
  public static Descriptors of(Map<String, String> environment, long pid) {
    var count = environment.get("LISTEN_FDS");
    if (count == null || !String.valueOf(pid).equals(environment.get("LISTEN_PID"))) {
      return NONE; // meant for the process that started this one
    }
    Check.that(
        count.matches("[0-9]{1,2}") && Integer.parseInt(count) <= COUNT_MAX,
        "LISTEN_FDS",
        count,
        "a number from 0 to " + COUNT_MAX);
    var names = environment.getOrDefault("LISTEN_FDNAMES", "").split(":", -1);
    var sockets = new ArrayList<Descriptor>();
    for (int i = 0; i < Integer.parseInt(count); i++) {
      sockets.add(new Descriptor(FIRST + i, i < names.length ? names[i] : ""));
    }
    return new Descriptors(sockets);
  }

  /** Whether the edge has to open its sockets itself. */
  public boolean isEmpty() {
    return sockets.isEmpty();
  }

  /**
   * Finds each socket the address that it is for, and leaves it listening without ever blocking.
   *
   * @throws IOException when one is no listening socket or for no address, naming it
   */
  Doors doors(InetSocketAddress http, @Nullable InetSocketAddress https) throws IOException {
    @Nullable Integer plain = null;
    @Nullable Integer tls = null;
    for (var given : sockets) {
      var at = address(given);
      boolean forHttp = plain == null && matches(http, at) && !given.name.equals(HTTPS);
      if (forHttp) {
        plain = given.number;
      } else if (https != null && tls == null && matches(https, at) && !given.name.equals(HTTP)) {
        tls = given.number;
      } else {
        throw refused(given, at, http, https);
      }
    }
    return new Doors(plain, tls);
  }

  /** Who comes in by which descriptor; null where the edge opens its own. */
  record Doors(@Nullable Integer http, @Nullable Integer https) {}

  private static IOException refused(
      Descriptor given,
      InetSocketAddress at,
      InetSocketAddress http,
      @Nullable InetSocketAddress https) {
    return new IOException(
        "descriptor %d%s listens at %s (expected: %s: http %s%s, each once)"
            .formatted(
                given.number,
                given.name.isEmpty() ? "" : " (" + given.name + ")",
                text(at),
                ADOPTED,
                text(http),
                https == null ? "" : ", https " + text(https)));
  }

  private static String text(InetSocketAddress at) {
    return NetUtil.toSocketAddressString(at);
  }

  private static boolean matches(InetSocketAddress configured, InetSocketAddress real) {
    if (configured.isUnresolved()
        || (configured.getPort() != 0 && configured.getPort() != real.getPort())) {
      return false;
    }
    // systemd's "8080" is every IPv6 address, which on Linux takes IPv4 in
    return configured.getAddress().equals(real.getAddress())
        || (configured.getAddress().isAnyLocalAddress() && real.getAddress().isAnyLocalAddress());
  }

  private static InetSocketAddress address(Descriptor given) throws IOException {
    int flags = flags(given);
    var socket = new Socket(given.number);
    @Nullable InetSocketAddress at = socket.localAddress();
    if (at == null || at.getPort() == 0) {
      throw new IOException(
          Check.message("descriptor " + given.number, "no bound TCP socket", ADOPTED));
    }
    if ((flags & O_NONBLOCK) == 0) {
      unblock(given.number, flags | O_NONBLOCK);
    }
    return at;
  }

  /** Of the open file; an accept that blocks would stop an event loop. */
  private static int flags(Descriptor given) throws IOException {
    var info = Path.of("/proc/self/fdinfo", String.valueOf(given.number));
    if (!Files.exists(info)) {
      throw new IOException(Check.message("descriptor " + given.number, "closed", ADOPTED));
    }
    return Files.readAllLines(info).stream()
        .filter(line -> line.startsWith("flags:"))
        .mapToInt(line -> Integer.parseInt(line.substring("flags:".length()).strip(), 8))
        .findFirst()
        .orElseThrow(() -> new IOException(info + " has no flags"));
  }

  @SuppressWarnings("restricted") // the launcher and the tests enable native access
  private static void unblock(int number, int flags) throws IOException {
    var linker = Linker.nativeLinker();
    var fcntl =
        linker.downcallHandle(
            linker.defaultLookup().findOrThrow("fcntl"),
            FunctionDescriptor.of(
                ValueLayout.JAVA_INT,
                ValueLayout.JAVA_INT,
                ValueLayout.JAVA_INT,
                ValueLayout.JAVA_INT),
            Linker.Option.firstVariadicArg(2));
    int result;
    try {
      result = (int) fcntl.invokeExact(number, F_SETFL, flags);
    } catch (Throwable e) {
      throw new IOException("fcntl cannot be called", e);
    }
    if (result != 0) {
      throw new IOException("descriptor " + number + " cannot be made non-blocking");
    }
  }

  @Override
  public String toString() {
    return Arrays.toString(sockets.toArray());
  }
}
