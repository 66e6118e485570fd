package dev.holdfast.drills;

import java.io.IOException;

/** A script on a platform with one route to an app. Immutable. */
record Scripted(Script script) implements Drill {
  @Override
  public String name() {
    return script.name();
  }

  @Override
  public String harm() {
    return script.harm();
  }

  @Override
  public boolean hasNaiveSide() {
    return script.hasNaiveSide();
  }

  @Override
  public Verdict run(Run run) throws IOException, InterruptedException {
    try (var app = new TestApp(run.time(), script.app(), 0);
        var scene = new Scene(run.directory(), run.time(), run.profile(), app.address())) {
      return script.run(
          new Script.Stage(
              run.time(),
              run.profile(),
              run.pace(),
              run.seed(),
              scene.front(),
              app,
              run.timeline()));
    }
  }
}
