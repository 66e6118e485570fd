package dev.holdfast.server;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.holdfast.ledger.Entry;
import dev.holdfast.ledger.Ledger;
import dev.holdfast.ledger.StoreException;
import dev.holdfast.limits.Check;
import dev.holdfast.limits.Time;
import io.javalin.http.Context;
import java.io.IOException;
import java.time.Duration;
import java.util.HashSet;
import java.util.Locale;
import java.util.Objects;
import java.util.Set;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;

/**
 * One request for {@code _changes}: the newest change of every key after a sequence number, which
 * is a position, in order. As CouchDB has it, older changes of a key are not shown; a compaction
 * therefore changes nothing. Confined to its request's thread.
 */
final class CouchChanges {
  /** Longest wait of a client that wants no heartbeats, and the wait of one that does not say. */
  static final long TIMEOUT_MILLIS = 60_000;

  private static final long HEARTBEAT_MILLIS_MIN = 100;
  private static final int BATCH = 256;
  private static final int IDS_MAX = 10_000;
  private static final Pattern SEQUENCE = Pattern.compile("\"?(\\d{1,18})(-.*)?\"?");
  private static final byte[] NEWLINE = {'\n'};

  /** How the answer goes on. */
  private enum Feed {
    NORMAL,
    LONGPOLL,
    CONTINUOUS,
    EVENTSOURCE
  }

  private final Ledger ledger;
  private final CouchDocs docs;
  private final StreamRing ring;
  private final Time time;

  private final Feed feed;
  private final long limit;
  private final boolean withDocs;
  private final @Nullable Set<String> ids;
  private final long beatMillis;
  private final long untilNanos;
  private long at;
  private long sent;

  CouchChanges(Context context, Ledger ledger, StreamRing ring, Time time, JsonNode body) {
    this.ledger = ledger;
    this.ring = ring;
    this.time = time;
    docs = new CouchDocs(ledger);
    var named = context.queryParam("feed");
    feed =
        switch (Objects.requireNonNullElse(named, "normal")) {
          case "normal" -> Feed.NORMAL;
          case "longpoll" -> Feed.LONGPOLL;
          case "continuous" -> Feed.CONTINUOUS;
          case "eventsource" -> Feed.EVENTSOURCE;
          default ->
              throw new IllegalArgumentException(
                  Check.message(
                      "feed",
                      String.valueOf(named),
                      "normal, longpoll, continuous or eventsource"));
        };
    Check.that(
        !"true".equals(context.queryParam("descending")), "descending", "true", "false or nothing");
    limit = Math.max(1, Api.number(context, "limit", Long.MAX_VALUE, 0, Long.MAX_VALUE));
    withDocs = "true".equals(context.queryParam("include_docs"));
    ids = ids(context, body);
    at = since(context);
    var heartbeat = context.queryParam("heartbeat");
    boolean beats = heartbeat != null && !heartbeat.equals("false");
    beatMillis =
        !beats
            ? 0
            : "true".equals(heartbeat)
                ? TIMEOUT_MILLIS
                : Math.clamp(
                    Api.number(context, "heartbeat", TIMEOUT_MILLIS, 0, Long.MAX_VALUE),
                    HEARTBEAT_MILLIS_MIN,
                    TIMEOUT_MILLIS);
    long timeout =
        Math.min(TIMEOUT_MILLIS, Api.number(context, "timeout", TIMEOUT_MILLIS, 0, Long.MAX_VALUE));
    untilNanos = beats ? Long.MAX_VALUE : time.nanos() + Duration.ofMillis(timeout).toNanos();
  }

  /** A position; what is beyond the head belongs to another history, so it begins anew. */
  private long since(Context context) {
    var last = context.header("Last-Event-ID");
    var text = last != null ? last : context.queryParam("last-event-id");
    text = text != null ? text : context.queryParam("since");
    if (text == null || text.isEmpty()) {
      return 0;
    }
    if (text.equals("now")) {
      return ledger.head();
    }
    var number = SEQUENCE.matcher(text);
    Check.that(number.matches(), "since", text, "a sequence number, 0 or now");
    long since = Long.parseLong(number.group(1));
    return since > ledger.head() ? 0 : since;
  }

