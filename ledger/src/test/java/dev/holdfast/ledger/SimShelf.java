package dev.holdfast.ledger;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.function.Consumer;
import java.util.function.LongFunction;
import org.jspecify.annotations.Nullable;

/** A shelf in memory that outlives the follower, and whose newest parts can be torn or damaged. */
final class SimShelf implements Shelf {
  /** A frame, or a mark when there is none. */
  private record Item(@Nullable Frame frame, @Nullable Mark mark) {}

  private record Log(long start, List<Item> items) {}

  private static final class Base {
    final List<Frame> frames = new ArrayList<>();
    Mark mark = new Mark(0, 0);
    int firstLog;
    boolean damaged;
  }

  private final List<Base> bases = new ArrayList<>();
  private final List<Log> logs = new ArrayList<>();
  private boolean continued;

  /** The process ended; the disk may have lost the end of the log, or a whole base. */
  void crash(Random chance, boolean faulty) {
    continued = false;
    if (faulty && !logs.isEmpty() && chance.nextInt(3) == 0) {
      var items = logs.getLast().items();
      int left = chance.nextInt(items.size() + 1);
      items.subList(left, items.size()).clear();
    }
    if (faulty && !bases.isEmpty() && chance.nextInt(4) == 0) {
      bases.getLast().damaged = true;
    }
  }

  @Override
  public @Nullable Mark load(LongFunction<Consumer<Frame>> attempt) {
    for (int i = bases.size() - 1; i >= 0; i--) {
      var base = bases.get(i);
      var each = attempt.apply(base.frames.size());
      if (base.damaged) {
        base.frames.stream().limit(3).forEach(each); // found out on the way
        continue;
      }
      base.frames.forEach(each);
      long position = base.mark.position();
      long asOf = base.mark.asOfMillis();
      for (var log : logs.subList(base.firstLog, logs.size())) {
        if (log.start() > position) {
          break;
        }
        long known = position;
        for (var item : log.items()) {
          var frame = item.frame();
          if (frame != null && frame.sealed().position() > known) {
            each.accept(frame);
            position = Math.max(position, frame.sealed().position());
          }
          var mark = item.mark();
          if (mark != null) {
            position = Math.max(position, mark.position());
            asOf = mark.asOfMillis();
          }
        }
      }
      if (!continued) {
        continued = true;
        logs.add(new Log(position, new ArrayList<>()));
      }
      return new Mark(position, asOf);
    }
    return null;
  }

  @Override
  public void append(List<Frame> frames, Mark mark) {
    if (continued) {
      var items = logs.getLast().items();
      frames.forEach(frame -> items.add(new Item(frame, null)));
      items.add(new Item(null, mark));
    }
  }

  @Override
  public Draft draft() {
    var base = new Base();
    return new Draft() {
      @Override
      public void add(Frame frame) {
        base.frames.add(frame);
      }

      @Override
      public void finish(Mark mark) {
        base.mark = mark;
        base.firstLog = logs.size();
        logs.add(new Log(mark.position(), new ArrayList<>()));
        bases.add(base);
        continued = true;
        if (bases.size() > 2) {
          bases.removeFirst();
        }
      }

      @Override
      public void drop() {}
    };
  }

  @Override
  public boolean wantsDraft() {
    return false;
  }

  @Override
  public @Nullable String trouble() {
    return null;
  }

  @Override
  public void close() {}
}
