package dev.holdfast.certs;

import dev.holdfast.limits.Check;
import java.net.URI;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * How certificates are come by. Immutable.
 *
 * @param automatic whether every public host that leads somewhere gets a certificate by itself;
 *     without it only those that a person asked for
 * @param directory where the certificate authority says what it offers (RFC 8555 section 7.1.1)
 * @param staging the directory that is asked first after two failures, or null for none
 * @param contact mail address that the authority may write to, or null
 * @param roots file of certificates (PEM) that the authority's own server must lead to, or null for
 *     those that this machine trusts
 * @param proofs kinds of challenge, the preferred one first; the next is taken when one fails
 * @param selfSigned for whom a certificate that nobody vouches for is shown
 * @param limits what the authority is asked for at most
 * @param ordersAtOnce orders that are under way at a time
 */
public record CertsConfig(
    boolean automatic,
    URI directory,
    @Nullable URI staging,
    @Nullable String contact,
    @Nullable Path roots,
    List<Proof> proofs,
    SelfSigned selfSigned,
    Limits limits,
    int ordersAtOnce) {

  /** Let's Encrypt, which everybody's browser trusts. */
  public static final URI LETS_ENCRYPT =
      URI.create("https://acme-v02.api.letsencrypt.org/directory");

  /** Let's Encrypt for rehearsals: generous limits, and no browser trusts it. */
  public static final URI LETS_ENCRYPT_STAGING =
      URI.create("https://acme-staging-v02.api.letsencrypt.org/directory");

  /** How the authority is shown that a host is ours. */
  public enum Proof {
    /** A text at port 80 (RFC 8555 section 8.3). */
    HTTP_01("http-01"),
    /** A certificate at port 443 (RFC 8737). */
    TLS_ALPN_01("tls-alpn-01");

    private final String label;

    Proof(String label) {
      this.label = label;
    }

    /** As the protocol calls it. */
    public String label() {
      return label;
    }

    /**
     * The kind that the protocol calls so.
     *
     * @throws IllegalArgumentException when there is none
     */
    public static Proof of(String label) {
      for (var proof : values()) {
        if (proof.label.equals(label)) {
          return proof;
        }
      }
      throw new IllegalArgumentException(
          Check.message("challenge", label, "http-01 or tls-alpn-01"));
    }
  }

  /** For whom a certificate that nobody vouches for is shown. */
  public enum SelfSigned {
    /** For nobody. */
    OFF,
    /** For localhost, what is below it, and clients that name no host. */
    LOCAL,
    /** For every host that has no other. */
    ON
  }

  /**
   * What the authority is asked for at most. The defaults stay below those of Let's Encrypt: 300
   * orders per 3 h and account, 5 certificates for one set of names per 7 days, 5 failed
   * validations per host and hour.
   *
   * @param orders per 3 h, over all hosts
   * @param duplicates certificates for one host per 7 days
   * @param failures validations of one host per hour that failed or are not decided
   */
  public record Limits(int orders, int duplicates, int failures) {
    /** Refuses limits under which nothing could be ordered, or that make entries huge. */
    public Limits {
      Check.that(orders >= 1 && orders <= 3_000, "orders", orders, "1 to 3000");
      Check.that(duplicates >= 1 && duplicates <= 100, "duplicates", duplicates, "1 to 100");
      Check.that(failures >= 1 && failures <= 100, "failures", failures, "1 to 100");
    }
  }

  /** Refuses what no authority could be asked with. */
  public CertsConfig {
    proofs = List.copyOf(proofs);
    checkDirectory("directory", directory);
    if (staging != null) {
      checkDirectory("staging", staging);
      Check.that(!staging.equals(directory), "staging", staging, "another than directory");
    }
    Check.that(
        contact == null || contact.matches("[^\\s@,;]{1,64}@[^\\s@,;]{1,190}"),
        "contact",
        "" + contact,
        "a mail address");
    Check.that(
        !proofs.isEmpty() && proofs.stream().distinct().count() == proofs.size(),
        "proofs",
        proofs,
        "at least one, each once");
    Check.that(ordersAtOnce >= 1 && ordersAtOnce <= 64, "ordersAtOnce", ordersAtOnce, "1 to 64");
  }

  /** Let's Encrypt, nothing by itself, and self-signed on this machine alone. */
  public static CertsConfig defaults() {
    return new CertsConfig(
        false,
        LETS_ENCRYPT,
        LETS_ENCRYPT_STAGING,
        null,
        null,
        List.of(Proof.HTTP_01, Proof.TLS_ALPN_01),
        SelfSigned.LOCAL,
        new Limits(270, 4, 4),
        4);
  }

  private static void checkDirectory(String name, URI directory) {
    Check.that(
        "https".equals(directory.getScheme())
            && directory.getHost() != null
            && directory.getRawUserInfo() == null
            && directory.getRawFragment() == null,
        name,
        directory,
        "https://HOST/PATH");
  }
}
