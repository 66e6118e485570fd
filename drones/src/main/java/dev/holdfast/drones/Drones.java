package dev.holdfast.drones;

import dev.holdfast.ledger.Follower;
import dev.holdfast.ledger.Ledger;
import dev.holdfast.ledger.StoreException;
import dev.holdfast.limits.Supervised;
import dev.holdfast.limits.Time;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The pool of drones on this machine and the apps that run on it: {@link #apps} takes what people
 * want, a conductor makes it so. Closing it stops no app: drones outlive the platform's process and
 * the next one adopts them. Thread-safe.
 */
public final class Drones implements AutoCloseable {
  private static final Duration WARM_UP = Duration.ofSeconds(60);

  private final Follower<Fleet> follower;
  private final Apps apps;
  private final NodeLease node;
  private final Conductor conductor;

  private Drones(Follower<Fleet> follower, Apps apps, NodeLease node, Conductor conductor) {
    this.follower = follower;
    this.apps = apps;
    this.node = node;
    this.conductor = conductor;
  }

  /**
   * Adopts what runs and starts to bring the machine to what the ledger wants.
   *
   * @param brake what keeps it from acting
   * @param nodeName who this machine is, the same after every restart
   * @throws StoreException when the ledger cannot be read or does not take this node's lease
   * @throws InterruptedException when the thread is asked to end
   */
  public static Drones start(
      Ledger ledger,
      Launcher launcher,
      Artifacts artifacts,
      AppLogs logs,
      Traffic traffic,
      Brake brake,
      DronesConfig config,
      Time time,
      String nodeName)
      throws StoreException, InterruptedException {
    var follower = new Follower<>("fleet", ledger, Fleet.FOLD, time);
    follower.start();
    var node = new NodeLease(ledger, time, nodeName);
    node.start();
    if (!follower.awaitApplied(ledger.head(), WARM_UP)) {
      throw new StoreException("the ledger could not be read to its head in " + WARM_UP);
    }
    var conductor =
        new Conductor(
            ledger, follower, launcher, artifacts, logs, traffic, brake, config, time, node);
    conductor.start();
    return new Drones(follower, new Apps(ledger, follower, config, time), node, conductor);
  }

  /** What people may ask. */
  public Apps apps() {
    return apps;
  }

  /** The background parts, for who reports how they are. */
  public List<Supervised> parts() {
    var parts = new ArrayList<>(conductor.parts());
    parts.add(node.part());
    return parts;
  }

  /** The follower that everything here is decided from. */
  public Follower<Fleet> follower() {
    return follower;
  }

  /**
   * Who would answer a connection to that port of the loopback address, as seen from an instance;
   * whoever does is somebody else to one that ended. Looks at all processes of the machine. Null
   * when the kernel does not tell.
   */
  public @Nullable Owner listener(String instance, int port) {
    return conductor.runner().listener(instance, port);
  }

  /**
   * The app's processes as people know them, in order of name: those that run and those that wait.
   */
  public List<ProcessView> processes(String name) {
    var fleet = apps.fleet();
    var app = fleet.app(name);
    if (app == null) {
      return List.of();
    }
    var found = new ArrayList<ProcessView>();
    for (var instance : fleet.instancesOf(name)) {
      found.add(running(fleet, instance));
    }
    var current = fleet.release(name, app.release());
    if (current != null) {
      for (var type : current.types().keySet()) {
        if (!type.equals(Release.RELEASE_COMMAND)) {
          for (int index = 1; index <= app.wanted(type); index++) {
            var process = type + "." + index;
            if (found.stream().noneMatch(p -> p.name().equals(process) && !p.leaving())) {
              found.add(idle(fleet, app, current, process));
            }
          }
        }
      }
    }
    found.sort(Comparator.comparing(ProcessView::name).thenComparingInt(ProcessView::release));
    return found;
  }

  private ProcessView running(Fleet fleet, Instance instance) {
    var crash = fleet.crashes().get(Crash.key(instance.app(), instance.process()));
    return new ProcessView(
        instance.process(),
        instance.type(),
        switch (instance.state()) {
          case STARTING -> "starting";
          case UP -> "up";
          case DRAINING, STOPPING -> "stopping";
        },
        instance.since(),
        instance.release(),
        command(fleet.release(instance.app(), instance.release()), instance.type()),
        conductor.runner().pid(instance),
        "d" + instance.drone(),
        instance.port() == 0 ? null : instance.port(),
        crash == null ? 0 : crash.crashes(),
        null,
        crash == null ? null : crash.exit());
  }

  private ProcessView idle(Fleet fleet, App app, Release release, String process) {
    var type = process.substring(0, process.lastIndexOf('.'));
    var crash = fleet.crashes().get(Crash.key(app.name(), process));
    boolean waits = conductor.waiting().contains(app.name() + "/" + process);
    boolean crashed = crash != null && crash.release() == release.version();
    return new ProcessView(
        process,
        type,
        crashed && !waits ? "crashed" : "down",
        crash != null && crashed ? crash.at() : release.createdAt(),
        release.version(),
        command(release, type),
        null,
        null,
        null,
        crash == null ? 0 : crash.crashes(),
        crash != null && crashed ? crash.nextStartAt() : null,
        waits
            ? conductor.whyWaiting(app.name() + "/" + process)
            : crash == null ? null : crash.exit());
  }

  private static String command(@Nullable Release release, String type) {
    return release == null ? "" : release.types().getOrDefault(type, "");
  }

  /** Stops deciding; what runs goes on running. Idempotent. */
  @Override
  public void close() {
    conductor.close();
    node.close();
    follower.close();
  }
}
