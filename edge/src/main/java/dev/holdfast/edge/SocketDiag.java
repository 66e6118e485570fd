package dev.holdfast.edge;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.ByteOrder;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Asks the kernel which socket would take a connection (sock_diag(7)): one message there and one
 * back, some microseconds, however many sockets there are. Linux only. Thread-safe.
 */
final class SocketDiag implements AutoCloseable {
  private static final int AF_INET = 2;
  private static final int AF_INET6 = 10;
  private static final int AF_NETLINK = 16;
  private static final int SOCK_RAW = 3;
  private static final int SOCK_CLOEXEC = 02000000;
  private static final int NETLINK_SOCK_DIAG = 4;
  private static final int SOCK_DIAG_BY_FAMILY = 20;
  private static final int NLM_F_REQUEST = 1;
  private static final int IPPROTO_TCP = 6;
  private static final int ALL_STATES = -1;
  private static final int NO_COOKIE = -1;
  private static final int MSG_DONTWAIT = 0x40;

  // struct nlmsghdr, then struct inet_diag_req_v2 or struct inet_diag_msg
  private static final int HEADER_BYTES = 16;
  private static final int TYPE = 4;
  private static final int ERROR = HEADER_BYTES; // struct nlmsgerr
  private static final int ENOENT = 2;
  private static final int FLAGS = 6;
  private static final int SEQUENCE = 8;
  private static final int REQUEST_BYTES = HEADER_BYTES + 56;
  private static final int PROTOCOL = HEADER_BYTES + 1;
  private static final int STATES = HEADER_BYTES + 4;
  private static final int SOURCE_PORT = HEADER_BYTES + 8;
  private static final int SOURCE = HEADER_BYTES + 12;
  private static final int COOKIE = HEADER_BYTES + 48;
  private static final int INODE = HEADER_BYTES + 68;
  private static final int ANSWER_BYTES_MIN = INODE + Integer.BYTES;
  private static final int ANSWER_BYTES_MAX = 4096;

  private static final Linker LINKER = Linker.nativeLinker();

  /** As in the server's Libc: on Linux one convention fits all functions of whole numbers. */
  @SuppressWarnings("restricted") // the launcher enables native access
  private static final MethodHandle CALL =
      LINKER.downcallHandle(
          FunctionDescriptor.of(
              ValueLayout.JAVA_LONG,
              ValueLayout.JAVA_LONG,
              ValueLayout.JAVA_LONG,
              ValueLayout.JAVA_LONG,
              ValueLayout.JAVA_LONG));

  private static final MemorySegment SEND = LINKER.defaultLookup().findOrThrow("send");
  private static final MemorySegment RECV = LINKER.defaultLookup().findOrThrow("recv");
  private static final MemorySegment SOCKET = LINKER.defaultLookup().findOrThrow("socket");
  private static final MemorySegment CLOSE = LINKER.defaultLookup().findOrThrow("close");

  private final ReentrantLock lock = new ReentrantLock();
  private final Arena arena = Arena.ofShared();
  private final MemorySegment request = arena.allocate(REQUEST_BYTES, Long.BYTES);
  private final MemorySegment answer = arena.allocate(ANSWER_BYTES_MAX, Long.BYTES);
  private final int socket;
  private boolean closed;
  private int sequence;

  private SocketDiag(int socket) {
    this.socket = socket;
    request.set(ValueLayout.JAVA_INT, 0, REQUEST_BYTES);
    request.set(ValueLayout.JAVA_SHORT, TYPE, (short) SOCK_DIAG_BY_FAMILY);
    request.set(ValueLayout.JAVA_SHORT, FLAGS, (short) NLM_F_REQUEST);
    request.set(ValueLayout.JAVA_BYTE, PROTOCOL, (byte) IPPROTO_TCP);
    request.set(ValueLayout.JAVA_INT, STATES, ALL_STATES);
    request.set(ValueLayout.JAVA_INT, COOKIE, NO_COOKIE);
    request.set(ValueLayout.JAVA_INT, COOKIE + Integer.BYTES, NO_COOKIE);
  }

