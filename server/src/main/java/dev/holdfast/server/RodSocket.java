package dev.holdfast.server;

import dev.holdfast.limits.Check;
import dev.holdfast.limits.Deadline;
import dev.holdfast.limits.KnownRod;
import dev.holdfast.limits.Outcome;
import dev.holdfast.limits.RodOrder;
import dev.holdfast.limits.Time;
import dev.holdfast.server.RodShapes.RodList;
import dev.holdfast.server.RodShapes.RodShape;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.logging.Level;
import java.util.logging.Logger;
import jdk.net.ExtendedSocketOptions;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;

/**
 * Break-glass: control rods over a socket in the home directory, for whoever may read the
 * directory's files. One line of JSON in, one line out. Served by threads of its own that need
 * nothing but the {@link RodBoard}, so that it works when the store and the API are dead. A client
 * that says nothing is cut off, and meanwhile another thread serves. Thread-safe.
 */
final class RodSocket implements AutoCloseable {
  /** Name of the socket in the home directory. */
  static final String FILE = "rods.sock";

  private static final Logger LOG = Logger.getLogger(RodSocket.class.getName());
  private static final String ROOT = "root";
  private static final int THREADS = 3;
  private static final int LINE_BYTES_MAX = 64 * 1024;
  private static final int ANSWER_BYTES_MAX = 1 << 20;
  private static final Duration PATIENCE = Duration.ofSeconds(1);
  private static final Duration BROKEN_REST = Duration.ofMillis(100);

  private final RodBoard board;
  private final Time time;
  private final Path path;
  private final ServerSocketChannel listener;
  private final String owner;
  private final List<Thread> threads = new ArrayList<>();

  /** What is asked. */
  record Ask(
      String ask,
      @Nullable String name,
      @Nullable String scope,
      @Nullable String level,
      @Nullable String ttl,
      @Nullable String reason,
      @Nullable Boolean drill) {
    Ask {
      Objects.requireNonNull(ask, "ask");
    }
  }

  /**
   * What is answered.
   *
   * @param detail why it was refused, or null
   * @param remark what the caller should know besides
   */
  record Answer(
      boolean done,
      @Nullable String detail,
      List<RodShape> items,
      @Nullable RodList list,
      @Nullable String remark) {}

  private RodSocket(
      RodBoard board, Time time, Path path, ServerSocketChannel listener, String owner) {
    this.board = board;
    this.time = time;
    this.path = path;
    this.listener = listener;
    this.owner = owner;
  }

  /**
   * Listens in that directory, of which the caller is the only owner.
   *
   * @throws IOException when it cannot, as when the directory's path is too long for a socket
   */
  static RodSocket open(RodBoard board, Path directory, Time time) throws IOException {
    var path = directory.resolve(FILE);
    Files.deleteIfExists(path); // of a predecessor that was killed
    var listener = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
    String owner;
    try {
      listener.bind(UnixDomainSocketAddress.of(path));
      Files.setPosixFilePermissions(path, PosixFilePermissions.fromString("rw-------"));
      owner = Files.getOwner(path).getName();
    } catch (IOException | RuntimeException e) {
      listener.close();
      throw new IOException(
          path
              + " cannot be listened at: "
              + e.getMessage()
              + " (expected: a path of at most"
              + " about 100 bytes in a directory that can be written)",
          e);
    }
    var socket = new RodSocket(board, time, path, listener, owner);
    for (int i = 1; i <= THREADS; i++) {
      socket.threads.add(
          Thread.ofPlatform().name("rods-socket-" + i).daemon().start(socket::serve));
    }
    return socket;
  }

  /** As {@link #open}; where that fails there is no break-glass, but there is a platform. */
  static AutoCloseable openOrWarn(RodBoard board, Path directory, Time time) {
    try {
      return open(board, directory, time);
    } catch (IOException e) {
      LOG.log(Level.WARNING, "no local rods: " + e.getMessage(), e);
      return () -> {};
    }
  }

  @SuppressWarnings("CatchThrowable") // nothing that a client does may end the last way in
  private void serve() {
    while (listener.isOpen()) {
      try (var client = listener.accept()) {
        serve(client);
      } catch (ClosedChannelException e) {
        if (!listener.isOpen()) {
          return;
        }
      } catch (Throwable t) {
        LOG.log(Level.WARNING, "a client of " + path + " was not served", t);
        rest();
      }
    }
  }

