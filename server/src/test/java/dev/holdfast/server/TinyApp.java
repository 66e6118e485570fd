package dev.holdfast.server;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;

/** The app that the tests deploy: it says who it is, and logs every path that it is asked for. */
final class TinyApp {
  private TinyApp() {}

  public static void main(String[] arguments) throws IOException {
    int port = Integer.parseInt(System.getenv().getOrDefault("PORT", "0"));
    try (var server = new ServerSocket(port, 50, InetAddress.getLoopbackAddress())) {
      System.out.println("tiny listens");
      while (true) {
        var client = server.accept();
        Thread.ofVirtual().start(() -> answer(client));
      }
    }
  }

  private static void answer(Socket client) {
    try (client) {
      var in = new BufferedReader(new InputStreamReader(client.getInputStream(), US_ASCII));
      var first = in.readLine();
      var line = first;
      while (line != null && !line.isEmpty()) {
        line = in.readLine();
      }
      if (first == null) {
        return; // somebody looked whether anybody listens
      }
      System.out.println("tiny asked for " + first.split(" ", -1)[1]);
      var body =
          "release=%s process=%s greeting=%s"
              .formatted(
                  System.getenv("HOLDFAST_RELEASE"),
                  System.getenv("DYNO"),
                  System.getenv().getOrDefault("GREETING", "none"));
      client
          .getOutputStream()
          .write(
              ("HTTP/1.1 200 OK\r\nContent-Length: "
                      + body.length()
                      + "\r\nConnection: close\r\n\r\n"
                      + body)
                  .getBytes(UTF_8));
    } catch (IOException e) {
      System.out.println("tiny lost a client");
    }
  }
}
