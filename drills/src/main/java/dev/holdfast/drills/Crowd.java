package dev.holdfast.drills;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.PriorityQueue;
import org.jspecify.annotations.Nullable;

/** A group of visitors while they come, and their connections. Confined to the load's thread. */
final class Crowd {
  /** Most that is read at a time, in bytes. */
  static final int READ_BYTES = 64 * 1024;

  final Visitors visitors;
  final @Nullable Plan plan;
  private final byte[][] requests;
  final Tally tally = new Tally();
  final List<ArrayDeque<Wire>> idle = new ArrayList<>();
  final PriorityQueue<Try> waiting =
      new PriorityQueue<>(Comparator.comparingLong(one -> one.untilNanos));
  long due;
  long visits;
  long retries;
  long connects;
  int planned;

  Crowd(Visitors visitors, @Nullable Plan plan) {
    this.visitors = visitors;
    this.plan = plan;
    requests = new byte[visitors.hosts()][];
    for (int i = 0; i < requests.length; i++) {
      requests[i] = request(visitors, visitors.host().replace("#", Integer.toString(i)));
    }
    int clients = plan == null ? visitors.clients() : plan.connections();
    for (int i = 0; i < clients; i++) {
      idle.add(new ArrayDeque<>());
    }
  }

  private static byte[] request(Visitors visitors, String host) {
    return ("GET "
            + visitors.path()
            + " HTTP/1.1\r\nHost: "
            + host
            + "\r\nUser-Agent: drill\r\nAccept: */*\r\n"
            + (visitors.keepAlive() ? "" : "Connection: close\r\n"))
        .getBytes(ISO_8859_1);
  }

  /** What is asked for next. */
  byte[] request() {
    return requests[(int) (visits % requests.length)];
  }

  /** One try of a visit, in the order in which patience ends. */
  static final class Try {
    final Wire wire;
    final long dueNanos;
    final long sentNanos;
    final long untilNanos;
    final int number;
    boolean over;

    Try(Wire wire, long dueNanos, long sentNanos, long untilNanos, int number) {
      this.wire = wire;
      this.dueNanos = dueNanos;
      this.sentNanos = sentNanos;
      this.untilNanos = untilNanos;
      this.number = number;
    }
  }

  /** A connection. */
  static final class Wire {
    final Crowd group;
    final int client;
    final SocketChannel channel;
    final SelectionKey key;
    final AnswerReader answer = new AnswerReader();
    ByteBuffer unsent = ByteBuffer.allocate(0);
    Try running;
    int bytesPerLook = READ_BYTES;
    boolean last;
    boolean resets;

    Wire(Crowd group, int client, SocketChannel channel, Selector selector) throws IOException {
      this.group = group;
      this.client = client;
      this.channel = channel;
      key = channel.register(selector, 0, this);
      running = new Try(this, 0, 0, 0, 0);
      running.over = true;
    }
  }
}
