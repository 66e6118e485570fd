package dev.holdfast.certs;

import dev.holdfast.ledger.Kind;
import java.time.Instant;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * What a host is served with. Immutable.
 *
 * @param host whom it is for; {@code *.} in front stands for one label
 * @param chain certificates in PEM (RFC 7468), the host's first
 * @param directory of the authority that it was ordered from; null for one that a person brought or
 *     that nobody vouches for
 * @param renewAt when the next one is to be ordered; for one that a person brought, when it is due
 */
record Certificate(
    String host,
    Source source,
    String chain,
    StoredKey key,
    @Nullable String directory,
    Instant notBefore,
    Instant notAfter,
    Instant renewAt,
    String actor) {
  static final Kind<Certificate> KIND = Kind.secret("certificate", 1, Certificate.class);

  /** Host of the certificate that nobody vouches for. */
  static final String LOCAL = "localhost";

  private static final String PREFIX = "certificate/";
  static final String SELF_SIGNED_KEY = "certificate-self-signed";

  /** Where a certificate comes from. */
  enum Source {
    /** Ordered. */
    ACME,
    /** A person brought it. */
    MANUAL,
    /** This platform made it, and nobody vouches for it. */
    SELF_SIGNED
  }

  Certificate {
    Objects.requireNonNull(host, "host");
    Objects.requireNonNull(source, "source");
    Objects.requireNonNull(chain, "chain");
    Objects.requireNonNull(key, "key");
    Objects.requireNonNull(notBefore, "notBefore");
    Objects.requireNonNull(notAfter, "notAfter");
    Objects.requireNonNull(renewAt, "renewAt");
    Objects.requireNonNull(actor, "actor");
  }

  static String key(String host) {
    return PREFIX + host;
  }

  String place() {
    return source == Source.SELF_SIGNED ? SELF_SIGNED_KEY : key(host);
  }

  /** The same, to be renewed then. */
  Certificate renewed(Instant at) {
    return new Certificate(host, source, chain, key, directory, notBefore, notAfter, at, actor);
  }

  boolean expired(Instant now) {
    return !now.isBefore(notAfter);
  }
}
