package dev.holdfast.edge;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.util.Locale;

/** Raw bytes over a socket, and just enough HTTP to know where a message ends. */
final class Wire implements AutoCloseable {
  static final int PATIENCE_MILLIS = 10_000;

  final Socket socket;
  final InputStream in;

  Wire(Socket socket) throws IOException {
    this.socket = socket;
    socket.setSoTimeout(PATIENCE_MILLIS);
    socket.setTcpNoDelay(true);
    in = new BufferedInputStream(socket.getInputStream());
  }

  static Wire to(InetSocketAddress address) throws IOException {
    return new Wire(new Socket(address.getAddress(), address.getPort()));
  }

  Wire send(String text) throws IOException {
    socket.getOutputStream().write(text.getBytes(ISO_8859_1));
    socket.getOutputStream().flush();
    return this;
  }

  /** Up to and with the empty line; what came when the end came before. */
  String head() throws IOException {
    var out = new StringBuilder();
    int c;
    while ((c = in.read()) >= 0) {
      out.append((char) c);
      if (c == '\n' && out.toString().endsWith("\r\n\r\n")) {
        break;
      }
    }
    return out.toString();
  }

  String bytes(int count) throws IOException {
    return new String(in.readNBytes(count), ISO_8859_1);
  }

  String line() throws IOException {
    var out = new StringBuilder();
    int c;
    while ((c = in.read()) >= 0 && c != '\n') {
      out.append((char) c);
    }
    return out.toString().strip();
  }

  /** Everything until the other side ends regularly. */
  String rest() throws IOException {
    return new String(in.readAllBytes(), ISO_8859_1);
  }

  /** A whole message, its body decoded. */
  Message message(boolean bodyless) throws IOException {
    var head = head();
    var length = field(head, "content-length");
    if (bodyless || head.isEmpty()) {
      return new Message(head, "");
    }
    if ("chunked".equals(field(head, "transfer-encoding"))) {
      var body = new ByteArrayOutputStream();
      while (true) {
        int size = Integer.parseInt(line(), 16);
        if (size == 0) {
          var trailers = new StringBuilder();
          for (var line = line(); !line.isEmpty(); line = line()) {
            trailers.append(line).append('\n');
          }
          return new Message(head + trailers, body.toString(ISO_8859_1));
        }
        body.write(in.readNBytes(size));
        line();
      }
    }
    return new Message(
        head,
        length == null
            ? (head.startsWith("HTTP/") ? rest() : "")
            : bytes(Integer.parseInt(length)));
  }

  Message message() throws IOException {
    return message(false);
  }

  static @org.jspecify.annotations.Nullable String field(String head, String name) {
    for (var line : head.split("\r\n", -1)) {
      int colon = line.indexOf(':');
      if (colon > 0 && line.substring(0, colon).toLowerCase(Locale.ROOT).equals(name)) {
        return line.substring(colon + 1).strip();
      }
    }
    return null;
  }

  record Message(String head, String body) {
    int status() {
      return head.isEmpty() ? 0 : Integer.parseInt(head.substring(9, 12));
    }

    @org.jspecify.annotations.Nullable
    String field(String name) {
      return Wire.field(head, name);
    }
  }

  @Override
  public void close() throws IOException {
    socket.close();
  }
}
