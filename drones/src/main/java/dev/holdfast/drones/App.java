package dev.holdfast.drones;

import dev.holdfast.ledger.HostName;
import dev.holdfast.ledger.Kind;
import dev.holdfast.limits.Check;
import java.time.Instant;
import java.util.Collections;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;

/**
 * What somebody wants to run: its name, which release is current, how many processes of each type.
 * Immutable.
 *
 * @param name one label, unique on the platform; also the name of its service
 * @param createdAt when it was created
 * @param release version of the current release; 0 when nothing was ever released
 * @param latest version of the newest release, current or not; 0 when there is none
 * @param config version of the config vars that the next release gets; 0 when none were ever set
 * @param formation how many processes are wanted, by type
 */
public record App(
    String name,
    Instant createdAt,
    int release,
    int latest,
    int config,
    Map<String, Integer> formation) {
  /** Apps in the ledger. */
  public static final Kind<App> KIND = Kind.open("app", 1, App.class);

  /** Most processes of one type. */
  public static final int PROCESSES_PER_TYPE_MAX = 100;

  /** Refuses an app that could not be run. */
  public App {
    HostName.label("app", Objects.requireNonNull(name, "name"));
    Objects.requireNonNull(createdAt, "createdAt");
    formation = Collections.unmodifiableMap(new TreeMap<>(formation));
    formation.forEach((type, count) ->
        Check.that(
            count >= 0 && count <= PROCESSES_PER_TYPE_MAX,
            type,
            count,
            "0 to " + PROCESSES_PER_TYPE_MAX + " processes"));
  }

  static String key(String name) {
    return "app/" + name;
  }

  App withRelease(int current) {
    return new App(name, createdAt, current, latest, config, formation);
  }

  App withLatest(int version) {
    return new App(name, createdAt, release, version, config, formation);
  }

  App withConfig(int version) {
    return new App(name, createdAt, release, latest, version, formation);
  }

  App withFormation(Map<String, Integer> wanted) {
    return new App(name, createdAt, release, latest, config, wanted);
  }

  /** How many processes of that type are wanted. */
  public int wanted(String type) {
    return formation.getOrDefault(type, 0);
  }
}
