package dev.holdfast.edge;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.io.DataInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.time.Duration;

/**
 * One question to one endpoint, on a connection of its own: whether a GET is answered with a status
 * from 200 to 399 or, where HTTP/2 is spoken, whether the connection is begun as RFC 9113 section
 * 3.4 says. Blocks; for virtual threads. Stateless.
 */
final class Probe {
  private static final byte[] HTTP2 = {
    'P', 'R', 'I', ' ', '*', ' ', 'H', 'T', 'T', 'P', '/', '2', '.', '0', '\r', '\n', '\r', '\n',
    'S', 'M', '\r', '\n', '\r', '\n', 0, 0, 0, 4, 0, 0, 0, 0, 0
  };
  private static final int SETTINGS = 4;
  private static final int FRAME_HEAD_BYTES = 9;
  private static final int STATUS_LINE_BYTES = "HTTP/1.1 200".length();

  private Probe() {}

  /** Whether it answers well in time; every read has the whole time, and there are few. */
  static boolean passes(Gauge gauge, Proofs proofs, String host, String path, Duration timeout) {
    var target = gauge.target;
    int millis = (int) timeout.toMillis();
    try (var socket = new Socket()) {
      socket.setSoTimeout(millis);
      socket.connect(new InetSocketAddress(target.bareHost(), target.port()), millis);
      if (!proofs.proven(gauge, socket.getInetAddress())) {
        return false;
      }
      var in = new DataInputStream(socket.getInputStream());
      if (target.http2()) {
        socket.getOutputStream().write(HTTP2);
        var head = new byte[FRAME_HEAD_BYTES];
        in.readFully(head);
        return head[3] == SETTINGS;
      }
      var request =
          "GET %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: Holdfast\r\nAccept: */*\r\nConnection: close\r\n\r\n"
              .formatted(path, host);
      socket.getOutputStream().write(request.getBytes(ISO_8859_1));
      var line = new byte[STATUS_LINE_BYTES];
      in.readFully(line);
      return new String(line, ISO_8859_1).matches("HTTP/1\\.[01] [23][0-9]{2}");
    } catch (EOFException e) {
      return false;
    } catch (IOException | RuntimeException e) {
      return false; // refused, reset, silent, or a name that nobody knows
    }
  }
}
