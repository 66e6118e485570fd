package dev.holdfast.server;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.net.Inet6Address;
import java.net.InetSocketAddress;
import java.nio.ByteOrder;

/**
 * The few calls of Linux's C library that the JDK has no words for: sockets that survive {@code
 * execve}, and datagrams to a path. Thread-safe.
 *
 * <p>One handle serves all functions: the calling conventions of Linux on x86-64 and AArch64 pass
 * up to six whole numbers and pointers in registers, and a function takes those that it wants. To
 * link a handle for each would cost a start more than all else that the anchor does.
 */
final class Libc {
  private static final int AF_UNIX = 1;
  private static final int AF_INET = 2;
  private static final int AF_INET6 = 10;
  private static final int SOCK_STREAM = 1;
  private static final int SOCK_DGRAM = 2;
  private static final int SOCK_NONBLOCK = 04000;
  private static final int SOCK_CLOEXEC = 02000000;
  private static final int SOL_SOCKET = 1;
  private static final int SO_REUSEADDR = 2;
  private static final int IPPROTO_IPV6 = 41;
  private static final int IPV6_V6ONLY = 26;
  private static final int SHUT_RDWR = 2;
  private static final int F_SETFD = 2;
  private static final int FD_CLOEXEC = 1;
  private static final int PATH_MAX = 107;
  private static final int ADDRESS_BYTES = 110;

  private static final Linker LINKER = Linker.nativeLinker();

  @SuppressWarnings("restricted") // the launcher enables native access
  private static final MethodHandle CALL =
      LINKER.downcallHandle(
          FunctionDescriptor.of(
              ValueLayout.JAVA_LONG,
              ValueLayout.JAVA_LONG,
              ValueLayout.JAVA_LONG,
              ValueLayout.JAVA_LONG,
              ValueLayout.JAVA_LONG,
              ValueLayout.JAVA_LONG));

  private Libc() {}

  private static int call(String function, long a, long b, long c, long d, long e) {
    var address = LINKER.defaultLookup().findOrThrow(function);
    try {
      return (int) (long) CALL.invokeExact(address, a, b, c, d, e);
    } catch (Throwable thrown) {
      throw new IllegalStateException(function + " cannot be called", thrown);
    }
  }

  /**
   * A TCP socket that listens there, never blocks and is closed by {@code execve}; negative when it
   * cannot.
   */
  static int listen(InetSocketAddress at, int backlog) {
    boolean six = at.getAddress() instanceof Inet6Address;
    int type = SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC;
    int socket = call("socket", six ? AF_INET6 : AF_INET, type, 0, 0, 0);
    if (socket < 0) {
      return socket;
    }
    try (var arena = Arena.ofConfined()) {
      var on = arena.allocateFrom(ValueLayout.JAVA_INT, 1);
      call("setsockopt", socket, SOL_SOCKET, SO_REUSEADDR, on.address(), Integer.BYTES);
      if (six) {
        var off = arena.allocateFrom(ValueLayout.JAVA_INT, 0);
        call("setsockopt", socket, IPPROTO_IPV6, IPV6_V6ONLY, off.address(), Integer.BYTES);
      }
      var name = arena.allocate(ADDRESS_BYTES, Long.BYTES);
      long bytes = write(name, at, six);
      if (call("bind", socket, name.address(), bytes, 0, 0) == 0
          && call("listen", socket, backlog, 0, 0, 0) == 0) {
        return socket;
      }
    }
    close(socket);
    return -1;
  }

  /** Writes a sockaddr_in or sockaddr_in6, and says how long it is. */
  private static long write(MemorySegment name, InetSocketAddress at, boolean six) {
    name.set(ValueLayout.JAVA_SHORT, 0, (short) (six ? AF_INET6 : AF_INET));
    name.set(
        ValueLayout.JAVA_SHORT.withOrder(ByteOrder.BIG_ENDIAN), Short.BYTES, (short) at.getPort());
    byte[] address = at.getAddress().getAddress();
    int from = six ? 8 : 4;
    MemorySegment.copy(address, 0, name, ValueLayout.JAVA_BYTE, from, address.length);
    if (at.getAddress() instanceof Inet6Address scoped) {
      name.set(ValueLayout.JAVA_INT, 24, scoped.getScopeId());
    }
    return six ? 28 : 16;
  }

  /** Makes the second number mean what the first does, open also after {@code execve}. */
  static boolean duplicate(int descriptor, int to) {
    return call("dup2", descriptor, to, 0, 0, 0) == to;
  }

  /** Closes it when this process becomes another program; the JVM leaves some of its own open. */
  static void closeAtExec(int descriptor) {
    call("fcntl", descriptor, F_SETFD, FD_CLOEXEC, 0, 0);
  }

  static void close(int descriptor) {
    call("close", descriptor, 0, 0, 0, 0);
  }

  /** Refuses whoever comes from now on, whichever processes hold the socket, until it listens. */
  static boolean refuse(int listening) {
    return call("shutdown", listening, SHUT_RDWR, 0, 0, 0) == 0;
  }

  /** Becomes another program; returns only when that cannot be. */
  static void become(String program, String... arguments) {
    try (var arena = Arena.ofConfined()) {
      var pointers = arena.allocate(ValueLayout.ADDRESS, arguments.length + 1L);
      for (int i = 0; i < arguments.length; i++) {
        pointers.setAtIndex(ValueLayout.ADDRESS, i, arena.allocateFrom(arguments[i]));
      }
      pointers.setAtIndex(ValueLayout.ADDRESS, arguments.length, MemorySegment.NULL);
      call("execv", arena.allocateFrom(program).address(), pointers.address(), 0, 0, 0);
    }
  }

  /** Sends one datagram to a path, or with an {@code @} before it to an abstract name. */
  static boolean send(String path, byte[] message) {
    byte[] to = path.getBytes(UTF_8);
    if (to.length == 0 || to.length > PATH_MAX) {
      return false;
    }
    int socket = call("socket", AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, 0, 0);
    if (socket < 0) {
      return false;
    }
    try (var arena = Arena.ofConfined()) {
      var name = arena.allocate(ADDRESS_BYTES, Long.BYTES);
      name.set(ValueLayout.JAVA_SHORT, 0, (short) AF_UNIX);
      MemorySegment.copy(to, 0, name, ValueLayout.JAVA_BYTE, Short.BYTES, to.length);
      if (to[0] == '@') {
        name.set(ValueLayout.JAVA_BYTE, Short.BYTES, (byte) 0);
      }
      var bytes = arena.allocateFrom(ValueLayout.JAVA_BYTE, message);
      return call("connect", socket, name.address(), Short.BYTES + (long) to.length, 0, 0) == 0
          && call("send", socket, bytes.address(), message.length, 0, 0) == message.length;
    } finally {
      close(socket);
    }
  }
}
