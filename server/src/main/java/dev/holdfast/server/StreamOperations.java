package dev.holdfast.server;

import static dev.holdfast.server.AppOperations.take;
import static java.nio.charset.StandardCharsets.UTF_8;

import dev.holdfast.ledger.Entry;
import dev.holdfast.ledger.Envelope;
import dev.holdfast.ledger.HistoryGone;
import dev.holdfast.ledger.Ledger;
import dev.holdfast.ledger.Sealed;
import dev.holdfast.ledger.StoreException;
import dev.holdfast.limits.Check;
import dev.holdfast.limits.Refusal;
import dev.holdfast.limits.Time;
import dev.holdfast.server.Operation.Query;
import dev.holdfast.server.Shapes.CompactionDone;
import dev.holdfast.server.Shapes.EntryList;
import dev.holdfast.server.Shapes.EntryShape;
import dev.holdfast.server.Shapes.NewCompaction;
import io.javalin.http.Context;
import io.javalin.http.HandlerType;
import java.io.IOException;
import java.io.InputStream;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.zip.GZIPInputStream;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;

/** The ledger for people, and the ledger as a stream for followers. Thread-safe. */
final class StreamOperations {
  /** Snapshots that are read at a time. */
  static final int SNAPSHOTS_MAX = 2;

  private static final String NDJSON = "application/x-ndjson";
  private static final byte[] NEWLINE = {'\n'};
  private static final int BATCH = 256;
  private static final int BUFFER_BYTES = 1 << 15;
  private static final int HEARTBEAT_MILLIS = 1_000;
  private static final int HEARTBEAT_MILLIS_MIN = 100;
  private static final int HEARTBEAT_MILLIS_MAX = 30_000;
  private static final Duration IDLE = Duration.ofSeconds(15);
  private static final long PAUSE_NANOS = Duration.ofMillis(50).toNanos();
  private static final Duration SNAPSHOT_WAIT = Duration.ofSeconds(10);
  private static final Duration RETRY_AFTER = Duration.ofSeconds(1);

  private static final String ONLY = "only";
  private static final String RODS = "rods";

  /** What can be followed: its stream, and the snapshots that it goes on from. */
  record Lane(StreamRing ring, LedgerSnapshots snapshots) {}

  private final Ledger ledger;
  private final Lane whole;
  private final Lane rods;
  private final StreamOuts outs;
  private final Time time;
  private final Semaphore reading = new Semaphore(SNAPSHOTS_MAX);

  StreamOperations(Ledger ledger, Lane whole, Lane rods, StreamOuts outs, Time time) {
    this.ledger = ledger;
    this.whole = whole;
    this.rods = rods;
    this.outs = outs;
    this.time = time;
  }

  List<Operation> all() {
    return List.of(
        Operation.get(
                "/v1/ledger",
                "The ledger: a page of entries for people, or with `since` the stream for"
                    + " followers.",
                EntryList.class,
                this::ledger)
            .with(
                new Query("after", "Page: entries after this position; 0 for the beginning"),
                new Query("limit", "Page: at most so many, 1 to 1000"),
                new Query("follow", "`true`: one JSON object a line, as entries come"),
                new Query(
                    "since",
                    "Stream: lines of newline-delimited JSON after this position, which the header"
                        + " Last-Event-ID may name too; 410 when they are compacted away"),
                new Query("ledger", "Stream: the ledger that the position belongs to"),
                new Query(
                    ONLY,
                    "Stream: `rods` for control rods, which nothing holds back; of all else the"
                        + " positions"),
                new Query(
                    "heartbeat",
                    "Stream: milliseconds between beacons, %d to %d, 1000 if not told"
                        .formatted(HEARTBEAT_MILLIS_MIN, HEARTBEAT_MILLIS_MAX)))
            .as(Operation.Access.FOLLOW, null),
        Operation.get(
                "/v1/ledger/snapshot",
                "The newest entry of every key that may leave the control node, one line each, and"
                    + " a last line that says the position.",
                String.class,
                this::snapshot)
            .with(new Query(ONLY, "`rods` for control rods only"))
            .as(Operation.Access.FOLLOW, NDJSON),
        Operation.of(
            HandlerType.POST,
            "/v1/ledger/compaction",
            "Drops entries that a later one of their key stands in for.",
            NewCompaction.class,
            CompactionDone.class,
            200,
            this::compact));
  }

