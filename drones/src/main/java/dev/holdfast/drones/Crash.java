package dev.holdfast.drones;

import dev.holdfast.ledger.Kind;
import dev.holdfast.limits.Backoff;
import dev.holdfast.limits.Time;
import java.time.Instant;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * That a process of the formation ended by itself, how often, and when it is tried again.
 * Immutable.
 *
 * @param process such as {@code web.1}
 * @param release version that crashed; a new release starts from zero
 * @param instance id of the instance that ended last
 * @param crashes how often in a row
 * @param exit how it ended
 * @param at when it ended
 * @param nextStartAt when it is started again
 */
public record Crash(
    String app,
    String process,
    int release,
    String instance,
    int crashes,
    String exit,
    Instant at,
    Instant nextStartAt) {
  /** Crashes in the ledger. */
  public static final Kind<Crash> KIND = Kind.open("crash", 1, Crash.class);

  /** Refuses a crash of nobody. */
  public Crash {
    Objects.requireNonNull(app, "app");
    Objects.requireNonNull(process, "process");
    Objects.requireNonNull(instance, "instance");
    Objects.requireNonNull(exit, "exit");
    Objects.requireNonNull(at, "at");
    Objects.requireNonNull(nextStartAt, "nextStartAt");
  }

  /** The crash of that instance, after the one before of the same process, if there was one. */
  static Crash after(
      @Nullable Crash before, Instance instance, String exit, Backoff backoff, Time time) {
    int crashes =
        before == null || before.release() != instance.release() ? 1 : before.crashes() + 1;
    var now = time.now();
    var delay = backoff.delay(crashes, time.random());
    return new Crash(
        instance.app(),
        instance.process(),
        instance.release(),
        instance.id(),
        crashes,
        exit,
        now,
        now.plusMillis(delay.toMillis()));
  }

  String key() {
    return key(app, process);
  }

  static String key(String app, String process) {
    return "crash/" + app + "/" + process;
  }
}
