package dev.holdfast.drones;

import dev.holdfast.ledger.Kind;
import dev.holdfast.limits.Check;
import java.time.Instant;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * One version of an app: an artifact with config vars, immutable but for how far it came.
 * Immutable.
 *
 * @param version from 1, per app, without gaps
 * @param status how far it came
 * @param description what changed, such as {@code Deploy 1a2b3c4d}
 * @param artifact SHA-256 of the upload in hexadecimal
 * @param types command by process type, from the Procfile
 * @param config version of the config vars; 0 for none
 * @param request the caller's idempotency key, or null
 * @param createdAt when it was accepted
 * @param actor who asked for it
 * @param failure why it failed, or null
 */
public record Release(
    String app,
    int version,
    Status status,
    String description,
    String artifact,
    Map<String, String> types,
    int config,
    @Nullable String request,
    Instant createdAt,
    String actor,
    @Nullable String failure) {
  /** Releases in the ledger. */
  public static final Kind<Release> KIND = Kind.open("release", 1, Release.class);

  /** The process type that visitors reach. */
  public static final String WEB = "web";

  /** The process type that runs once, before a release becomes current. */
  public static final String RELEASE_COMMAND = "release";

  /** How far a release came. */
  public enum Status {
    /** Accepted; nothing runs yet. */
    PENDING,
    /** Its release command runs. */
    RELEASING,
    /** Its web processes boot beside the old ones. */
    STARTING,
    /** It became current. */
    SUCCEEDED,
    /** It never became current, and never will. */
    FAILED;

    /** Whether nothing will change any more. */
    public boolean settled() {
      return this == SUCCEEDED || this == FAILED;
    }
  }

  /** Refuses a release that could not be run. */
  public Release {
    Objects.requireNonNull(app, "app");
    Objects.requireNonNull(status, "status");
    Objects.requireNonNull(description, "description");
    Objects.requireNonNull(artifact, "artifact");
    Objects.requireNonNull(createdAt, "createdAt");
    Objects.requireNonNull(actor, "actor");
    Check.that(version >= 1, "version of " + app, version, ">= 1");
    types = Collections.unmodifiableMap(new LinkedHashMap<>(types));
  }

  static String key(String app, int version) {
    return "release/" + app + "/" + version;
  }

  String key() {
    return key(app, version);
  }

  /** The command of that process type; one that fails when there is none. */
  String command(String type) {
    return types.getOrDefault(type, "false");
  }

  Release in(Status next) {
    return with(next, null);
  }

  Release failed(String cause) {
    return with(Status.FAILED, cause);
  }

  private Release with(Status next, @Nullable String cause) {
    return new Release(
        app, version, next, description, artifact, types, config, request, createdAt, actor, cause);
  }
}
