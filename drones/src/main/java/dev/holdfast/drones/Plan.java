package dev.holdfast.drones;

import dev.holdfast.drones.Instance.State;
import dev.holdfast.drones.Observed.How;
import dev.holdfast.drones.Release.Status;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What to do next, from what is wanted and what is there: a pure function, so that the same
 * decisions can be replayed.
 *
 * <p>A release becomes current when its release command has ended well and all its web processes
 * answer; until then the old ones serve. One release of an app is under way at a time; of those
 * that wait, the newest wins. Whatever runs and is not wanted drains, stops and frees its drone;
 * whatever is wanted and does not run is placed, unless it crashed and its time has not come.
 */
final class Plan {
  private final Fleet fleet;
  private final Map<String, Observed> observed;
  private final DronesConfig config;
  private final Instant now;
  private final Map<String, List<Instance>> byApp = new HashMap<>();
  private final Map<String, List<Release>> open = new HashMap<>(); // those under way, by app
  private final List<Action> actions = new ArrayList<>();

  private Plan(Fleet fleet, Map<String, Observed> observed, DronesConfig config, Instant now) {
    this.fleet = fleet;
    this.observed = observed;
    this.config = config;
    this.now = now;
  }

  /**
   * The actions that bring the machine nearer to what is wanted, none when nothing is to do.
   *
   * @param observed by instance id
   */
  static List<Action> of(
      Fleet fleet, Map<String, Observed> observed, DronesConfig config, Instant now) {
    var plan = new Plan(fleet, observed, config, now);
    plan.make();
    return plan.actions;
  }

  private void make() {
    for (var instance : fleet.allInstances()) {
      byApp.computeIfAbsent(instance.app(), _ -> new ArrayList<>()).add(instance);
    }
    fleet
        .releases()
        .forEach((_, release) -> {
          if (!release.status().settled()) {
            open.computeIfAbsent(release.app(), _ -> new ArrayList<>()).add(release);
          }
        });
    var apps = fleet.allApps();
    for (var app : apps) {
      release(app);
    }
    byApp.forEach((_, instances) -> {
      var seen = new HashSet<String>();
      for (var instance : instances) {
        live(instance, seen);
      }
    });
    for (var app : apps) {
      maintain(app);
    }
    fleet.crashes().forEach((_, crash) -> forget(crash));
  }

  private Observed seen(Instance instance) {
    return observed.getOrDefault(instance.id(), Observed.NOTHING);
  }

  private List<Instance> instances(App app) {
    return byApp.getOrDefault(app.name(), List.of());
  }

  // ---- releases under way

  private void release(App app) {
    var waiting = open.get(app.name());
    if (waiting == null) {
      return;
    }
    waiting.sort(Comparator.comparingInt(Release::version));
    var newest = waiting.getLast();
    var underWay = waiting.stream().filter(r -> r.status() != Status.PENDING).findFirst();
    for (var older : waiting) {
      if (older.status() == Status.PENDING && older.version() != newest.version()) {
        actions.add(
            new Action.Fail(older, "superseded by v" + newest.version() + " before it started"));
      }
    }
    if (underWay.isEmpty()) {
      boolean hasCommand = newest.types().containsKey(Release.RELEASE_COMMAND);
      actions.add(new Action.Advance(newest, hasCommand ? Status.RELEASING : Status.STARTING));
      return;
    }
    var release = underWay.get();
    if (release.status() == Status.RELEASING) {
      command(app, release, newest);
    } else {
      boot(app, release, newest);
    }
  }

  private void command(App app, Release release, Release newest) {
    var run = of(app, release, Release.RELEASE_COMMAND, 1);
    if (run == null) {
      if (!superseded(release, newest)) {
        place(app, Release.RELEASE_COMMAND, 1, release.version());
      }
      return;
    }
    var ending = seen(run).ending();
    if (ending != null) {
      switch (ending.how()) {
        case CLEAN -> actions.add(new Action.Advance(release, Status.STARTING));
        case FAILED ->
            actions.add(new Action.Fail(release, "its release command failed: " + ending.text()));
        case GONE -> {} // never started, so it may be placed again
      }
    } else if (passed(run.since(), config.releaseTimeout())) {
      actions.add(
          new Action.Fail(
              release, "its release command took longer than " + config.releaseTimeout()));
    }
  }

  private void boot(App app, Release release, Release newest) {
    int wanted = release.types().containsKey(Release.WEB) ? app.wanted(Release.WEB) : 0;
    boolean ready = true;
    for (int index = 1; index <= wanted; index++) {
      var instance = of(app, release, Release.WEB, index);
      if (instance == null) {
        if (superseded(release, newest)) {
          return;
        }
        place(app, Release.WEB, index, release.version());
        ready = false;
        continue;
      }
      var cause = failure(instance);
      if (cause != null) {
        actions.add(new Action.Fail(release, instance.process() + ": " + cause));
        return;
      }
      ready &= instance.state() == State.UP && seen(instance).ending() == null;
    }
    if (ready) {
      actions.add(new Action.Switch(app, release));
    }
  }

