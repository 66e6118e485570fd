package dev.holdfast.certs;

import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * How one host is served over TLS, and how far its next certificate is. Immutable.
 *
 * @param host whom it is about
 * @param source {@code acme}, {@code manual}, {@code self-signed}, or {@code none}
 * @param state how far it is: the certificate is there ("issued") or too old and still shown
 *     ("expired"), the order is "wanted", "ordering", "ordered", "challenged", "finalizing" or
 *     "failed", or there is "none"
 * @param issuer who vouches for what is shown now, or null
 * @param notBefore since when what is shown now is good, or null
 * @param notAfter until when, or null
 * @param renewAt when the next is ordered, or has to be brought by hand; or null
 * @param directory the authority of the order, or null
 * @param challenge how the host is being proven right now, or null
 * @param failures how many tries have failed in a row
 * @param nextTryAt when the order is gone on with, or null
 * @param error what went wrong last, in the authority's words where it said something, or null
 */
public record CertificateStatus(
    String host,
    String source,
    String state,
    @Nullable String issuer,
    @Nullable Instant notBefore,
    @Nullable Instant notAfter,
    @Nullable Instant renewAt,
    @Nullable String directory,
    @Nullable String challenge,
    int failures,
    @Nullable Instant nextTryAt,
    @Nullable String error) {}
