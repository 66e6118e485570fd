package dev.holdfast.drones;

import dev.holdfast.drones.Release.Status;
import dev.holdfast.ledger.Endpoint;
import dev.holdfast.ledger.Follower;
import dev.holdfast.ledger.HostName;
import dev.holdfast.ledger.Ledger;
import dev.holdfast.ledger.Policy;
import dev.holdfast.ledger.Route;
import dev.holdfast.ledger.Service;
import dev.holdfast.ledger.Transaction;
import dev.holdfast.limits.Check;
import dev.holdfast.limits.Outcome;
import dev.holdfast.limits.Refusal;
import dev.holdfast.limits.Time;
import java.time.Duration;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * What people may ask of apps: each request states what should be, as one transaction against the
 * state that it saw, and is durable when it is answered. Getting there is the conductor's work.
 * Thread-safe.
 */
public final class Apps {
  /** Most custom domains of one app. */
  public static final int DOMAINS_MAX = 500;

  /** Most instances that one transaction drains, so that it keeps within its bound. */
  private static final int DRAINED_MAX = 300;

  private static final Duration RETRY_AFTER = Duration.ofSeconds(1);

  private final Follower<Fleet> follower;
  private final Attempts attempts;
  private final DronesConfig config;
  private final Time time;

  /** The config vars after a change, and the release that brings it about, if one is needed. */
  public record Configured(Map<String, String> vars, @Nullable Release release) {}

  Apps(Ledger ledger, Follower<Fleet> follower, DronesConfig config, Time time) {
    this.follower = follower;
    attempts = new Attempts(ledger, follower);
    this.config = config;
    this.time = time;
  }

  /** Waits until what is in the ledger now is in {@link #fleet}. */
  public void settle() {
    var _ = attempts.settle();
  }

  /** The fleet as it is known now. */
  public Fleet fleet() {
    return follower.view().value();
  }

  /** The host that every app has without asking. */
  public static String defaultHost(String app) {
    return app + ".localhost";
  }

  /** Creates an app with one web process wanted and nothing to run. */
  public Outcome<App> create(String actor, String name) {
    return attempts.run(fleet -> {
      if (fleet.app(name) != null) {
        return Outcome.refused(new Refusal.Conflict("app " + name + ": exists already"));
      }
      var app = new App(name, time.now(), 0, 0, 0, Map.of(Release.WEB, 1));
      var transaction = Transaction.by(actor);
      var refusal = create(fleet, transaction, app);
      return refusal != null ? Outcome.refused(refusal) : Attempts.ok(transaction, app);
    });
  }

  private @Nullable Refusal create(Fleet fleet, Transaction transaction, App app) {
    var host = defaultHost(app.name());
    var taken = attempts.taken(host);
    if (taken != null) {
      return taken;
    }
    var left = fleet.instancesOf(app.name()).stream().filter(i -> !i.state().leaving()).count();
    if (left > DRAINED_MAX) {
      return new Refusal.Unavailable(
          "app " + app.name() + ": processes of the one that was destroyed still end", RETRY_AFTER);
    }
    if (fleet.apps().size() >= config.appsMax()) {
      return new Refusal.OverBudget(
          Check.message("apps", config.appsMax() + 1, "at most " + config.appsMax()), RETRY_AFTER);
    }
    transaction
        .put(App.KIND, App.key(app.name()), app, Transaction.ABSENT)
        .put(
            Service.KIND,
            Service.key(app.name()),
            new Service(app.name(), false, app.wanted(Release.WEB)),
            Transaction.ABSENT)
        .put(Route.KIND, Route.key(host), Route.toService(host, app.name()), Transaction.ABSENT);
    // What a destroyed app of this name left must not be taken for this one.
    bury(transaction, fleet, app.name());
    return null;
  }

  /** Deletes the app with everything that it has; its processes drain and end. */
  public Outcome<App> destroy(String actor, String name) {
    return attempts.onApp(
        name,
        (fleet, app) -> {
          var transaction = Transaction.by(actor).meant("app " + name + " is destroyed");
          transaction.delete(App.key(name), Transaction.at(app.revision()));
          transaction.delete(Service.key(name), Transaction.ANY);
          fleet
              .routesOf(name)
              .forEach(r -> transaction.delete(Route.key(r.host()), Transaction.ANY));
          for (var release : fleet.releasesOf(name)) {
            transaction.delete(release.key(), Transaction.ANY);
          }
          fleet
              .configs()
              .forEach((key, vars) -> {
                if (vars.app().equals(name)) {
                  transaction.delete(key, Transaction.ANY);
                }
              });
          bury(transaction, fleet, name);
          return Attempts.ok(transaction, app.value());
        });
  }

