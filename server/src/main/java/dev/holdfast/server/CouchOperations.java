package dev.holdfast.server;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.holdfast.ledger.Entry;
import dev.holdfast.ledger.Ledger;
import dev.holdfast.ledger.StoreException;
import dev.holdfast.limits.Check;
import dev.holdfast.limits.Refusal;
import dev.holdfast.limits.Time;
import dev.holdfast.server.Operation.Access;
import dev.holdfast.server.Operation.Query;
import io.javalin.http.Context;
import io.javalin.http.HandlerType;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * The ledger as a CouchDB database that can be read and not written, for clients that exist: what
 * {@code follow}, {@code nano} and {@code pouchdb} ask of a source. Thread-safe.
 */
final class CouchOperations {
  /** Where the server of the database is. */
  static final String ROOT = "/couch";

  private static final String DATABASE = "ledger";
  private static final String VERSION = "3.3.3"; // whose answers these are like
  private static final int DOCS_MAX = 1_000;
  private static final int LOOK_BACK = 1_000;
  private static final Duration RETRY_AFTER = Duration.ofSeconds(1);

  private final Ledger ledger;
  private final CouchDocs docs;
  private final StreamRing ring;
  private final StreamOuts outs;
  private final Time time;

  CouchOperations(Ledger ledger, StreamRing ring, StreamOuts outs, Time time) {
    this.ledger = ledger;
    docs = new CouchDocs(ledger);
    this.ring = ring;
    this.outs = outs;
    this.time = time;
  }

  List<Operation> all() {
    var since = new Query("since", "Sequence number, `0` or `now`; Last-Event-ID overrides it");
    var changes =
        List.of(
            since,
            new Query("feed", "`normal`, `longpoll`, `continuous` or `eventsource`"),
            new Query("heartbeat", "Milliseconds between empty lines; overrides `timeout`"),
            new Query("timeout", "Milliseconds to wait for a change, at most 60000"),
            new Query("include_docs", "`true`: with the documents"),
            new Query("limit", "At most so many changes"),
            new Query("filter", "`_doc_ids`, with `doc_ids` in the body: only those"));
    var database = ROOT + "/{db}";
    return List.of(
        call(HandlerType.GET, ROOT, "CouchDB's greeting.", this::greeting),
        call(HandlerType.GET, ROOT + "/_all_dbs", "The databases.", _ -> List.of(DATABASE)),
        call(HandlerType.GET, database, "The database in numbers.", this::database),
        call(HandlerType.HEAD, database, "Whether there is that database.", this::database),
        stream(HandlerType.GET, database + "/_changes", this::changes)
            .with(changes.toArray(Query[]::new)),
        stream(HandlerType.POST, database + "/_changes", this::changes)
            .with(changes.toArray(Query[]::new)),
        call(HandlerType.POST, database + "/_bulk_get", "Many documents.", this::bulkGet),
        call(HandlerType.GET, database + "/<doc>", "A document.", this::document),
        call(HandlerType.HEAD, database + "/<doc>", "Whether there is it.", this::document),
        call(HandlerType.PUT, database + "/<doc>", "Refused: it is read here.", this::refuse));
  }

  private static Operation call(
      HandlerType method, String path, String summary, Operation.Handler handler) {
    return Operation.of(method, path, summary, null, Map.class, 200, handler)
        .as(Access.FOLLOW_CALL, null)
        .doing(Operation.Effect.READS);
  }

  private static Operation stream(HandlerType method, String path, Operation.Handler handler) {
    return Operation.of(
            method,
            path,
            "The newest change of every key, as CouchDB has it.",
            null,
            Map.class,
            200,
            handler)
        .as(Access.FOLLOW, null)
        .doing(Operation.Effect.READS);
  }

  /** A refusal in CouchDB's form. */
  static ObjectNode error(String error, String reason) {
    return Json.MAPPER.createObjectNode().put("error", error).put("reason", reason);
  }

  private Object greeting(Context context) {
    return Map.of(
        "couchdb",
        "Welcome",
        "version",
        VERSION,
        "uuid",
        ledger.id(),
        "features",
        List.of(),
        "vendor",
        Map.of("name", "Holdfast", "version", Version.NAME));
  }

  private @Nullable Object database(Context context) {
    if (!known(context)) {
      return null;
    }
    long live = 0;
    long deleted = 0;
    long sequence;
    try {
      sequence = lastShown();
      for (var count : ledger.counts()) {
        var kind = ledger.kinds().find(count.kind());
        if (kind != null && !kind.secret()) {
          live += count.live();
          deleted += count.deleted();
        }
      }
    } catch (StoreException e) {
      throw unreadable(e);
    }
    var answer = Json.MAPPER.createObjectNode();
    answer.put("db_name", DATABASE);
    answer.put("doc_count", live);
    answer.put("doc_del_count", deleted);
    answer.put("update_seq", sequence);
    answer.put("purge_seq", 0);
    answer.put("compact_running", false);
    answer.put("instance_start_time", "0");
    answer.put("disk_format_version", 8);
    answer.putObject("sizes").put("active", 0).put("external", 0).put("file", 0);
    answer.putObject("props");
    return answer;
  }

