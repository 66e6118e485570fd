package dev.holdfast.ledger;

import dev.holdfast.limits.Check;
import java.util.Objects;

/**
 * A name that requests can be sent to, and what its owner wants of it; the processes behind it are
 * {@link Endpoint}s. Immutable.
 *
 * @param name one label, unique on the platform
 * @param released whether there is anything to run; if not, visitors see H81 (blank app)
 * @param instances how many endpoints are wanted; with 0, visitors see H14 (no web processes)
 */
public record Service(String name, boolean released, int instances) {
  /** Services in the ledger. */
  public static final Kind<Service> KIND = Kind.open("service", 1, Service.class);

  /** Refuses a service without a name. */
  public Service {
    HostName.label("service", Objects.requireNonNull(name, "name"));
    Check.that(instances >= 0, "instances of " + name, instances, ">= 0");
  }

  /** Where the service of that name stands in the ledger. */
  public static String key(String name) {
    return "service/" + name;
  }
}