  /** Drains whatever runs, release commands too, and forgets what crashed. */
  private void bury(Transaction transaction, Fleet fleet, String name) {
    transaction.delete(Policy.serviceKey(name), Transaction.ANY);
    transaction.delete(Policy.hostKey(defaultHost(name)), Transaction.ANY);
    fleet.instancesOf(name).stream()
        .filter(instance -> !instance.state().leaving())
        .limit(DRAINED_MAX) // the conductor drains what is left of an app that is no more
        .forEach(instance -> drain(transaction, instance, Transaction.PRESENT, time));
    for (var crash : fleet.crashesOf(name)) {
      transaction.delete(crash.key(), Transaction.ANY);
      transaction.delete(Endpoint.key(name, crash.instance()), Transaction.ANY);
    }
  }

  /**
   * Accepts an artifact as the app's next release, and creates the app where there is none.
   *
   * @param request the caller's idempotency key: the same key gives the same release again
   */
  public Outcome<Release> deploy(
      String actor, String name, Artifact artifact, String description, @Nullable String request) {
    return attempts.run(fleet -> {
      var known = fleet.releaseOf(name, request);
      if (known != null) {
        return Attempts.ok(null, known);
      }
      var transaction = Transaction.by(actor);
      var found = fleet.versioned(name);
      var app = found == null ? null : found.value();
      if (app == null) {
        app = new App(name, time.now(), 0, 1, 0, Map.of(Release.WEB, 1));
        var refusal = create(fleet, transaction, app);
        if (refusal != null) {
          return Outcome.refused(refusal);
        }
      }
      var release =
          new Release(
              name,
              found == null ? 1 : app.latest() + 1,
              Status.PENDING,
              description,
              artifact.sha256(),
              artifact.procfile().types(),
              app.config(),
              request,
              time.now(),
              actor,
              null);
      transaction.put(Release.KIND, release.key(), release, Transaction.ABSENT);
      if (found != null) {
        putApp(transaction, found, app.withLatest(release.version()));
        prune(transaction, fleet, app, release);
      }
      return Attempts.ok(transaction, release);
    });
  }

  /**
   * Makes an earlier release the app's next one, with its artifact and its config vars.
   *
   * @param version null for the last one that succeeded before the current
   */
  public Outcome<Release> rollback(
      String actor, String name, @Nullable Integer version, @Nullable String request) {
    return attempts.onApp(
        name,
        (fleet, found) -> {
          var known = fleet.releaseOf(name, request);
          if (known != null) {
            return Attempts.ok(null, known);
          }
          var app = found.value();
          var target =
              fleet.releasesOf(name).stream()
                  .filter(r ->
                      version == null
                          ? r.status() == Status.SUCCEEDED && r.version() < app.release()
                          : r.version() == version)
                  .findFirst()
                  .orElse(null);
          if (target == null) {
            return Outcome.refused(
                new Refusal.NotFound(
                    version == null
                        ? "app " + name + ": has no earlier release to go back to"
                        : "release v" + version + " of " + name + ": does not exist"));
          }
          if (target.status() != Status.SUCCEEDED || target.version() == app.release()) {
            return Outcome.refused(
                new Refusal.Invalid(
                    Check.message(
                        "release v" + target.version() + " of " + name,
                        target.version() == app.release() ? "current" : target.status(),
                        "one that succeeded and is not current")));
          }
          var release =
              next(app, target, "Rollback to v" + target.version(), actor, request)
                  .apply(target.config());
          var transaction = Transaction.by(actor);
          transaction.put(Release.KIND, release.key(), release, Transaction.ABSENT);
          putApp(transaction, found, app.withLatest(release.version()).withConfig(target.config()));
          prune(transaction, fleet, app, release);
          return Attempts.ok(transaction, release);
        });
  }

