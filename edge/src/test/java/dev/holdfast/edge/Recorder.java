package dev.holdfast.edge;

import java.io.IOException;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/**
 * An app that writes down every request that reaches it, reads strictly, and answers with the
 * method and the target.
 */
final class Recorder implements AutoCloseable {
  /** Requests that came whole. */
  final List<StrictReader.Seen> seen = new CopyOnWriteArrayList<>();

  /** What is wrong with what came and was no whole request. */
  final List<String> broken = new CopyOnWriteArrayList<>();

  final Backend backend;

  Recorder() throws IOException {
    backend = new Backend(this::serve);
  }

  private void serve(Wire wire) throws IOException {
    var reader = new StrictReader(wire.in);
    while (true) {
      StrictReader.Seen request;
      try {
        request = reader.request();
      } catch (IOException e) {
        broken.add(String.valueOf(e.getMessage()));
        return;
      }
      if (request == null) {
        return;
      }
      seen.add(request);
      var body = body(request);
      wire.send(
          "HTTP/1.1 200 OK\r\nContent-Length: "
              + body.length()
              + "\r\n\r\n"
              + (request.method().equals("HEAD") ? "" : body));
    }
  }

  static String body(StrictReader.Seen request) {
    return request.method() + " " + request.target();
  }

  @Override
  public void close() throws IOException {
    backend.close();
  }
}
