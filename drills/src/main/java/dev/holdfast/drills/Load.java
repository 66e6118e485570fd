package dev.holdfast.drills;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import dev.holdfast.drills.Crowd.Try;
import dev.holdfast.drills.Crowd.Wire;
import dev.holdfast.limits.Check;
import dev.holdfast.limits.Time;
import java.io.IOException;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import org.HdrHistogram.Histogram;
import org.jspecify.annotations.Nullable;

/**
 * Visitors who come when they want to and not when the server is ready: an open-loop generator on
 * one thread. Requests are due by a schedule drawn beforehand, a late one is sent as soon as it can
 * be and its latency counts from when it was due, so that a server which stops for a second is
 * charged for everybody who came in that second (the coordinated-omission rule of wrk2 and
 * HdrHistogram). How late the generator itself was stands in a histogram of its own.
 *
 * <p>Use: {@link #add} the groups, {@link #start} once, {@link #await}, read the tallies. Confined
 * to the caller's thread between start and end, when its own thread has it.
 */
final class Load implements AutoCloseable {
  private static final int CONNECTIONS_MAX = 7_000;
  private static final long WAIT_MILLIS_MAX = 20;

  private final Time time;
  private final Random random;
  private final Timeline timeline;
  private final Selector selector;
  private final List<Crowd> groups = new ArrayList<>();
  private final ByteBuffer bytes = ByteBuffer.allocateDirect(Crowd.READ_BYTES);
  private final ConcurrentLinkedQueue<Crowd> joining = new ConcurrentLinkedQueue<>();
  private final ArrayDeque<Pausing> pausing = new ArrayDeque<>();
  private final Histogram scheduleError = new Histogram(Tally.MICROS_MAX, 2);
  private long start;
  private int connections;
  private @Nullable FutureTask<Integer> running;

  /** A load that draws its arrivals from a seed. */
  Load(Time time, long seed) throws IOException {
    this(time, seed, new Timeline(time));
  }

  /** One that tells a timeline when it began and what its visitors met. */
  Load(Time time, long seed, Timeline timeline) throws IOException {
    this.time = time;
    this.timeline = timeline;
    random = new Random(seed);
    selector = Selector.open();
  }

  /** A slow reader that looks again then; all pause for as long, so the first is due first. */
  private record Pausing(Wire wire, long untilNanos) {}

  /** Adds a group; what it met can be read after the run. */
  Tally add(Visitors visitors) {
    var group = new Crowd(visitors, null);
    groups.add(group);
    timeline.group(visitors.name(), group.tally);
    return group.tally;
  }

  /**
   * Adds a group while the load runs, which does what was planned.
   *
   * @param visitors who they are; their path, rates and patience do not count
   */
  Tally join(Visitors visitors, Plan plan) {
    var group = new Crowd(visitors, plan);
    timeline.group(visitors.name(), group.tally);
    joining.add(group);
    return group.tally;
  }

  /** How many connections a group opened; called when the load has ended. */
  long connects(String name) {
    return groups.stream()
        .filter(group -> group.visitors.name().equals(name))
        .mapToLong(group -> group.connects)
        .sum();
  }

  /** How late the generator itself was at the 99th percentile, in milliseconds. */
  double lateMillis() {
    return scheduleError.getValueAtPercentile(99) / 1000.0;
  }

  /** How late the generator itself was, in words. */
  String scheduleError() {
    return "p50 %.1f ms, p99 %.1f ms, most %.1f ms"
        .formatted(
            scheduleError.getValueAtPercentile(50) / 1000.0,
            scheduleError.getValueAtPercentile(99) / 1000.0,
            scheduleError.getMaxValue() / 1000.0);
  }

  /** Begins to send for so long; returns at once. */
  void start(int seconds) {
    Check.that(running == null, "start", "again", "once");
    start = time.nanos();
    timeline.begin(start);
    var task =
        new FutureTask<>(() -> {
          run(Duration.ofSeconds(seconds).toNanos());
          return seconds;
        });
    Thread.ofPlatform().daemon().name("load").start(task);
    running = task;
  }

  /** Waits until so many seconds have passed since the start. */
  void until(double seconds) throws InterruptedException {
    long left = (long) (seconds * 1e9) - since();
    time.sleep(Duration.ofNanos(Math.max(0, left)));
  }

  /**
   * Waits for the end and for the last answers.
   *
   * @throws IOException when the generator itself failed
   * @throws InterruptedException when the thread is asked to end
   */
  void await() throws IOException, InterruptedException {
    var task = running;
    Check.that(task != null, "start", "not called", "called before");
    try {
      Objects.requireNonNull(task).get();
    } catch (ExecutionException e) {
      throw new IOException("the generator failed: " + e.getCause(), e);
    }
  }