  // ---- for people

  private @Nullable Object ledger(Context context) throws IOException, InterruptedException {
    var since = context.queryParam("since");
    var last = context.header("Last-Event-ID");
    if (since != null || last != null) {
      stream(context, position(last != null ? last : String.valueOf(since)));
      return null;
    }
    Api.requireFull(context);
    long after = Api.number(context, "after", 0, 0, Long.MAX_VALUE);
    int limit = Api.limit(context);
    try {
      if (!"true".equals(context.queryParam("follow"))) {
        var items = read(after, limit).stream().map(this::shape).toList();
        long end = items.isEmpty() ? after : items.getLast().position();
        long head = ledger.head();
        return new EntryList(items, end < head ? String.valueOf(end) : null, head);
      }
      follow(context, after);
      return null;
    } catch (StoreException e) {
      throw unreadable(e);
    }
  }

  /** Entries after that position; where some were compacted away, from the next that is left. */
  private List<Sealed> read(long after, int limit) throws StoreException {
    try {
      return ledger.read(after, limit);
    } catch (HistoryGone e) {
      return ledger.left(after, limit);
    }
  }

  private void follow(Context context, long from) throws IOException, InterruptedException {
    long after = from;
    try (var out = outs.open(context, NDJSON)) {
      out.flush();
      while (!whole.ring().closed()) {
        var batch = read(after, BATCH);
        for (var sealed : batch) {
          out.write(Json.bytes(shape(sealed)));
          out.write(NEWLINE);
          after = sealed.position();
        }
        if (batch.isEmpty() && ledger.awaitBeyond(after, IDLE) <= after) {
          out.write(NEWLINE);
        }
        out.flush();
      }
    } catch (StoreException e) {
      throw unreadable(e);
    }
  }

  private static Problem.Thrown unreadable(StoreException e) {
    return Problem.of(
        new Refusal.Unavailable("the ledger cannot be read: " + e.getMessage(), RETRY_AFTER));
  }

  private EntryShape shape(Sealed sealed) {
    return switch (Envelope.decode(sealed.envelope())) {
      case Envelope.Decoded.Good(var entry) -> shape(entry);
      case Envelope.Decoded.Unreadable(var cause) ->
          new EntryShape(
              sealed.position(), "", "unreadable", 0, 0, Instant.EPOCH, "", false, cause, false);
    };
  }

  private EntryShape shape(Entry entry) {
    return shape(ledger, entry);
  }

  /** The entry without what must not be shown. */
  static EntryShape shape(Ledger ledger, Entry entry) {
    boolean shown = ledger.kinds().mayShow(entry);
    return new EntryShape(
        entry.position(),
        entry.key(),
        entry.kind(),
        entry.schema(),
        entry.revision(),
        entry.time(),
        entry.actor(),
        entry.deleted(),
        shown && !entry.deleted() ? payload(entry) : null,
        !shown);
  }

  private static Object payload(Entry entry) {
    try {
      return Json.MAPPER.readTree(entry.payload().bytes());
    } catch (JacksonException e) {
      return new String(entry.payload().bytes(), UTF_8);
    }
  }

  // ---- for followers

  private static long position(String text) {
    try {
      long position = Long.parseLong(text);
      Check.that(position >= 0, "since", text, "0 or more");
      return position;
    } catch (NumberFormatException e) {
      throw new IllegalArgumentException(Check.message("since", text, "a position"), e);
    }
  }

  private void stream(Context context, long since) throws IOException, InterruptedException {
    var heartbeat =
        Duration.ofMillis(
            Api.number(
                context,
                "heartbeat",
                HEARTBEAT_MILLIS,
                HEARTBEAT_MILLIS_MIN,
                HEARTBEAT_MILLIS_MAX));
    var lane = lane(context);
    lane.ring().requireOpen();
    requireHere(context.queryParam("ledger"), since);
    try (var out = outs.open(context, NDJSON)) {
      out.write(new StreamLines(ledger.id(), ledger.kinds()).hello(ledger.head(), ledger.floor()));
      out.write(lane.ring().beacon());
      out.flush();
      pass(lane.ring(), out, since, heartbeat);
    } catch (StoreException e) {
      throw unreadable(e);
    }
  }