  /** Sets and unsets config vars, which makes a new release when there is something to run. */
  public Outcome<Configured> configure(
      String actor,
      String name,
      Map<String, String> set,
      Set<String> unset,
      @Nullable String request) {
    return attempts.onApp(
        name,
        (fleet, found) -> {
          var app = found.value();
          var before = fleet.config(name, app.config()).vars();
          var known = fleet.releaseOf(name, request);
          if (known != null) {
            var then = fleet.config(name, known.config()).vars();
            return Attempts.ok(null, new Configured(then, known));
          }
          var vars = new TreeMap<>(before);
          vars.putAll(set);
          vars.keySet().removeAll(unset);
          boolean same = vars.equals(before);
          var base =
              fleet.releasesOf(name).stream()
                  .filter(r -> r.status() != Status.FAILED)
                  .findFirst()
                  .orElse(null);
          if (same && (base == null || base.config() == app.config())) {
            return Attempts.ok(null, new Configured(before, null));
          }
          // The same vars, but the release that was to bring them failed: they get another.
          int version = same ? app.config() : fleet.newestConfig(name) + 1;
          var transaction = Transaction.by(actor);
          if (!same) {
            transaction.put(
                ConfigVars.KIND,
                ConfigVars.key(name, version),
                new ConfigVars(name, version, vars),
                Transaction.ABSENT);
          }
          if (base == null) {
            putApp(transaction, found, app.withConfig(version));
            if (app.config() != 0) {
              transaction.delete(ConfigVars.key(name, app.config()), Transaction.ANY);
            }
            return Attempts.ok(transaction, new Configured(vars, null));
          }
          var release = next(app, base, described(set, unset), actor, request).apply(version);
          transaction.put(Release.KIND, release.key(), release, Transaction.ABSENT);
          putApp(transaction, found, app.withLatest(release.version()).withConfig(version));
          prune(transaction, fleet, app, release);
          return Attempts.ok(transaction, new Configured(vars, release));
        });
  }

  /** States how many processes of the given types should run; other types stay as they are. */
  public Outcome<App> scale(String actor, String name, Map<String, Integer> wanted) {
    return attempts.onApp(
        name,
        (fleet, found) -> {
          var app = found.value();
          var newest = fleet.releasesOf(name).stream().findFirst().orElse(null);
          for (var type : wanted.keySet()) {
            boolean runnable =
                !type.equals(Release.RELEASE_COMMAND)
                    && (type.equals(Release.WEB)
                        || (newest != null && newest.types().containsKey(type)));
            if (!runnable) {
              return Outcome.refused(
                  new Refusal.Invalid(
                      Check.message(
                          "process type",
                          type,
                          newest == null ? "web" : "one of " + newest.types().keySet())));
            }
          }
          var formation = new TreeMap<>(app.formation());
          formation.putAll(wanted);
          var changed = app.withFormation(formation);
          if (changed.equals(app)) {
            return Attempts.ok(null, app);
          }
          var transaction = Transaction.by(actor);
          putApp(transaction, found, changed);
          var current = fleet.release(name, app.release());
          transaction.put(
              Service.KIND, Service.key(name), service(changed, current), Transaction.ANY);
          return Attempts.ok(transaction, changed);
        });
  }

  /**
   * Replaces the app's processes, or one of them, by fresh ones.
   *
   * @return how many were running
   */
  public Outcome<Integer> restart(String actor, String name, @Nullable String process) {
    return attempts.onApp(
        name,
        (fleet, found) -> {
          var transaction = Transaction.by(actor);
          transaction.require(App.key(name), Transaction.at(found.revision()));
          int drained = drain(transaction, fleet, name, process);
          int crashed = 0;
          for (var crash : fleet.crashesOf(name)) {
            if (process == null || crash.process().equals(process)) {
              transaction.delete(crash.key(), Transaction.ANY);
              transaction.delete(Endpoint.key(name, crash.instance()), Transaction.ANY);
              crashed++;
            }
          }
          return process != null && drained + crashed == 0
              ? Outcome.refused(
                  new Refusal.NotFound("process " + process + " of " + name + ": not running"))
              : Attempts.ok(transaction, drained);
        });
  }