  private void run(long end) throws IOException, InterruptedException {
    groups.forEach(group -> group.due = next(group, 0, end));
    while (true) {
      for (var group = joining.poll(); group != null; group = joining.poll()) {
        group.due = next(group, 0, end);
        groups.add(group);
      }
      if (Thread.interrupted() || !selector.isOpen()) {
        throw new InterruptedException();
      }
      long now = since();
      long soon = now + Duration.ofMillis(WAIT_MILLIS_MAX).toNanos();
      lookAgain(now);
      boolean busy = now < end;
      for (var group : groups) {
        while (group.due <= now && group.due < end) {
          begin(group, now);
          group.due = next(group, group.due, end);
        }
        expire(group, since());
        busy |= !group.waiting.isEmpty();
        soon = Math.min(soon, group.due);
      }
      if (!busy) {
        return;
      }
      long millis = TimeUnit.NANOSECONDS.toMillis(soon - since());
      selector.select(
          key -> serve((Wire) key.attachment()), Math.clamp(millis, 1, WAIT_MILLIS_MAX));
    }
  }

  private long since() {
    return time.nanos() - start;
  }

  /** When the next visit of a group is due; after the end when none is. */
  private long next(Crowd group, long after, long end) {
    if (group.plan != null) {
      return group.planned < group.plan.visits().size()
          ? group.plan.visits().get(group.planned).dueNanos()
          : Long.MAX_VALUE;
    }
    long at = after;
    long step = TimeUnit.MILLISECONDS.toNanos(100);
    while (at < end) {
      double rate = group.visitors.perNano(at);
      if (rate > 0) {
        long gap = (long) (-Math.log(1 - random.nextDouble()) / rate);
        // A gap that reaches into the next 100 ms is drawn again there: the process has no memory.
        long border = (at / step + 1) * step;
        if (at + gap < border) {
          return at + Math.max(1, gap);
        }
      }
      at = (at / step + 1) * step;
    }
    return Long.MAX_VALUE;
  }

  private void begin(Crowd group, long now) {
    scheduleError.recordValue(Math.clamp((now - group.due) / 1000, 0, Tally.MICROS_MAX));
    group.visits++;
    group.tally.offered(group.due);
    if (group.plan == null) {
      send(group, random.nextInt(group.visitors.clients()), group.due, 1);
    } else {
      send(group, group.plan.visits().get(group.planned).connection(), group.due, 1);
      group.planned++;
    }
  }

  private void send(Crowd group, int client, long due, int number) {
    long now = since();
    var wire = group.idle.get(client).pollLast();
    try {
      if (wire == null) {
        wire = connect(group, client);
      }
    } catch (IOException e) {
      group.tally.tried(now);
      group.tally.ended(due, now, Tally.End.FAILED);
      return;
    }
    group.tally.tried(now);
    var visit = group.plan == null ? null : group.plan.visits().get(group.planned);
    var patience = visit == null ? group.visitors.patience() : visit.patience();
    var running = new Try(wire, due, now, now + patience.toNanos(), number);
    wire.running = running;
    wire.bytesPerLook = visit == null ? Crowd.READ_BYTES : visit.bytesPerLook(Crowd.READ_BYTES);
    group.waiting.add(running);
    wire.answer.reset();
    if (visit != null) {
      wire.last = visit.last();
      wire.resets = visit.resets();
      wire.unsent = ByteBuffer.wrap(visit.request());
      begin(wire);
      return;
    }
    var tail = (number > 1 ? "Retry-Attempt: " + (number - 1) + "\r\n\r\n" : "\r\n");
    var request = group.request();
    wire.unsent =
        ByteBuffer.allocate(request.length + tail.length())
            .put(request)
            .put(tail.getBytes(ISO_8859_1))
            .flip();
    begin(wire);
  }

  private void begin(Wire wire) {
    if (wire.channel.isConnected()) {
      write(wire);
    } else {
      wire.key.interestOps(SelectionKey.OP_CONNECT);
    }
  }

  private Wire connect(Crowd group, int client) throws IOException {
    if (connections >= CONNECTIONS_MAX) {
      throw new IOException("connections: " + connections + " (expected: fewer)");
    }
    var channel = SocketChannel.open();
    try {
      channel.configureBlocking(false);
      channel.setOption(StandardSocketOptions.TCP_NODELAY, true);
      channel.setOption(StandardSocketOptions.SO_REUSEADDR, true);
      channel.bind(group.visitors.client(client % group.visitors.clients()));
      channel.connect(group.visitors.to());
      connections++;
      group.connects++;
      return new Wire(group, client, channel, selector);
    } catch (IOException e) {
      channel.close();
      throw e;
    }
  }