  private Lane lane(Context context) {
    return switch (context.queryParam(ONLY)) {
      case null -> whole;
      case RODS -> rods;
      case String other ->
          throw new IllegalArgumentException(
              Check.message(ONLY, Check.printable(other), RODS + ", or nothing for all"));
    };
  }

  /** A position of another ledger, of one that was restored, or from before a compaction. */
  private void requireHere(@Nullable String id, long since) {
    long head = ledger.head();
    long floor = ledger.floor();
    if (id != null && !id.equals(ledger.id())) {
      throw gone(Check.message("ledger", Check.printable(id), ledger.id()));
    }
    if (since > head || since < floor) {
      throw gone(Check.message("since", since, floor + " to " + head));
    }
  }

  private static Problem.Thrown gone(String detail) {
    return new Problem.Thrown(
        Problem.of(410, "Gone", detail + "; take /v1/ledger/snapshot and go on from there"), null);
  }

  private void pass(StreamRing ring, StreamOuts.Out out, long since, Duration heartbeat)
      throws IOException, StoreException, InterruptedException {
    long position = since;
    boolean live = false;
    long beaten = time.nanos();
    while (!ring.closed()) {
      List<byte[]> lines;
      if (ring.holds(position)) {
        live = true;
        long left = heartbeat.toNanos() - (time.nanos() - beaten);
        lines = ring.after(position, Duration.ofNanos(Math.max(0, left)));
      } else if (live) {
        return; // it did not keep up: cut off, it resumes from where it is
      } else {
        lines = ring.read(position);
        if (lines.isEmpty()) { // what follows is held back
          long left = heartbeat.toNanos() - (time.nanos() - beaten);
          if (ring.awaitBeyond(position, Duration.ofNanos(Math.max(PAUSE_NANOS, left)))) {
            time.sleep(Duration.ofNanos(PAUSE_NANOS)); // it is there, but not for this one yet
          }
        }
      }
      for (var line : lines) {
        out.write(line);
      }
      position += lines.size();
      if (time.nanos() - beaten >= heartbeat.toNanos()) {
        beaten = time.nanos();
        out.write(ring.beacon());
      }
      out.flush();
    }
  }

  private @Nullable Object snapshot(Context context) throws IOException, InterruptedException {
    var snapshots = lane(context).snapshots();
    var known = context.header("If-None-Match");
    if (known != null && snapshots.tag(ledger.head()).equals(known)) {
      context.status(304).header("ETag", known);
      return null;
    }
    if (!reading.tryAcquire(SNAPSHOT_WAIT.toMillis(), TimeUnit.MILLISECONDS)) {
      throw Problem.of(
          new Refusal.Unavailable(SNAPSHOTS_MAX + " snapshots are read already", RETRY_AFTER));
    }
    try {
      var opened = snapshots.open();
      try (var file = opened.stream()) {
        context
            .header("ETag", snapshots.tag(opened.position()))
            .header("Vary", "Accept-Encoding")
            .header("Holdfast-Position", String.valueOf(opened.position()));
        send(context, file);
      }
    } catch (StoreException e) {
      throw unreadable(e);
    } finally {
      reading.release();
    }
    return null;
  }

  private void send(Context context, InputStream packed) throws IOException {
    var accepted = context.header("Accept-Encoding");
    boolean gzip = accepted != null && accepted.contains("gzip");
    if (gzip) {
      context.header("Content-Encoding", "gzip");
    }
    try (var out = outs.open(context, NDJSON);
        var in = gzip ? packed : new GZIPInputStream(packed, BUFFER_BYTES)) {
      byte[] buffer = new byte[BUFFER_BYTES];
      int count;
      while ((count = in.read(buffer)) > 0) {
        out.write(buffer, count);
      }
      out.flush();
    }
  }

  private Object compact(Context context) throws IOException {
    var body = Json.body(context, NewCompaction.class);
    take(ledger.compact(Math.max(ledger.floor(), ledger.head() - body.keep())));
    return new CompactionDone(ledger.floor(), ledger.head());
  }
}
