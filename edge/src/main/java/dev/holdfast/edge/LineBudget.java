package dev.holdfast.edge;

import java.util.HashMap;
import java.util.Iterator;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * How many lines a second of each service may go where people read along: a second's worth at once,
 * then an even sample. Lines with a code have the same room once more, so that a flood of good
 * requests does not hide the failed ones. What is left out is said once a second. Confined to one
 * thread.
 */
final class LineBudget {
  /** Services that are counted apart within a few seconds; the others share one budget. */
  static final int SERVICES_MAX = 4096;

  private static final long SECOND = 1_000_000_000L;
  private static final String NOBODY = "";

  private final long stepNanos;
  private final RouterLog log;
  private final Map<String, Room> rooms = new HashMap<>();
  private long saidNanos;

  private static final class Room {
    final long[]
        freeNanos; // when the room is whole again, for plain lines and for those with a code
    long leftOut;

    Room(long now) {
      freeNanos = new long[] {now, now};
    }
  }

  LineBudget(int linesPerSecond, RouterLog log, long now) {
    stepNanos = Math.max(1, SECOND / linesPerSecond);
    this.log = log;
    saidNanos = now;
  }

  /** Whether that line may pass now; otherwise it is counted as left out. */
  boolean take(@Nullable String service, boolean coded, long now) {
    var room = room(service == null ? NOBODY : service, now);
    if (take(room, 0, now) || (coded && take(room, 1, now))) {
      return true;
    }
    room.leftOut++;
    return false;
  }

  private boolean take(Room room, int which, long now) {
    long free = Math.max(0, room.freeNanos[which] - now); // of a second's room this much is used
    if (free > SECOND - stepNanos) {
      return false;
    }
    room.freeNanos[which] = now + free + stepNanos;
    return true;
  }

  private Room room(String service, long now) {
    var room = rooms.get(service);
    if (room == null) {
      var name = rooms.size() < SERVICES_MAX ? service : NOBODY;
      room = rooms.computeIfAbsent(name, _ -> new Room(now));
    }
    return room;
  }

  /** Says what was left out, and forgets who was silent. */
  void say(long now) {
    if (now - saidNanos < SECOND) {
      return;
    }
    saidNanos = now;
    for (Iterator<Map.Entry<String, Room>> all = rooms.entrySet().iterator(); all.hasNext(); ) {
      var entry = all.next();
      var room = entry.getValue();
      if (room.leftOut > 0) {
        var service = entry.getKey().isEmpty() ? null : entry.getKey();
        log.line(service, "at=info desc=\"Lines left out\" count=" + room.leftOut);
        room.leftOut = 0;
      } else if (room.freeNanos[0] - now <= 0 && room.freeNanos[1] - now <= 0) {
        all.remove();
      }
    }
  }
}
