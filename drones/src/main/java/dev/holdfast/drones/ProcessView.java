package dev.holdfast.drones;

import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * A process as people see it. Immutable.
 *
 * @param name such as {@code web.1}
 * @param type such as {@code web}
 * @param state one of starting, up, crashed, stopping, down
 * @param since when it came into that state
 * @param release version that it runs
 * @param command from the Procfile
 * @param pid of its main process, or null when it does not run
 * @param drone where it runs, or null
 * @param port that it listens on, or null
 * @param crashes how often it crashed in a row
 * @param nextStartAt when it is tried again, or null
 * @param lastExit how it ended last, or what it waits for, or null
 */
public record ProcessView(
    String name,
    String type,
    String state,
    Instant since,
    int release,
    String command,
    @Nullable Long pid,
    @Nullable String drone,
    @Nullable Integer port,
    int crashes,
    @Nullable Instant nextStartAt,
    @Nullable String lastExit) {

  boolean leaving() {
    return state.equals("stopping");
  }
}
