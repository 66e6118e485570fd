package dev.holdfast.server;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.holdfast.ledger.Entry;
import dev.holdfast.ledger.Envelope;
import dev.holdfast.ledger.Ledger;
import dev.holdfast.ledger.Sealed;
import dev.holdfast.ledger.StoreException;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.node.ObjectNode;

/**
 * Keys of the ledger as CouchDB's clients know documents. A key's id is the key; one that begins
 * with {@code _} or {@code ~}, which ids may not or which stands for that, has a {@code ~} before
 * it. A revision is {@code N-HASH}, where N is the key's revision and HASH follows from ledger, key
 * and N alone, so that the whole line of ancestors can be named although their contents may be
 * compacted away: without it a client would take a change for a conflict. Immutable.
 */
record CouchDocs(Ledger ledger) {
  /** Ancestors that are named, as many as CouchDB keeps. */
  static final int REVISIONS_MAX = 1_000;

  private static final int HASH_BYTES = 16;

  static String id(String key) {
    return key.startsWith("_") || key.startsWith("~") ? "~" + key : key;
  }

  /** The key of that id, or null when no key can have it. */
  static @Nullable String key(String id) {
    if (id.isEmpty() || id.startsWith("_")) {
      return null;
    }
    return id.startsWith("~") ? id.substring(1) : id;
  }

  /** The newest entry of that id, deletions included, or null when there is none to be seen. */
  @Nullable Entry find(String id) throws StoreException {
    var key = key(id);
    var sealed = key == null ? null : ledger.latest(key);
    return sealed == null ? null : visible(sealed);
  }

  /** The entry, or null when it may not leave the control node or cannot be read. */
  @Nullable Entry visible(Sealed sealed) {
    return Envelope.decode(sealed.envelope()) instanceof Envelope.Decoded.Good(var entry)
            && ledger.kinds().mayShow(entry)
        ? entry
        : null;
  }

  String revision(Entry entry) {
    return entry.revision() + "-" + hash(entry.key(), entry.revision());
  }

  /** The document, which is a tombstone when the key is deleted. */
  ObjectNode document(Entry entry, boolean withRevisions) {
    var doc = Json.MAPPER.createObjectNode();
    doc.put("_id", id(entry.key()));
    doc.put("_rev", revision(entry));
    if (entry.deleted()) {
      doc.put("_deleted", true);
    } else {
      doc.put("kind", entry.kind());
      doc.put("schema", entry.schema());
      doc.put("time", entry.time().toString());
      doc.put("actor", entry.actor());
      try {
        doc.set("value", Json.MAPPER.readTree(entry.payload().bytes()));
      } catch (JacksonException e) {
        doc.put("value", entry.payload().text());
      }
    }
    if (withRevisions) {
      var revisions = doc.putObject("_revisions");
      revisions.put("start", entry.revision());
      var ids = revisions.putArray("ids");
      long last = Math.max(1, entry.revision() - REVISIONS_MAX + 1);
      for (long n = entry.revision(); n >= last; n--) {
        ids.add(hash(entry.key(), n));
      }
    }
    return doc;
  }

  private String hash(String key, long revision) {
    try {
      byte[] hash =
          MessageDigest.getInstance("SHA-256")
              .digest((ledger.id() + '\n' + key + '\n' + revision).getBytes(UTF_8));
      return HexFormat.of().formatHex(hash, 0, HASH_BYTES);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every JDK has SHA-256", e);
    }
  }
}