  private void serve(Wire wire) {
    try {
      if (!wire.key.isValid()) {
        return;
      }
      if (wire.key.isConnectable()) {
        wire.channel.finishConnect();
        write(wire);
      } else if (wire.key.isWritable()) {
        write(wire);
      } else if (wire.key.isReadable()) {
        read(wire);
      }
    } catch (IOException e) {
      broken(wire);
    }
  }

  private void write(Wire wire) {
    try {
      wire.channel.write(wire.unsent);
      wire.key.interestOps(
          wire.unsent.hasRemaining() ? SelectionKey.OP_WRITE : SelectionKey.OP_READ);
    } catch (IOException e) {
      broken(wire);
    }
  }

  /** Slow readers whose pause is over. */
  private void lookAgain(long now) {
    for (var first = pausing.peek();
        first != null && first.untilNanos <= now;
        first = pausing.peek()) {
      pausing.remove();
      if (first.wire.key.isValid()) {
        first.wire.key.interestOps(SelectionKey.OP_READ);
      }
    }
  }

  private void read(Wire wire) throws IOException {
    bytes.clear().limit(Math.min(Crowd.READ_BYTES, wire.bytesPerLook));
    if (wire.bytesPerLook < Crowd.READ_BYTES && !wire.running.over) {
      wire.key.interestOps(0);
      pausing.add(new Pausing(wire, since() + Plan.LOOK.toNanos()));
    }
    int count = wire.channel.read(bytes);
    bytes.flip();
    if (wire.running.over) {
      close(wire); // the server closes an idle connection, or says what nobody asked
      return;
    }
    var progress = count < 0 ? ended(wire) : wire.answer.read(bytes);
    switch (progress) {
      case MORE -> {}
      case BROKEN -> broken(wire);
      case DONE -> answered(wire, count < 0);
    }
  }

  private static AnswerReader.Progress ended(Wire wire) {
    return wire.answer.endsWithClose() ? AnswerReader.Progress.DONE : AnswerReader.Progress.BROKEN;
  }

  private void answered(Wire wire, boolean closed) {
    var group = wire.group;
    var running = wire.running;
    long now = since();
    int status = wire.answer.status();
    running.over = true;
    if (closed || wire.answer.closes() || wire.last || !group.visitors.keepAlive()) {
      close(wire);
    } else {
      group.idle.get(wire.client).add(wire);
    }
    if (status == 200) {
      group.tally.ended(running.dueNanos, now, Tally.End.GOOD);
      group.tally.sent(running.sentNanos, now);
    } else if (status == 503 || status == 429) {
      group.tally.refusal(now);
      failed(running, Tally.End.REFUSED);
    } else {
      failed(running, Tally.End.FAILED);
    }
  }

  private void broken(Wire wire) {
    close(wire);
    if (!wire.running.over) {
      wire.running.over = true;
      failed(wire.running, Tally.End.FAILED);
    }
  }

  private void expire(Crowd group, long now) {
    while (true) {
      var oldest = group.waiting.peek();
      if (oldest == null || (!oldest.over && oldest.untilNanos > now)) {
        return;
      }
      group.waiting.remove();
      if (!oldest.over) {
        oldest.over = true;
        reset(oldest.wire);
        close(oldest.wire);
        failed(oldest, Tally.End.LATE);
      }
    }
  }

  private static void reset(Wire wire) {
    if (!wire.resets) {
      return;
    }
    try {
      wire.channel.setOption(StandardSocketOptions.SO_LINGER, 0);
    } catch (IOException e) {
      wire.resets = false; // it is gone
    }
  }

  private void failed(Try last, Tally.End how) {
    var group = last.wire.group;
    boolean again =
        switch (group.visitors.retries()) {
          case Retries.None() -> false;
          case Retries.Immediate(int most) -> last.number <= most;
          case Retries.Budget(int percent) ->
              (group.retries + 1) * 100 <= group.visits * percent && last.number == 1;
        };
    if (again) {
      group.retries++;
      send(group, last.wire.client, last.dueNanos, last.number + 1);
    } else {
      group.tally.ended(last.dueNanos, since(), how);
    }
  }

  private void close(Wire wire) {
    if (!wire.channel.isOpen()) {
      return;
    }
    connections--;
    wire.group.idle.get(wire.client).remove(wire);
    try {
      wire.channel.close();
    } catch (IOException e) {
      throw new IllegalStateException("a socket cannot be closed", e);
    }
  }

  /** Ends at once and closes every connection. */
  @Override
  public void close() throws IOException {
    var task = running;
    if (task != null) {
      task.cancel(true);
    }
    for (var key : selector.keys()) {
      key.channel().close();
    }
    selector.close();
  }
}
