package dev.holdfast.store;

/**
 * Every statement that runs on PostgreSQL, in one place. They keep to what databases that speak its
 * protocol offer too: no sequence, no advisory lock, no trigger, no state of a session. {@code
 * PostgresSqlTest} reads them.
 */
final class PostgresSql {
  /** Locks the right to write until the transaction ends, and says where the ledger stands. */
  static final String LOCK =
      """
      SELECT epoch, holder, position, floor,
        CAST(extract(epoch FROM clock_timestamp()) * 1000 AS bigint)
      FROM ledger_head WHERE id = 1 FOR UPDATE\
      """;

  static final String HEADS =
      "SELECT key, position, revision, deleted, kind FROM head WHERE key = ANY (?)";
  static final String LEASES =
      "SELECT key, holder, epoch, parent, deadline_ms FROM lease WHERE key = ANY (?)";

  static final String APPEND =
      """
      INSERT INTO ledger (position, key, envelope)
      SELECT position, key, envelope
      FROM unnest(CAST(? AS bigint[]), CAST(? AS text[]), CAST(? AS bytea[]))
        AS n (position, key, envelope)\
      """;

  static final String HEAD_FIRST =
      """
      INSERT INTO head (key, position, revision, deleted, kind)
      SELECT key, position, revision, deleted, kind
      FROM unnest(CAST(? AS text[]), CAST(? AS bigint[]), CAST(? AS bigint[]),
          CAST(? AS boolean[]), CAST(? AS text[]))
        AS n (key, position, revision, deleted, kind)\
      """;

  static final String HEAD_NEXT =
      """
      UPDATE head SET position = n.position, revision = n.revision, deleted = n.deleted,
        kind = n.kind
      FROM unnest(CAST(? AS text[]), CAST(? AS bigint[]), CAST(? AS bigint[]),
          CAST(? AS boolean[]), CAST(? AS text[]), CAST(? AS bigint[]))
        AS n (key, position, revision, deleted, kind, base)
      WHERE head.key = n.key AND head.revision = n.base\
      """;

  static final String LEASE_END = "DELETE FROM lease WHERE key = ANY (?)";

  static final String LEASE_GRANT =
      """
      INSERT INTO lease (key, holder, epoch, parent, deadline_ms)
      SELECT key, holder, epoch, parent, deadline_ms
      FROM unnest(CAST(? AS text[]), CAST(? AS text[]), CAST(? AS bigint[]), CAST(? AS text[]),
          CAST(? AS bigint[]))
        AS n (key, holder, epoch, parent, deadline_ms)\
      """;

  static final String LEASE_RENEW =
      """
      UPDATE lease SET deadline_ms = n.deadline_ms
      FROM unnest(CAST(? AS text[]), CAST(? AS bigint[]), CAST(? AS bigint[]))
        AS n (key, epoch, deadline_ms)
      WHERE lease.key = n.key AND lease.epoch = n.epoch AND lease.parent IS NULL\
      """;

  static final String SESSION =
      """
      INSERT INTO session (holder, batch, at_ms) VALUES (?, ?, ?)
      ON CONFLICT (holder) DO UPDATE SET batch = excluded.batch, at_ms = excluded.at_ms\
      """;

  /** Fails to find its row when anybody else wrote since {@link #LOCK}. */
  static final String ADVANCE =
      """
      UPDATE ledger_head SET epoch = ?, holder = ?, position = ?, floor = ?
      WHERE id = 1 AND epoch = ? AND position = ?\
      """;

  static final String SESSION_OF = "SELECT batch FROM session WHERE holder = ?";
  static final String SESSIONS_FORGET = "DELETE FROM session WHERE at_ms < ?";

  static final String REACH =
      """
      SELECT count(*), max(position) FROM (SELECT position FROM ledger
        WHERE position > ? AND position <= ? ORDER BY position LIMIT ?) AS n\
      """;

  static final String THIN =
      """
      DELETE FROM ledger WHERE position > ? AND position <= ?
        AND NOT EXISTS (SELECT 1 FROM head h WHERE h.position = ledger.position)\
      """;

  static final String PROGRESS = "SELECT epoch, position, floor FROM ledger_head WHERE id = 1";
  static final String EPOCH = "SELECT epoch FROM ledger_head WHERE id = 1";
  static final String HEAD = "SELECT position FROM ledger_head WHERE id = 1";
  static final String FLOOR = "SELECT floor FROM ledger_head WHERE id = 1";
  static final String ID = "SELECT value FROM meta WHERE name = 'ledger_id'";
  static final String ID_FIRST =
      "INSERT INTO meta (name, value) VALUES ('ledger_id', ?) ON CONFLICT (name) DO NOTHING";

  /** Takes the lock, and says 1 when nothing was ever written. */
  static final String EMPTY =
      """
      SELECT CASE WHEN position = 0 AND NOT EXISTS (SELECT 1 FROM lease) THEN 1 ELSE 0 END
      FROM ledger_head WHERE id = 1 FOR UPDATE\
      """;

  static final String MOVED =
      """
      UPDATE ledger_head SET epoch = epoch + 1, position = ?, floor = ?
      WHERE id = 1 AND position = 0\
      """;

  static final String ID_MOVED = "UPDATE meta SET value = ? WHERE name = 'ledger_id'";

  static final String READ =
      "SELECT position, envelope FROM ledger WHERE position > ? ORDER BY position LIMIT ?";

  static final String NEWEST =
      """
      SELECT l.position, l.envelope FROM head h JOIN ledger l ON l.position = h.position
      WHERE h.position > ? ORDER BY h.position LIMIT ?\
      """;

  static final String SNAPSHOT =
      """
      SELECT l.position, l.envelope FROM head h JOIN ledger l ON l.position = h.position
      WHERE NOT h.deleted ORDER BY h.position\
      """;

  static final String LATEST =
      """
      SELECT l.position, l.envelope FROM head h JOIN ledger l ON l.position = h.position
      WHERE h.key = ?\
      """;

  static final String COUNTS =
      """
      SELECT kind, sum(CASE WHEN deleted THEN 0 ELSE 1 END),
        sum(CASE WHEN deleted THEN 1 ELSE 0 END)
      FROM head GROUP BY kind ORDER BY kind\
      """;

  static final String LEASES_FROM =
      """
      SELECT key, holder, epoch, parent, deadline_ms FROM lease
      WHERE key >= CAST(? AS text) COLLATE "C" ORDER BY key\
      """;

  // A hint and nothing more: without them, others look a little later.
  static final String HINT = "NOTIFY holdfast_ledger";
  static final String HEAR = "LISTEN holdfast_ledger";

  private PostgresSql() {}
}
