import static java.nio.charset.StandardCharsets.ISO_8859_1;

import com.sun.net.httpserver.HttpServer;
import java.io.BufferedInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.Executors;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;

/**
 * What follow.sh needs beside the platform; run from its source.
 *
 * <ul>
 *   <li>{@code answer PORT}: an origin that answers 204 on loopback until it is killed.
 *   <li>{@code applied API TOKEN TO RATE SECONDS EDGE-PORT...}: adds RATE routes of new hosts a
 *       second, each asked for when it is due and not when the one before is done, and asks every
 *       edge for each host over and over, on one connection an edge, until it is routed (anything
 *       but 404). A time runs from the moment the API's acknowledgement was read, and another from
 *       the moment the change was sent, to the moment the routed answer was read: commit to applied
 *       lies between the two. An edge is asked for one host after the other, so that a host may
 *       have been there before it was asked for; times are upper bounds.
 * </ul>
 */
final class Follow {
  private static final long RETRY_NANOS = 500_000;
  private static final long LOST_NANOS = 30_000_000_000L;
  private static final int WARM_UP = 300; // changes that are not counted

  private record Change(int number, String host, long sent, long acknowledged) {}

  public static void main(String[] words) throws Exception {
    switch (words[0]) {
      case "answer" -> answer(Integer.parseInt(words[1]));
      case "applied" -> applied(List.of(words));
      default -> throw new IllegalArgumentException(words[0]);
    }
  }

  private static void answer(int port) throws IOException {
    var server = HttpServer.create(new InetSocketAddress("127.0.0.1", port), 0);
    server.createContext(
        "/",
        exchange -> {
          exchange.sendResponseHeaders(204, -1);
          exchange.close();
        });
    server.start();
  }

  private static void applied(List<String> words) throws Exception {
    var api = words.get(1);
    var token = words.get(2);
    var to = words.get(3);
    int rate = Integer.parseInt(words.get(4));
    int changes = WARM_UP + rate * Integer.parseInt(words.get(5));
    var ports = words.subList(6, words.size()).stream().map(Integer::parseInt).toList();
    var queues = new ArrayList<LinkedBlockingQueue<Change>>();
    long[][] afterAck = new long[ports.size()][changes];
    long[][] afterSend = new long[ports.size()][changes];
    var threads = new ArrayList<Thread>();
    for (int i = 0; i < ports.size(); i++) {
      int edge = i;
      var queue = new LinkedBlockingQueue<Change>();
      queues.add(queue);
      threads.add(
          Thread.ofPlatform()
              .start(() -> {
                try (var visitor = new Visitor(ports.get(edge))) {
                  for (int n = 0; n < changes; n++) {
                    var change = queue.take();
                    long seen = visitor.awaitRouted(change);
                    afterAck[edge][change.number()] = seen - change.acknowledged();
                    afterSend[edge][change.number()] = seen - change.sent();
                  }
                } catch (IOException | InterruptedException e) {
                  throw new IllegalStateException("edge " + ports.get(edge), e);
                }
              }));
    }
    var run = Long.toString(System.currentTimeMillis(), 36);
    var late = new AtomicLong();
    try (var http = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
        var writers = Executors.newVirtualThreadPerTaskExecutor()) {
      long start = System.nanoTime();
      for (int n = 0; n < changes; n++) {
        long due = start + n * 1_000_000_000L / rate;
        LockSupport.parkNanos(due - System.nanoTime());
        int number = n;
        writers.submit(() -> {
          var host = "changed-" + run + "-" + number + ".example.com";
          long sent = System.nanoTime();
          late.accumulateAndGet(sent - due, Math::max);
          var answer =
              http.send(
                  HttpRequest.newBuilder(URI.create(api + "/v1/routes/" + host))
                      .header("Authorization", "Bearer " + token)
                      .header("Content-Type", "application/json")
                      .PUT(HttpRequest.BodyPublishers.ofString("{\"to\":\"%s\"}".formatted(to)))
                      .build(),
                  BodyHandlers.ofString());
          long acknowledged = System.nanoTime();
          if (answer.statusCode() != 200) {
            System.err.println(answer.statusCode() + " " + answer.body());
            System.exit(1);
          }
          for (var queue : queues) {
            queue.put(new Change(number, host, sent, acknowledged));
          }
          return null;
        });
      }
    }
    for (var thread : threads) {
      thread.join();
    }
    System.out.printf(
        "%d changes at %d/s, the first %d not counted; writer late by %.1f ms at most%n",
        changes, rate, WARM_UP, late.get() / 1e6);
    for (int edge = 0; edge < ports.size(); edge++) {
      print("edge " + (edge + 1), afterAck[edge], afterSend[edge]);
    }
    print("all", flat(afterAck), flat(afterSend));
  }

  private static long[] flat(long[][] edges) {
    return Arrays.stream(edges).flatMapToLong(e -> Arrays.stream(e).skip(WARM_UP)).toArray();
  }

  private static void print(String who, long[] afterAck, long[] afterSend) {
    System.out.printf(
        "%-7s  from acknowledged: %s   from sent: %s%n",
        who, quantiles(afterAck, who), quantiles(afterSend, who));
  }

  private static String quantiles(long[] nanos, String who) {
    long[] sorted = who.equals("all") ? nanos : Arrays.copyOfRange(nanos, WARM_UP, nanos.length);
    Arrays.sort(sorted);
    return "p50 %.1f p99 %.1f max %.1f ms"
        .formatted(
            sorted[sorted.length / 2] / 1e6,
            sorted[(int) (sorted.length * 0.99)] / 1e6,
            sorted[sorted.length - 1] / 1e6);
  }

  /** One connection to one edge. */
  private static final class Visitor implements AutoCloseable {
    private final int port;
    private Socket socket;
    private InputStream in;

    Visitor(int port) throws IOException {
      this.port = port;
      connect();
    }

    private void connect() throws IOException {
      socket = new Socket("127.0.0.1", port);
      socket.setTcpNoDelay(true);
      socket.setSoTimeout((int) TimeUnit.NANOSECONDS.toMillis(LOST_NANOS));
      in = new BufferedInputStream(socket.getInputStream());
    }

    long awaitRouted(Change change) throws IOException {
      while (true) {
        int status = ask(change.host());
        long now = System.nanoTime();
        if (status != 404) {
          return now;
        }
        if (now - change.acknowledged() > LOST_NANOS) {
          throw new IOException(change + " never came");
        }
        LockSupport.parkNanos(RETRY_NANOS);
      }
    }

    private int ask(String host) throws IOException {
      byte[] request = ("GET / HTTP/1.1\r\nHost: " + host + "\r\n\r\n").getBytes(ISO_8859_1);
      socket.getOutputStream().write(request);
      int status = Integer.parseInt(line().split(" ", 3)[1]);
      long length = 0;
      boolean close = false;
      for (var line = line(); !line.isEmpty(); line = line()) {
        var lower = line.toLowerCase(java.util.Locale.ROOT);
        if (lower.startsWith("content-length:")) {
          length = Long.parseLong(lower.substring(15).strip());
        }
        close |= lower.equals("connection: close");
      }
      in.skipNBytes(length);
      if (close) {
        socket.close();
        connect();
      }
      return status;
    }

    private String line() throws IOException {
      var line = new StringBuilder();
      for (int b = in.read(); b != '\n'; b = in.read()) {
        if (b < 0) {
          throw new EOFException();
        }
        if (b != '\r') {
          line.append((char) b);
        }
      }
      return line.toString();
    }

    @Override
    public void close() throws IOException {
      socket.close();
    }
  }
}