  private static @Nullable Set<String> ids(Context context, JsonNode body) {
    var filter = context.queryParam("filter");
    if (filter == null) {
      return null;
    }
    Check.that(filter.equals("_doc_ids"), "filter", filter, "_doc_ids, which is the only one");
    var listed = body.path("doc_ids");
    var query = context.queryParam("doc_ids");
    if (!listed.isArray() && query != null) {
      try {
        listed = Json.MAPPER.readTree(query);
      } catch (JacksonException e) {
        throw new IllegalArgumentException(Check.message("doc_ids", query, "a JSON array"), e);
      }
    }
    Check.that(
        listed.isArray() && listed.size() <= IDS_MAX,
        "doc_ids",
        listed.getNodeType().name().toLowerCase(Locale.ROOT),
        "an array of at most " + IDS_MAX + " ids");
    var ids = new HashSet<String>();
    listed.forEach(id -> ids.add(id.asString()));
    return ids;
  }

  String media() {
    return switch (feed) {
      case NORMAL, LONGPOLL, CONTINUOUS -> "application/json";
      case EVENTSOURCE -> "text/event-stream";
    };
  }

  /** Answers until there is no more to say. */
  void write(StreamOuts.Out out) throws IOException, StoreException, InterruptedException {
    if (inOne()) {
      out.write("{\"results\":[\n".getBytes(UTF_8));
    }
    out.flush();
    boolean more = true;
    while (more) {
      more = pass(out) && sent < limit && goesOn() && await(out);
    }
    var pending = Math.max(0, sent < limit ? 0 : ledger.head() - at);
    var end = "\"last_seq\":" + at + ",\"pending\":" + pending + "}\n";
    switch (feed) {
      case NORMAL, LONGPOLL -> out.write(("\n],\n" + end).getBytes(UTF_8));
      case CONTINUOUS -> {
        if (!ring.closed()) { // a client asks again on this line and on the end: `follow` twice
          out.write(("{" + end).getBytes(UTF_8));
        }
      }
      case EVENTSOURCE -> {}
    }
    out.flush();
  }

  private boolean inOne() {
    return feed == Feed.NORMAL || feed == Feed.LONGPOLL;
  }

  private boolean goesOn() {
    return switch (feed) {
      case NORMAL -> false;
      case LONGPOLL -> sent == 0;
      case CONTINUOUS, EVENTSOURCE -> true;
    };
  }

  /** Everything that there is now; false when the platform ends. */
  private boolean pass(StreamOuts.Out out) throws IOException, StoreException {
    while (!ring.closed()) {
      long head = ledger.head();
      var batch = ledger.newest(at, (int) Math.min(BATCH, limit));
      if (batch.isEmpty()) {
        at = Math.max(at, head);
        out.flush();
        return true;
      }
      for (var sealed : batch) {
        at = sealed.position();
        var entry = docs.visible(sealed);
        if (entry != null && (ids == null || ids.contains(CouchDocs.id(entry.key())))) {
          write(out, entry);
          if (++sent == limit) {
            return true;
          }
        }
      }
    }
    return false;
  }

  private void write(StreamOuts.Out out, Entry entry) throws IOException {
    var row = Json.MAPPER.createObjectNode();
    row.put("seq", entry.position());
    row.put("id", CouchDocs.id(entry.key()));
    row.putArray("changes").addObject().put("rev", docs.revision(entry));
    if (entry.deleted()) {
      row.put("deleted", true);
    }
    if (withDocs) {
      row.set("doc", docs.document(entry, false));
    }
    switch (feed) {
      case NORMAL, LONGPOLL -> {
        if (sent > 0) {
          out.write(",\n".getBytes(UTF_8));
        }
        out.write(Json.bytes(row));
      }
      case CONTINUOUS -> {
        out.write(Json.bytes(row));
        out.write(NEWLINE);
      }
      case EVENTSOURCE -> {
        out.write("data: ".getBytes(UTF_8));
        out.write(Json.bytes(row));
        out.write(("\nid: " + entry.position() + "\n\n").getBytes(UTF_8));
      }
    }
  }

  /** Waits for a change, with heartbeats; false when the time is up. */
  private boolean await(StreamOuts.Out out) throws IOException, InterruptedException {
    while (!ring.closed()) {
      long left = untilNanos == Long.MAX_VALUE ? Long.MAX_VALUE : untilNanos - time.nanos();
      if (left <= 0) {
        return false;
      }
      long beat = beatMillis == 0 ? left : Duration.ofMillis(beatMillis).toNanos();
      if (ring.awaitBeyond(at, Duration.ofNanos(Math.min(left, beat)))) {
        return true;
      }
      if (beatMillis > 0) {
        out.write(
            feed == Feed.EVENTSOURCE ? "event: heartbeat\ndata: \n\n".getBytes(UTF_8) : NEWLINE);
        out.flush();
      }
    }
    return false;
  }
}
