import static java.nio.charset.StandardCharsets.UTF_8;

import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.concurrent.Executors;

/** Greets, and tells which release and which process did. */
public class Hello {
  public static void main(String[] args) throws IOException {
    int port = Integer.parseInt(env("PORT", "3000"));
    var server = HttpServer.create(new InetSocketAddress(port), 0);
    server.setExecutor(Executors.newFixedThreadPool(8));
    server.createContext(
        "/",
        exchange -> {
          var text =
              "Hello, %s!\nrelease %s, process %s\n"
                  .formatted(
                      env("NAME", "world"),
                      env("HOLDFAST_RELEASE", env("HEROKU_RELEASE_VERSION", "unknown")),
                      env("DYNO", "unknown"));
          var body = text.getBytes(UTF_8);
          exchange.getResponseHeaders().set("Content-Type", "text/plain; charset=utf-8");
          boolean head = exchange.getRequestMethod().equals("HEAD");
          exchange.sendResponseHeaders(200, head ? -1 : body.length);
          if (!head) {
            exchange.getResponseBody().write(body);
          }
          exchange.close();
        });
    // SIGTERM: what is under way may finish, for a second at most.
    Runtime.getRuntime().addShutdownHook(new Thread(() -> server.stop(1)));
    server.start();
    System.out.println("listening on " + port);
  }

  private static String env(String name, String otherwise) {
    var value = System.getenv(name);
    return value == null || value.isEmpty() ? otherwise : value;
  }
}
