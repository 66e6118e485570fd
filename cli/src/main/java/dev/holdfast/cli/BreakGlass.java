package dev.holdfast.cli;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * The last way to a platform's control rods: the socket in its folder, which answers when neither
 * its API nor its store does. Immutable.
 *
 * @param socket in the platform's folder
 */
record BreakGlass(Path socket) {
  private static final String FILE = "rods.sock";
  private static final Duration PATIENCE = Duration.ofSeconds(5);
  private static final int ANSWER_BYTES_MAX = 2 << 20;

  /** The socket of that platform, or null when it is not one of this machine. */
  static @Nullable BreakGlass of(Target target) {
    return switch (target) {
      case Target.Home(var folder) -> new BreakGlass(folder.resolve(FILE));
      case Target.Server _ -> null;
    };
  }

  /** Whether there is a socket; who listens is seen only when it is asked. */
  boolean exists() {
    return Files.exists(socket);
  }

  /**
   * The answer to one question.
   *
   * @throws Absent when nobody answers
   * @throws Refused with the platform's own sentence
   */
  JsonNode ask(ObjectNode question) {
    byte[] answer;
    try (var channel = SocketChannel.open(StandardProtocolFamily.UNIX);
        var selector = Selector.open()) {
      channel.connect(UnixDomainSocketAddress.of(socket));
      channel.configureBlocking(false);
      var key = channel.register(selector, SelectionKey.OP_WRITE);
      write(channel, selector, Json.line(question) + "\n");
      key.interestOps(SelectionKey.OP_READ);
      answer = read(channel, selector);
    } catch (IOException e) {
      throw new Absent("Nobody answers at " + socket + ": " + Text.oneLine("" + e.getMessage()));
    }
    var said = Json.parse(answer, "The answer of " + socket);
    if (!said.path("done").asBoolean(false)) {
      throw new Refused(Text.safe(Json.text(said, "detail", "It was refused.")));
    }
    return said;
  }

  private void write(SocketChannel channel, Selector selector, String line) throws IOException {
    var bytes = ByteBuffer.wrap(line.getBytes(UTF_8));
    while (bytes.hasRemaining()) {
      if (channel.write(bytes) == 0) {
        await(selector);
      }
    }
  }

  private byte[] read(SocketChannel channel, Selector selector) throws IOException {
    var all = new ByteArrayOutputStream();
    var buffer = ByteBuffer.allocate(8192);
    while (all.size() <= ANSWER_BYTES_MAX) {
      int read = channel.read(buffer.clear());
      if (read < 0) {
        return all.toByteArray();
      }
      all.write(buffer.array(), 0, read);
      if (read == 0) {
        await(selector);
      }
    }
    throw new IOException("more than " + ANSWER_BYTES_MAX + " bytes");
  }

  private void await(Selector selector) throws IOException {
    selector.selectedKeys().clear();
    if (selector.select(PATIENCE.toMillis()) == 0) {
      throw new IOException("silent for " + PATIENCE.toSeconds() + " s");
    }
  }
}