  private void rest() {
    try {
      time.sleep(BROKEN_REST);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void serve(SocketChannel client) throws IOException {
    var deadline = Deadline.after(time, PATIENCE);
    var user = client.getOption(ExtendedSocketOptions.SO_PEERCRED).user().getName();
    if (!user.equals(owner) && !user.equals(ROOT)) {
      return; // he came before the socket was closed to others
    }
    client.configureBlocking(false);
    try (var selector = Selector.open()) {
      var key = client.register(selector, SelectionKey.OP_READ);
      var line = line(client, selector, deadline);
      if (line == null) {
        return;
      }
      var answer = answer("local " + user, line);
      key.interestOps(SelectionKey.OP_WRITE);
      say(client, selector, deadline, answer);
    }
  }

  /** What the client said up to the end of its line, or null when it did not in time. */
  private static byte @Nullable [] line(SocketChannel client, Selector selector, Deadline deadline)
      throws IOException {
    var line = new ByteArrayOutputStream();
    var buffer = ByteBuffer.allocate(4096);
    while (line.size() <= LINE_BYTES_MAX) {
      int read = client.read(buffer.clear());
      if (read < 0) {
        return null;
      }
      for (int i = 0; i < read; i++) {
        if (buffer.get(i) == '\n') {
          return line.toByteArray();
        }
        line.write(buffer.get(i));
      }
      if (read == 0 && !ready(selector, deadline)) {
        return null;
      }
    }
    return null;
  }

  private static void say(SocketChannel client, Selector selector, Deadline deadline, byte[] answer)
      throws IOException {
    var bytes = ByteBuffer.wrap(answer);
    while (bytes.hasRemaining()) {
      if (client.write(bytes) == 0 && !ready(selector, deadline)) {
        return;
      }
    }
  }

  private static boolean ready(Selector selector, Deadline deadline) throws IOException {
    long millis = TimeUnit.NANOSECONDS.toMillis(deadline.leftNanos());
    if (millis <= 0) {
      return false;
    }
    selector.selectedKeys().clear();
    return selector.select(millis) > 0;
  }

  private byte[] answer(String who, byte[] line) {
    Answer answer;
    try {
      answer = answer(who, Json.MAPPER.readValue(line, Ask.class));
    } catch (JacksonException | NullPointerException e) {
      answer = refused("the request is not understood: " + Check.printable("" + e.getMessage()));
    } catch (IllegalArgumentException e) {
      answer = refused(String.valueOf(e.getMessage()));
    }
    var out = new ByteArrayOutputStream();
    out.writeBytes(Json.bytes(answer));
    if (out.size() > ANSWER_BYTES_MAX) {
      out.reset();
      out.writeBytes(Json.bytes(refused("too many rods to show")));
    }
    out.write('\n');
    return out.toByteArray();
  }

  private Answer answer(String who, Ask ask) {
    return switch (ask.ask()) {
      case "list" -> new Answer(true, null, List.of(), board.list(), null);
      case "set" -> set(who, ask);
      case "lift" -> lift(who, ask);
      default -> refused(Check.message("ask", ask.ask(), "list, set or lift"));
    };
  }

  private Answer set(String who, Ask ask) {
    var order =
        new RodOrder(
            Objects.requireNonNullElse(ask.name(), ""),
            ask.scope(),
            ask.level(),
            ask.ttl(),
            ask.reason(),
            Boolean.TRUE.equals(ask.drill()));
    return switch (board.setHere(who, order)) {
      case Outcome.Done<RodBoard.Here>(var here) ->
          new Answer(
              true,
              null,
              List.of(RodShape.of(here.rod(), true, 0)),
              null,
              here.unsaved() == null
                  ? null
                  : "It acts, and will be gone after a restart: " + here.unsaved());
      case Outcome.Refused<RodBoard.Here>(var refusal) -> refused(refusal.message());
    };
  }

  private Answer lift(String who, Ask ask) {
    var known = KnownRod.of(Objects.requireNonNullElse(ask.name(), ""));
    var scope = RodOrder.scope(known, ask.scope(), board.node());
    var lifted = board.liftHere(who, known.word(), scope, ask.reason());
    if (lifted.isEmpty()) {
      return refused(
          Check.message(
              "local rod",
              known.word() + " " + scope,
              "one that was set on this node; what stands in the ledger is lifted through the"
                  + " API"));
    }
    var shapes = lifted.stream().map(one -> RodShape.of(one.rod(), false, one.effect())).toList();
    return new Answer(true, null, shapes, null, null);
  }

  private static Answer refused(String detail) {
    return new Answer(false, detail, List.of(), null, null);
  }

  @Override
  public void close() {
    try {
      listener.close();
      Files.deleteIfExists(path);
    } catch (IOException e) {
      LOG.log(Level.WARNING, path + " was not removed", e);
    }
    try {
      for (var thread : threads) {
        thread.interrupt();
        thread.join(PATIENCE.toMillis() + 1_000);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
