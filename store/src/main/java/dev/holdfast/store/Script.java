package dev.holdfast.store;

import java.sql.Array;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Several statements that go to PostgreSQL in one round trip, each with what is expected of it.
 * Confined to one thread, used once.
 */
final class Script {

  /** What a query's rows are for. */
  interface Rows {
    void read(ResultSet rows) throws SQLException;
  }

  private interface Parameter {
    void set(Connection connection, PreparedStatement statement, int index) throws SQLException;
  }

  /** One of them: a query has {@code rows}, the others change so many rows. */
  private record Part(String sql, int expected, @Nullable Rows rows) {}

  private final ArrayList<Part> parts = new ArrayList<>();
  private final ArrayList<Parameter> parameters = new ArrayList<>();

  /** One that changes rows; 0 when none is counted. */
  Script add(String sql, int expected) {
    parts.add(new Part(sql, expected, null));
    return this;
  }

  Script query(String sql, Rows rows) {
    parts.add(new Part(sql, 0, rows));
    return this;
  }

  Script value(String value) {
    parameters.add((_, statement, index) -> statement.setString(index, value));
    return this;
  }

  Script value(long value) {
    parameters.add((_, statement, index) -> statement.setLong(index, value));
    return this;
  }

  Script texts(Stream<? extends @Nullable String> values) {
    return array("text", values.toArray(String[]::new));
  }

  Script bigints(Stream<? extends @Nullable Long> values) {
    return array("bigint", values.toArray(Long[]::new));
  }

  Script booleans(Stream<Boolean> values) {
    return array("boolean", values.toArray(Boolean[]::new));
  }

  Script bytes(Stream<byte[]> values) {
    return array("bytea", values.toArray(byte[][]::new));
  }

  /** Runs them; what was otherwise than expected, or null. */
  @Nullable String run(Connection connection) throws SQLException {
    var sql = new StringBuilder();
    for (var part : parts) {
      sql.append(sql.isEmpty() ? "" : ";\n").append(part.sql());
    }
    try (var statement = connection.prepareStatement(sql.toString())) {
      for (int i = 0; i < parameters.size(); i++) {
        parameters.get(i).set(connection, statement, i + 1);
      }
      boolean rows = statement.execute();
      for (int i = 0; i < parts.size(); i++) {
        var part = parts.get(i);
        var reads = part.rows();
        if (reads != null && rows) {
          try (var answer = statement.getResultSet()) {
            reads.read(answer);
          }
        } else if (reads == null && statement.getUpdateCount() != part.expected()) {
          return "%d rows instead of %d (%s)"
              .formatted(
                  statement.getUpdateCount(), part.expected(), part.sql().lines().findFirst());
        }
        rows = statement.getMoreResults();
      }
      return null;
    }
  }

  private Script array(String type, Object[] values) {
    parameters.add((connection, statement, index) -> {
      Array array = connection.createArrayOf(type, values);
      statement.setArray(index, array);
    });
    return this;
  }
}
