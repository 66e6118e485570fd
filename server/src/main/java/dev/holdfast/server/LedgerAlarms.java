package dev.holdfast.server;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.holdfast.ledger.Entry;
import dev.holdfast.ledger.Envelope;
import dev.holdfast.ledger.Follower;
import dev.holdfast.ledger.Ledger;
import dev.holdfast.ledger.Payload;
import dev.holdfast.ledger.Sealed;
import dev.holdfast.ledger.StoreException;
import dev.holdfast.limits.MetricSource;
import dev.holdfast.limits.MetricText;
import dev.holdfast.limits.Time;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.logging.Level;
import java.util.logging.Logger;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * What in the ledger some follower could not take, here or at an edge, with everything that the
 * person needs who is to decide: where it stands, what it is about, who wrote it, its first bytes.
 * Each is logged once, within a second or so. Thread-safe.
 */
final class LedgerAlarms implements MetricSource, AutoCloseable {
  /** Most that are told at a time. */
  static final int ALARMS_MAX = 100;

  private static final Logger LOG = Logger.getLogger(LedgerAlarms.class.getName());
  private static final Duration LOOK = Duration.ofSeconds(1);
  private static final int HEX_BYTES_MAX = 64;
  private static final int LOGGED_MAX = 1_000;
  private static final int HEAD_BYTES = 2 + 1 + 1 + 8 + 8 + 8 + 4; // before kind, key and actor
  private static final Pattern POSITION =
      Pattern.compile("position (\\d{1,18}):.*", Pattern.DOTALL);

  private final Ledger ledger;
  private final List<Follower<?>> local;
  private final EdgeReports edges;
  private final Time time;
  private final Thread thread;
  private final Set<Long> logged = new HashSet<>(); // confined to the thread
  private volatile int count;

  /**
   * One entry, or a run of them.
   *
   * @param key what it is about, as far as it can be read; empty when nothing can
   * @param writer the actor in its envelope, as far as it can be read
   * @param bytes length of its envelope; 0 when there is none
   * @param hex first bytes of its envelope
   * @param followers who could not take it
   */
  record Alarm(
      long position,
      long through,
      String key,
      String kind,
      String writer,
      int bytes,
      String hex,
      String cause,
      List<String> followers) {}

  private record Found(long through, String cause, List<String> followers) {}

  LedgerAlarms(Ledger ledger, List<Follower<?>> local, EdgeReports edges, Time time) {
    this.ledger = ledger;
    this.local = List.copyOf(local);
    this.edges = edges;
    this.time = time;
    thread = Thread.ofVirtual().name("ledger-alarms").unstarted(this::run);
  }

  LedgerAlarms start() {
    thread.start();
    return this;
  }

  /** How every follower is, those of live edges included. */
  List<FollowerShape> followers() {
    var all = new ArrayList<FollowerShape>();
    local.forEach(follower -> all.add(FollowerShape.of(follower.report())));
    all.addAll(edges.followers());
    return all;
  }

  /** What somebody cannot take now, by position. */
  List<Alarm> now() {
    var alarms = new ArrayList<Alarm>();
    found()
        .forEach((position, found) -> {
          if (alarms.size() < ALARMS_MAX) {
            alarms.add(alarm(position, found));
          }
        });
    return alarms;
  }

  private Map<Long, Found> found() {
    var all = new TreeMap<Long, Found>();
    for (var follower : followers()) {
      var blocked = follower.blocked();
      if (blocked != null) {
        add(all, follower, blocked.from(), blocked.through(), blocked.cause());
      }
      for (var cause : follower.quarantine().values()) {
        var named = POSITION.matcher(cause);
        if (named.matches()) {
          long position = Long.parseLong(named.group(1));
          add(all, follower, position, position, cause);
        }
      }
    }
    return all;
  }

  private static void add(
      Map<Long, Found> all, FollowerShape follower, long from, long through, String cause) {
    all.computeIfAbsent(from, _ -> new Found(through, cause, new ArrayList<>()))
        .followers()
        .add(follower.name());
  }

  private Alarm alarm(long position, Found found) {
    var sealed = read(position);
    if (sealed == null) {
      return new Alarm(
          position, found.through(), "", "", "", 0, "", found.cause(), found.followers());
    }
    var said = said(sealed.envelope());
    var first = Arrays.copyOf(bytes(sealed), Math.min(bytes(sealed).length, HEX_BYTES_MAX));
    return new Alarm(
        position,
        found.through(),
        said.key(),
        said.kind(),
        said.writer(),
        bytes(sealed).length,
        HexFormat.of().formatHex(first),
        found.cause(),
        found.followers());
  }

  private static byte[] bytes(Sealed sealed) {
    return sealed.envelope().bytes();
  }

  private @Nullable Sealed read(long position) {
    try {
      var found = ledger.left(position - 1, 1);
      return found.isEmpty() || found.getFirst().position() != position ? null : found.getFirst();
    } catch (StoreException e) {
      LOG.log(Level.FINE, "position " + position + " cannot be read now", e);
      return null;
    }
  }

  // ---- what a damaged envelope says all the same

  /** Not to be trusted where the envelope is damaged: for people only. */
  private record Said(String kind, String key, String writer) {
    static final Said NOTHING = new Said("", "", "");
  }

  private static Said said(Payload envelope) {
    if (Envelope.decode(envelope) instanceof Envelope.Decoded.Good(var entry)) {
      return new Said(entry.kind(), entry.key(), entry.actor());
    }
    try {
      var in = ByteBuffer.wrap(envelope.bytes());
      in.position(HEAD_BYTES);
      return new Said(
          text(in, Entry.KIND_BYTES_MAX),
          text(in, Entry.KEY_BYTES_MAX),
          text(in, Entry.ACTOR_BYTES_MAX));
    } catch (BufferUnderflowException | IllegalArgumentException e) {
      return Said.NOTHING;
    }
  }

  private static String text(ByteBuffer in, int bytesMax) {
    byte[] bytes = new byte[Math.min(Short.toUnsignedInt(in.getShort()), bytesMax)];
    in.get(bytes);
    return new String(bytes, UTF_8).replaceAll("\\p{Cntrl}", "?");
  }

  // ---- telling

  private void run() {
    try {
      while (true) {
        try {
          look();
        } catch (RuntimeException e) {
          LOG.log(Level.SEVERE, "alarms could not be looked after; it goes on", e);
        }
        time.sleep(LOOK);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt(); // this is how it ends
    }
  }

  private void look() {
    var found = found();
    count = found.size();
    logged.retainAll(found.keySet());
    found.forEach((position, one) -> {
      if (logged.size() < LOGGED_MAX && logged.add(position)) {
        LOG.warning("followers cannot take what is in the ledger: " + alarm(position, one));
      }
    });
  }

  @Override
  public void write(MetricText out) {
    out.gauge("holdfast_ledger_alarms", "Entries that some follower could not take.").sample(count);
  }

  @Override
  public void close() {
    thread.interrupt();
  }
}
