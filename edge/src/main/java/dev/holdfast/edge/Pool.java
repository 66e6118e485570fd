package dev.holdfast.edge;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Map;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * Connections to apps that wait for their next request, last in first out. A connection that says
 * anything while it waits is closed: what it says would be taken for the answer to somebody else.
 * Confined to its event loop.
 */
final class Pool {
  private final Map<Target, ArrayDeque<UpstreamConnection>> idle = new HashMap<>();
  private final int perTargetMax;
  private final int max;
  private int size;

  Pool(int perTargetMax, int max) {
    this.perTargetMax = perTargetMax;
    this.max = max;
  }

  /** A connection that can be used at once, or null. */
  @Nullable UpstreamConnection take(Target target, int generation, long now) {
    var queue = idle.get(target);
    while (queue != null) {
      var connection = queue.pollLast();
      if (connection == null) {
        idle.remove(target);
        return null;
      }
      size--;
      if (connection.generation() == generation && connection.fresh(now)) {
        return connection;
      }
      connection.close();
    }
    return null;
  }

  /** Keeps the connection, or answers false when there is no room. */
  boolean put(UpstreamConnection connection) {
    var queue = idle.computeIfAbsent(connection.target(), _ -> new ArrayDeque<>(4));
    if (queue.size() >= perTargetMax || size >= max) {
      if (queue.isEmpty()) {
        idle.remove(connection.target());
      }
      return false;
    }
    queue.addLast(connection);
    size++;
    return true;
  }

  void remove(UpstreamConnection connection) {
    var queue = idle.get(connection.target());
    if (queue != null && queue.removeLastOccurrence(connection)) {
      size--;
      if (queue.isEmpty()) {
        idle.remove(connection.target());
      }
    }
  }

  /** Closes the connections that it holds for. */
  void closeIf(Predicate<UpstreamConnection> condition) {
    var closing = new ArrayList<UpstreamConnection>();
    idle.values().forEach(queue -> queue.stream().filter(condition).forEach(closing::add));
    for (var connection : closing) {
      remove(connection);
      connection.close();
    }
  }

  int size() {
    return size;
  }
}
