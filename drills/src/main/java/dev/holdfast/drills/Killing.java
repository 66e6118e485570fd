package dev.holdfast.drills;

import java.io.IOException;
import java.util.List;
import java.util.Map;

/** {@link KillDrill} among the others. Immutable. */
record Killing() implements Drill {
  private static final int SHORT_ROUNDS = 4;
  private static final int LONG_ROUNDS = 100;

  @Override
  public String name() {
    return "kill";
  }

  @Override
  public String harm() {
    return "the platform is killed at random moments of appends and deploys";
  }

  @Override
  public Verdict run(Run run) throws IOException, InterruptedException {
    int rounds =
        run.profile() == Profile.NAIVE ? 1 : run.pace().isLong() ? LONG_ROUNDS : SHORT_ROUNDS;
    var found = new KillDrill(run.directory(), run.time(), run.seed(), run.profile()).run(rounds);
    return run.verdict(
        this,
        0,
        List.of(
            Promise.none("lost, torn, or not running on", found.broken().size(), "findings"),
            Promise.atMost(
                    "until the app answers, once the platform is back",
                    found.slowestAnswer().toMillis() / 1e3,
                    KillDrill.ANSWER_WAIT.toMillis() / 1e3,
                    "s")
                .judgedIf(run.pace().isLong())),
        Map.of(
            "killed", found.rounds() + " times",
            "acknowledged appends", Integer.toString(found.acknowledged()),
            "acknowledged deploys", Integer.toString(found.releases()),
            "entries in the end", Long.toString(found.entries()),
            "findings", found.broken().isEmpty() ? "none" : String.join("; ", found.broken())));
  }
}
