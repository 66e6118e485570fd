package dev.holdfast.drones;

import dev.holdfast.ledger.Endpoint;
import dev.holdfast.ledger.Entry;
import dev.holdfast.ledger.Fold;
import dev.holdfast.ledger.Lease;
import dev.holdfast.ledger.PersistentMap;
import dev.holdfast.ledger.Route;
import dev.holdfast.ledger.Transaction;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Set;
import java.util.function.Function;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * Everything that the ledger says about apps and drones, at one position. Routes to addresses are
 * not in it: there may be a million of them, and no app has one. Immutable.
 *
 * @param apps by ledger key
 * @param releases by ledger key
 * @param configs by ledger key
 * @param instances by ledger key
 * @param crashes by ledger key
 * @param routes by ledger key, those to services only
 * @param endpoints by ledger key
 * @param leases by lease key, ended ones included, since their revision gives the next epoch
 * @param revisions of everything here but apps and leases, by ledger key: what a writer must name
 *     to replace what it saw
 */
public record Fleet(
    PersistentMap<String, Versioned<App>> apps,
    PersistentMap<String, Release> releases,
    PersistentMap<String, ConfigVars> configs,
    PersistentMap<String, Instance> instances,
    PersistentMap<String, Crash> crashes,
    PersistentMap<String, Route> routes,
    PersistentMap<String, Endpoint> endpoints,
    PersistentMap<String, Versioned<Lease.State>> leases,
    PersistentMap<String, Long> revisions) {

  /** A value with the revision that a writer must name to replace it. */
  public record Versioned<T>(long revision, T value) {}

  /** Folds the ledger into a fleet. */
  public static final Fold<Fleet> FOLD =
      new Fold<>() {
        @Override
        public Fleet start() {
          return new Fleet(
              PersistentMap.empty(),
              PersistentMap.empty(),
              PersistentMap.empty(),
              PersistentMap.empty(),
              PersistentMap.empty(),
              PersistentMap.empty(),
              PersistentMap.empty(),
              PersistentMap.empty(),
              PersistentMap.empty());
        }

        @Override
        public Fleet apply(Fleet fleet, Entry entry) {
          return fleet.after(entry);
        }

        @Override
        public boolean reads(String kind) {
          return KINDS.contains(kind);
        }
      };

  private static final Set<String> KINDS =
      Set.of(
          App.KIND.name(),
          Lease.KIND.name(),
          Release.KIND.name(),
          ConfigVars.KIND.name(),
          Instance.KIND.name(),
          Crash.KIND.name(),
          Route.KIND.name(),
          Endpoint.KIND.name());

  private Fleet after(Entry entry) {
    var kind = entry.kind();
    if (kind.equals(App.KIND.name())) {
      return withApps(changed(apps, entry, e -> new Versioned<>(e.revision(), App.KIND.decode(e))));
    } else if (kind.equals(Lease.KIND.name())) {
      return withLeases(
          changed(leases, entry, e -> new Versioned<>(e.revision(), Lease.KIND.decode(e))));
    } else if (kind.equals(Release.KIND.name())) {
      return withReleases(changed(releases, entry, Release.KIND::decode)).revised(entry);
    } else if (kind.equals(ConfigVars.KIND.name())) {
      return withConfigs(changed(configs, entry, ConfigVars.KIND::decode)).revised(entry);
    } else if (kind.equals(Instance.KIND.name())) {
      return withInstances(changed(instances, entry, Instance.KIND::decode)).revised(entry);
    } else if (kind.equals(Crash.KIND.name())) {
      return withCrashes(changed(crashes, entry, Crash.KIND::decode)).revised(entry);
    } else if (kind.equals(Route.KIND.name())) {
      return afterRoute(entry);
    } else if (kind.equals(Endpoint.KIND.name())) {
      return withEndpoints(changed(endpoints, entry, Endpoint.KIND::decode)).revised(entry);
    }
    return this;
  }

  /** A route to an address is as good as none: a service's that becomes one is forgotten. */
  private Fleet afterRoute(Entry entry) {
    var route = entry.deleted() ? null : Route.KIND.decode(entry);
    if (route != null && route.service() != null) {
      return withRoutes(routes.with(entry.key(), route)).revised(entry);
    }
    return routes.get(entry.key()) == null
        ? this
        : new Fleet(
            apps,
            releases,
            configs,
            instances,
            crashes,
            routes.without(entry.key()),
            endpoints,
            leases,
            revisions.without(entry.key()));
  }

  private Fleet revised(Entry entry) {
    var next = changed(revisions, entry, Entry::revision);
    return new Fleet(apps, releases, configs, instances, crashes, routes, endpoints, leases, next);
  }

  /**
   * That the key is still as it is here: the precondition of whoever replaces what it saw. A key
   * that is not here must be absent.
   */
  Transaction.Expect unchanged(String key) {
    var revision = revisions.get(key);
    return revision == null ? Transaction.ABSENT : Transaction.at(revision);
  }

  private static <V> PersistentMap<String, V> changed(
      PersistentMap<String, V> map, Entry entry, Function<Entry, V> decode) {
    return entry.deleted() ? map.without(entry.key()) : map.with(entry.key(), decode.apply(entry));
  }

  /** The app of that name with its revision, or null. */
  public @Nullable Versioned<App> versioned(String app) {
    return apps.get(App.key(app));
  }

  /** The app of that name, or null. */
  public @Nullable App app(String name) {
    var found = versioned(name);
    return found == null ? null : found.value();
  }

  /** All apps in order of name. */
  public List<App> allApps() {
    var all = new ArrayList<App>(apps.size());
    apps.forEach((_, app) -> all.add(app.value()));
    all.sort(Comparator.comparing(App::name));
    return all;
  }

  /** That release of the app, or null. */
  public @Nullable Release release(String app, int version) {
    return releases.get(Release.key(app, version));
  }

  /** The app's releases, newest first. */
  public List<Release> releasesOf(String app) {
    return select(
        releases, r -> r.app().equals(app), Comparator.comparingInt(Release::version).reversed());
  }

  /** The app's release that was asked for with that idempotency key, or null. */
  @Nullable Release releaseOf(String app, @Nullable String request) {
    return request == null
        ? null
        : releasesOf(app).stream()
            .filter(r -> request.equals(r.request()))
            .findFirst()
            .orElse(null);
  }

  /** Highest version of the app's config vars; 0 when there are none. */
  int newestConfig(String app) {
    return select(configs, c -> c.app().equals(app), Comparator.comparingInt(ConfigVars::version))
        .reversed()
        .stream()
        .mapToInt(ConfigVars::version)
        .findFirst()
        .orElse(0);
  }

  /** That version of the app's config vars; none when it does not exist. */
  public ConfigVars config(String app, int version) {
    var found = configs.get(ConfigVars.key(app, version));
    return found == null ? new ConfigVars(app, version, java.util.Map.of()) : found;
  }

  /** The app's instances in order of process and epoch. */
  public List<Instance> instancesOf(String app) {
    return select(instances, i -> i.app().equals(app), ORDER);
  }

  /** All instances in order of app, process and epoch. */
  public List<Instance> allInstances() {
    return select(instances, _ -> true, Comparator.comparing(Instance::app).thenComparing(ORDER));
  }

  /** The app's crashes in order of process. */
  public List<Crash> crashesOf(String app) {
    return select(crashes, c -> c.app().equals(app), Comparator.comparing(Crash::process));
  }

  /** The app's routes in order of host. */
  public List<Route> routesOf(String app) {
    return select(routes, r -> app.equals(r.service()), Comparator.comparing(Route::host));
  }

  private static final Comparator<Instance> ORDER =
      Comparator.comparing(Instance::type)
          .thenComparingInt(Instance::index)
          .thenComparingLong(Instance::epoch)
          .thenComparingInt(Instance::drone);

  private static <V> List<V> select(
      PersistentMap<String, V> map, Predicate<V> wanted, Comparator<V> order) {
    var found = new ArrayList<V>();
    map.forEach((_, value) -> {
      if (wanted.test(value)) {
        found.add(value);
      }
    });
    found.sort(order);
    return found;
  }

  private Fleet withApps(PersistentMap<String, Versioned<App>> next) {
    return new Fleet(
        next, releases, configs, instances, crashes, routes, endpoints, leases, revisions);
  }

  private Fleet withReleases(PersistentMap<String, Release> next) {
    return new Fleet(apps, next, configs, instances, crashes, routes, endpoints, leases, revisions);
  }

  private Fleet withConfigs(PersistentMap<String, ConfigVars> next) {
    return new Fleet(
        apps, releases, next, instances, crashes, routes, endpoints, leases, revisions);
  }

  private Fleet withInstances(PersistentMap<String, Instance> next) {
    return new Fleet(apps, releases, configs, next, crashes, routes, endpoints, leases, revisions);
  }

  private Fleet withCrashes(PersistentMap<String, Crash> next) {
    return new Fleet(
        apps, releases, configs, instances, next, routes, endpoints, leases, revisions);
  }

  private Fleet withRoutes(PersistentMap<String, Route> next) {
    return new Fleet(
        apps, releases, configs, instances, crashes, next, endpoints, leases, revisions);
  }

  private Fleet withEndpoints(PersistentMap<String, Endpoint> next) {
    return new Fleet(apps, releases, configs, instances, crashes, routes, next, leases, revisions);
  }

  private Fleet withLeases(PersistentMap<String, Versioned<Lease.State>> next) {
    return new Fleet(
        apps, releases, configs, instances, crashes, routes, endpoints, next, revisions);
  }
}
