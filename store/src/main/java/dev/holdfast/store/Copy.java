package dev.holdfast.store;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.holdfast.ledger.StoreException;
import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Types;
import java.util.HexFormat;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A ledger's rows from one database to another, and the proof that they are the same. The tables
 * have one form and one SQL on SQLite and on PostgreSQL. Stateless.
 */
final class Copy {
  private static final int ROWS_AT_A_TIME = 256;
  private static final byte NOTHING = 0;
  private static final byte SOMETHING = 1;

  /** A table, its columns with their types, and what its rows are ordered by. */
  private record Table(String name, String columns, List<Integer> types, String order) {
    String select() {
      return "SELECT " + columns + " FROM " + name + " ORDER BY " + order;
    }

    String insert() {
      return "INSERT INTO "
          + name
          + " ("
          + columns
          + ") VALUES ("
          + String.join(", ", types.stream().map(_ -> "?").toList())
          + ")";
    }
  }

  private static final Table LEDGER =
      new Table(
          "ledger",
          "position, key, envelope",
          List.of(Types.BIGINT, Types.VARCHAR, Types.BINARY),
          "position");
  private static final List<Table> TABLES =
      List.of(
          LEDGER,
          new Table(
              "head",
              "key, position, revision, deleted, kind",
              List.of(Types.VARCHAR, Types.BIGINT, Types.BIGINT, Types.BOOLEAN, Types.VARCHAR),
              "position"),
          new Table(
              "lease",
              "key, holder, epoch, parent, deadline_ms",
              List.of(Types.VARCHAR, Types.VARCHAR, Types.BIGINT, Types.VARCHAR, Types.BIGINT),
              "key"));

  private Copy() {}

  /**
   * Fills empty tables, and compares what stands there then with what was read.
   *
   * @return SHA-256 of all rows, which both databases have
   * @throws StoreException when they differ
   */
  static String rows(Connection from, Connection to) throws SQLException, StoreException {
    for (var table : TABLES) {
      copy(from, to, table);
    }
    var source = digest(from);
    var copy = digest(to);
    if (!source.equals(copy)) {
      throw new StoreException("the copy has SHA-256 " + copy + ", its source " + source);
    }
    return source;
  }

  private static void copy(Connection from, Connection to, Table table) throws SQLException {
    try (var select = from.prepareStatement(table.select());
        var insert = to.prepareStatement(table.insert())) {
      select.setFetchSize(ROWS_AT_A_TIME);
      int waiting = 0;
      try (var rows = select.executeQuery()) {
        while (rows.next()) {
          for (int i = 1; i <= table.types().size(); i++) {
            int type = table.types().get(i - 1);
            switch (type) {
              case Types.BOOLEAN -> insert.setBoolean(i, rows.getBoolean(i));
              case Types.BINARY -> insert.setBytes(i, rows.getBytes(i));
              case Types.VARCHAR -> insert.setString(i, rows.getString(i));
              default -> {
                long number = rows.getLong(i);
                if (rows.wasNull()) {
                  insert.setNull(i, type);
                } else {
                  insert.setLong(i, number);
                }
              }
            }
          }
          insert.addBatch();
          if (++waiting == ROWS_AT_A_TIME) {
            insert.executeBatch();
            waiting = 0;
          }
        }
      }
      if (waiting > 0) {
        insert.executeBatch();
      }
    }
  }

  private static String digest(Connection connection) throws SQLException {
    var digest = sha256();
    for (var table : TABLES) {
      try (var select = connection.prepareStatement(table.select())) {
        select.setFetchSize(ROWS_AT_A_TIME);
        try (var rows = select.executeQuery()) {
          while (rows.next()) {
            for (int i = 1; i <= table.types().size(); i++) {
              take(digest, bytes(rows, i, table.types().get(i - 1)));
            }
          }
        }
      }
    }
    return HexFormat.of().formatHex(digest.digest());
  }

  private static byte @Nullable [] bytes(ResultSet rows, int column, int type) throws SQLException {
    if (rows.getObject(column) == null) {
      return null;
    }
    return switch (type) {
      case Types.BINARY -> rows.getBytes(column);
      case Types.BOOLEAN -> new byte[] {(byte) (rows.getBoolean(column) ? 1 : 0)};
      case Types.VARCHAR -> rows.getString(column).getBytes(UTF_8);
      default -> ByteBuffer.allocate(Long.BYTES).putLong(rows.getLong(column)).array();
    };
  }

  /** With its length, so that two columns cannot stand for two others. */
  private static void take(MessageDigest digest, byte @Nullable [] bytes) {
    if (bytes == null) {
      digest.update(NOTHING);
      return;
    }
    digest.update(SOMETHING);
    digest.update(ByteBuffer.allocate(Integer.BYTES).putInt(bytes.length).flip());
    digest.update(bytes);
  }

  private static MessageDigest sha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every JDK has SHA-256", e);
    }
  }
}