  /** Of the last change that is shown, near the head: clients wait until they have seen it. */
  private long lastShown() throws StoreException {
    long head = ledger.head();
    long last = 0;
    for (var sealed : ledger.newest(Math.max(0, head - LOOK_BACK), LOOK_BACK)) {
      last = docs.visible(sealed) == null ? last : sealed.position();
    }
    return last == 0 ? head : last;
  }

  private @Nullable Object changes(Context context) throws IOException, InterruptedException {
    if (!known(context)) {
      return null;
    }
    ring.requireOpen();
    var changes = new CouchChanges(context, ledger, ring, time, body(context));
    try (var out = outs.open(context, changes.media())) {
      changes.write(out);
    } catch (StoreException e) {
      throw unreadable(e);
    }
    return null;
  }

  private @Nullable Object bulkGet(Context context) throws IOException {
    if (!known(context)) {
      return null;
    }
    var asked = body(context).path("docs");
    Check.that(
        asked.isArray() && asked.size() <= DOCS_MAX,
        "docs",
        asked.size() + " of them",
        "an array of at most " + DOCS_MAX);
    boolean revisions = is(context, "revs");
    boolean latest = is(context, "latest");
    var answer = Json.MAPPER.createObjectNode();
    var results = answer.putArray("results");
    for (var doc : asked) {
      var id = doc.path("id").asString("");
      var wanted = doc.has("rev") ? doc.get("rev").asString() : null;
      var entry = find(id);
      var item = results.addObject().put("id", id).putArray("docs").addObject();
      if (entry != null && (latest || wanted == null || wanted.equals(docs.revision(entry)))) {
        item.set("ok", docs.document(entry, revisions));
      } else {
        item.set("error", error("not_found", "missing").put("id", id).put("rev", wanted));
      }
    }
    return answer;
  }

  private @Nullable Object document(Context context) {
    if (!known(context)) {
      return null;
    }
    var id = context.pathParam("doc");
    var entry = find(id);
    var open = context.queryParam("open_revs");
    if (open != null) {
      return openRevisions(context, entry, open);
    }
    var wanted = context.queryParam("rev");
    boolean shown =
        entry != null
            && (wanted == null
                ? !entry.deleted()
                : is(context, "latest") || wanted.equals(docs.revision(entry)));
    if (entry == null || !shown) {
      boolean gone = entry != null && entry.deleted() && wanted == null;
      return missing(context, gone ? "deleted" : "missing");
    }
    var tag = '"' + docs.revision(entry) + '"';
    context.header("ETag", tag);
    if (tag.equals(context.header("If-None-Match"))) {
      context.status(304);
      return null;
    }
    var doc = docs.document(entry, is(context, "revs"));
    if (is(context, "revs_info")) {
      doc.putArray("_revs_info")
          .addObject()
          .put("rev", docs.revision(entry))
          .put("status", "available");
    }
    return doc;
  }

  private ArrayNode openRevisions(Context context, @Nullable Entry entry, String open) {
    var answer = Json.MAPPER.createArrayNode();
    boolean revisions = is(context, "revs");
    if (open.equals("all")) {
      if (entry != null) {
        answer.addObject().set("ok", docs.document(entry, revisions));
      }
      return answer;
    }
    for (var wanted : parse(open)) {
      if (entry != null
          && (is(context, "latest") || wanted.asString().equals(docs.revision(entry)))) {
        answer.addObject().set("ok", docs.document(entry, revisions));
      } else {
        answer.addObject().put("missing", wanted.asString());
      }
    }
    return answer;
  }

  /** Clients that keep checkpoints take this for "keep them at your end", and do. */
  private @Nullable Object refuse(Context context) {
    Api.answer(context, 403, error("forbidden", "the ledger is read here and not written"));
    return null;
  }

  private boolean known(Context context) {
    if (context.pathParam("db").equals(DATABASE)) {
      return true;
    }
    missing(context, "Database does not exist.");
    return false;
  }

  private static @Nullable Object missing(Context context, String reason) {
    Api.answer(context, 404, error("not_found", reason));
    return null;
  }

  private @Nullable Entry find(String id) {
    try {
      return docs.find(id);
    } catch (StoreException e) {
      throw unreadable(e);
    }
  }

  private static boolean is(Context context, String name) {
    return "true".equals(context.queryParam(name));
  }

  private static JsonNode body(Context context) throws IOException {
    byte[] bytes = context.bodyInputStream().readNBytes(Json.BODY_BYTES_MAX + 1);
    Check.that(
        bytes.length <= Json.BODY_BYTES_MAX,
        "body",
        "more",
        "at most " + Json.BODY_BYTES_MAX + " bytes");
    return bytes.length == 0 ? Json.MAPPER.createObjectNode() : parse(new String(bytes, UTF_8));
  }

  private static JsonNode parse(String json) {
    try {
      return Json.MAPPER.readTree(json);
    } catch (JacksonException e) {
      throw new IllegalArgumentException(Check.message("JSON", json, "readable"), e);
    }
  }

  private static Problem.Thrown unreadable(StoreException e) {
    return Problem.of(
        new Refusal.Unavailable("the ledger cannot be read: " + e.getMessage(), RETRY_AFTER));
  }
}