  /** What waits for a free drone may wait for ever, and must not keep its successor waiting. */
  private boolean superseded(Release release, Release newest) {
    if (newest.version() == release.version()) {
      return false;
    }
    actions.add(
        new Action.Fail(
            release, "superseded by v" + newest.version() + " before all of it started"));
    return true;
  }

  private @Nullable Instance of(App app, Release release, String type, int index) {
    return instances(app).stream()
        .filter(i -> i.release() == release.version() && !i.state().leaving())
        .filter(i -> i.type().equals(type) && i.index() == index)
        .findFirst()
        .orElse(null);
  }

  /** Why the instance will not work, or null while it may. */
  private @Nullable String failure(Instance instance) {
    var seen = seen(instance);
    if (seen.ending() != null) {
      return seen.ending().how() == How.GONE ? null : seen.ending().text();
    }
    if (instance.state() != State.STARTING || !instance.routed()) {
      return null;
    }
    if (seen.foreign()) {
      return "port " + instance.port() + " is taken by a process that is not its own";
    }
    // Waiting for other launches and unpacking are not the app's time.
    var startedAt = seen.startedAt();
    return startedAt != null && passed(startedAt, config.bootTimeout())
        ? "Error R10 (Boot timeout): no answer on $PORT within "
            + config.bootTimeout().toSeconds()
            + " seconds"
        : null;
  }

  // ---- what runs

  private void live(Instance instance, Set<String> taken) {
    var seen = seen(instance);
    boolean wanted = !instance.state().leaving() && wanted(instance) && taken.add(slot(instance));
    var ending = seen.ending();
    if (ending != null) {
      actions.add(
          wanted && restarts(instance) && ending.how() != How.GONE
              ? new Action.Crashed(instance, ending.text())
              : new Action.Ended(instance));
      return;
    }
    switch (instance.state()) {
      case STARTING -> {
        var cause = failure(instance);
        if (!wanted) {
          actions.add(new Action.Drain(instance));
        } else if (cause != null) {
          actions.add(
              restarts(instance)
                  ? new Action.Crashed(instance, cause)
                  : new Action.Drain(instance));
        } else if (instance.routed() ? seen.answers() : seen.launched()) {
          actions.add(new Action.Up(instance));
        }
      }
      case UP -> {
        if (!wanted) {
          actions.add(new Action.Drain(instance));
        }
      }
      case DRAINING -> {
        if (!instance.routed() || seen.quiet() || passed(instance.since(), config.drainTimeout())) {
          actions.add(new Action.Stop(instance));
        }
      }
      case STOPPING -> {
        if (passed(instance.since(), config.stopTimeout())) {
          actions.add(new Action.Kill(instance));
        }
      }
    }
  }

  private static String slot(Instance instance) {
    return instance.process() + "@" + instance.release();
  }

  /** Whether its end is a crash of the formation; what belongs to a release under way is not. */
  private boolean restarts(Instance instance) {
    var app = fleet.app(instance.app());
    return app != null && instance.release() == app.release();
  }

  private boolean wanted(Instance instance) {
    var app = fleet.app(instance.app());
    var release = fleet.release(instance.app(), instance.release());
    if (app == null || release == null) {
      return false;
    }
    if (instance.type().equals(Release.RELEASE_COMMAND)) {
      return release.status() == Status.RELEASING;
    }
    boolean inFormation = instance.index() <= app.wanted(instance.type());
    return inFormation
        && (release.version() == app.release()
            || (release.status() == Status.STARTING && instance.routed()));
  }

  // ---- what should run

  private void maintain(App app) {
    var current = app.release() == 0 ? null : fleet.release(app.name(), app.release());
    if (current == null) {
      return;
    }
    for (var type : current.types().keySet()) {
      if (type.equals(Release.RELEASE_COMMAND)) {
        continue;
      }
      for (int index = 1; index <= app.wanted(type); index++) {
        if (of(app, current, type, index) == null && due(app, type + "." + index)) {
          place(app, type, index, current.version());
        }
      }
    }
  }

  private boolean due(App app, String process) {
    var crash = fleet.crashes().get(Crash.key(app.name(), process));
    return crash == null || crash.release() != app.release() || !now.isBefore(crash.nextStartAt());
  }

  private void place(App app, String type, int index, int release) {
    actions.add(new Action.Place(app.name(), type, index, release));
  }

  private void forget(Crash crash) {
    var app = fleet.app(crash.app());
    boolean meaningless =
        app == null || crash.release() != app.release() || !inFormation(app, crash.process());
    boolean stable =
        byApp.getOrDefault(crash.app(), List.of()).stream()
            .anyMatch(i ->
                i.process().equals(crash.process())
                    && i.release() == crash.release()
                    && i.state() == State.UP
                    && passed(i.since(), config.stableAfter()));
    if (meaningless || stable) {
      actions.add(new Action.Forget(crash));
    }
  }

  private static boolean inFormation(App app, String process) {
    int dot = process.lastIndexOf('.');
    return Integer.parseInt(process.substring(dot + 1)) <= app.wanted(process.substring(0, dot));
  }

  private boolean passed(Instant since, Duration limit) {
    return !now.isBefore(since.plus(limit));
  }
}