  /** Routes a host to the app. */
  public Outcome<Route> addDomain(String actor, String name, String domain) {
    return attempts.onApp(
        name,
        (fleet, found) -> {
          var route = Route.toService(domain, name);
          if (route.equals(fleet.routes().get(Route.key(route.host())))) {
            return Attempts.ok(null, route);
          }
          var taken = attempts.taken(route.host());
          if (taken != null) {
            return Outcome.refused(taken);
          }
          if (fleet.routesOf(name).size() > DOMAINS_MAX) {
            return Outcome.refused(
                new Refusal.Invalid(
                    Check.message(
                        "domains of " + name, DOMAINS_MAX + 1, "at most " + DOMAINS_MAX)));
          }
          var transaction = Transaction.by(actor);
          // Written, not only required: a destroy that did not see this route must not succeed.
          putApp(transaction, found, found.value());
          transaction.put(Route.KIND, Route.key(route.host()), route, Transaction.ABSENT);
          transaction.delete(Policy.hostKey(route.host()), Transaction.ANY);
          return Attempts.ok(transaction, route);
        });
  }

  /** Routes a host to the app no longer. */
  public Outcome<Route> removeDomain(String actor, String name, String domain) {
    return attempts.onApp(
        name,
        (fleet, _) -> {
          var route = fleet.routes().get(Route.key(domain));
          if (route == null || !name.equals(route.service())) {
            return Outcome.refused(
                new Refusal.NotFound("domain " + HostName.of(domain) + " of " + name + ": none"));
          }
          if (route.host().equals(defaultHost(name))) {
            return Outcome.refused(
                new Refusal.Invalid(
                    Check.message("domain", route.host(), "not the app's default domain")));
          }
          return Attempts.ok(
              Transaction.by(actor).delete(Route.key(domain), fleet.unchanged(Route.key(domain))),
              route);
        });
  }

  // ---- parts

  static Service service(App app, @Nullable Release current) {
    boolean web = current != null && current.types().containsKey(Release.WEB);
    return new Service(app.name(), current != null, web ? app.wanted(Release.WEB) : 0);
  }

  private static void putApp(Transaction transaction, Fleet.Versioned<App> found, App next) {
    transaction.put(App.KIND, App.key(next.name()), next, Transaction.at(found.revision()));
  }

  private Function<Integer, Release> next(
      App app, Release base, String description, String actor, @Nullable String request) {
    return configVersion ->
        new Release(
            app.name(),
            app.latest() + 1,
            Status.PENDING,
            description,
            base.artifact(),
            base.types(),
            configVersion,
            request,
            time.now(),
            actor,
            null);
  }

  /** Lets go of releases beyond the number that is kept, and of config vars that none has. */
  private void prune(Transaction transaction, Fleet fleet, App app, Release next) {
    var all = fleet.releasesOf(app.name());
    var configs = new HashSet<>(Set.of(app.config()));
    configs.add(next.config());
    for (int i = 0; i < all.size(); i++) {
      var release = all.get(i);
      if (i < config.releasesKept() - 1
          || release.version() == app.release()
          || !release.status().settled()) {
        configs.add(release.config());
      } else {
        transaction.delete(release.key(), Transaction.ANY);
      }
    }
    fleet
        .configs()
        .forEach((key, vars) -> {
          if (vars.app().equals(app.name()) && !configs.contains(vars.version())) {
            transaction.delete(key, Transaction.ANY);
          }
        });
  }

  /** Drains what is not leaving; a release command goes on. */
  private int drain(Transaction transaction, Fleet fleet, String app, @Nullable String process) {
    int count = 0;
    for (var instance : fleet.instancesOf(app)) {
      if (!instance.state().leaving()
          && !instance.type().equals(Release.RELEASE_COMMAND)
          && (process == null || instance.process().equals(process))) {
        drain(transaction, instance, Transaction.PRESENT, time);
        count++;
      }
    }
    return count;
  }

  static void drain(
      Transaction transaction, Instance instance, Transaction.Expect expect, Time time) {
    transaction.put(
        Instance.KIND, instance.key(), instance.in(Instance.State.DRAINING, time.now()), expect);
    if (instance.routed()) {
      var endpoint = instance.endpoint(Endpoint.State.DRAINING);
      transaction.put(Endpoint.KIND, endpoint.key(), endpoint, Transaction.ANY);
    }
  }

  private static String described(Map<String, String> set, Set<String> unset) {
    var words = new StringBuilder();
    if (!set.isEmpty()) {
      words.append("Set ").append(String.join(", ", new TreeMap<>(set).keySet()));
    }
    if (!unset.isEmpty()) {
      words.append(words.isEmpty() ? "Remove " : ", remove ").append(String.join(", ", unset));
    }
    var text = words.append(" config vars").toString();
    return text.length() <= 200 ? text : text.substring(0, 199) + "…";
  }
}