  /**
   * A way to ask.
   *
   * @throws IOException when the kernel, or whoever confines this process, does not let it
   */
  static SocketDiag open() throws IOException {
    int socket = (int) call(SOCKET, AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG, 0);
    if (socket < 0) {
      throw new IOException("the kernel opens no socket for sock_diag(7)");
    }
    var diag = new SocketDiag(socket);
    var loopback = InetAddress.ofLiteral("127.0.0.1");
    try (var own = new ServerSocket(0, 1, loopback)) { // the kernel may have no such answers
      if (diag.listener(loopback, own.getLocalPort()) == 0) {
        throw new IOException("sock_diag(7) does not know a socket that listens");
      }
    } catch (IOException e) {
      diag.close();
      throw e;
    }
    return diag;
  }

  private static long call(MemorySegment function, long a, long b, long c, long d) {
    try {
      return (long) CALL.invokeExact(function, a, b, c, d);
    } catch (Throwable thrown) {
      throw new IllegalStateException("a function of the C library cannot be called", thrown);
    }
  }

  /**
   * Inode of the socket that would take a connection from this machine to that address and port, or
   * 0 when none would. An inode is not used again while its socket is open.
   *
   * @throws IOException when the kernel does not say
   */
  long listener(InetAddress address, int port) throws IOException {
    lock.lock();
    try {
      if (closed) {
        throw new IOException("closed");
      }
      ask(address, port);
      if ((int) call(SEND, socket, request.address(), REQUEST_BYTES, 0) != REQUEST_BYTES) {
        throw new IOException("sock_diag(7) takes no question");
      }
      int received = answer();
      if (answer.get(ValueLayout.JAVA_SHORT, TYPE) != SOCK_DIAG_BY_FAMILY) {
        return none(received);
      }
      if (received < ANSWER_BYTES_MIN) {
        throw new IOException("an answer of " + received + " bytes from sock_diag(7)");
      }
      return Integer.toUnsignedLong(answer.get(ValueLayout.JAVA_INT, INODE));
    } finally {
      lock.unlock();
    }
  }

  /** The kernel answers while it is asked, so there is nothing to wait for. */
  private int answer() throws IOException {
    while (true) {
      int received = (int) call(RECV, socket, answer.address(), ANSWER_BYTES_MAX, MSG_DONTWAIT);
      if (received < HEADER_BYTES) {
        throw new IOException("no answer from sock_diag(7)");
      }
      if (answer.get(ValueLayout.JAVA_INT, SEQUENCE) == sequence) {
        return received; // not one to a question that failed in the middle
      }
    }
  }

  /** That there is no such socket, unless the kernel failed in another way. */
  private int none(int received) throws IOException {
    int error = received < ERROR + Integer.BYTES ? 0 : answer.get(ValueLayout.JAVA_INT, ERROR);
    if (error != -ENOENT) {
      throw new IOException("sock_diag(7) failed with errno " + -error);
    }
    return 0;
  }

  private void ask(InetAddress address, int port) {
    request.set(ValueLayout.JAVA_INT, SEQUENCE, ++sequence);
    boolean six = address instanceof Inet6Address;
    request.set(ValueLayout.JAVA_BYTE, HEADER_BYTES, (byte) (six ? AF_INET6 : AF_INET));
    request.set(ValueLayout.JAVA_SHORT.withOrder(ByteOrder.BIG_ENDIAN), SOURCE_PORT, (short) port);
    byte[] bytes = address.getAddress();
    MemorySegment.copy(bytes, 0, request, ValueLayout.JAVA_BYTE, SOURCE, bytes.length);
  }

  @Override
  public void close() {
    lock.lock();
    try {
      if (!closed) {
        closed = true;
        call(CLOSE, socket, 0, 0, 0);
        arena.close();
      }
    } finally {
      lock.unlock();
    }
  }
}
