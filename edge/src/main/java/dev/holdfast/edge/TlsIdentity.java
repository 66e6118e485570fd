package dev.holdfast.edge;

import dev.holdfast.limits.Check;
import java.security.PrivateKey;
import java.security.cert.X509Certificate;
import java.util.List;

/**
 * A certificate chain and the key that proves it is ours. Immutable; the edge keeps one TLS context
 * per instance, so the same identity should be the same instance for as long as it does not change.
 *
 * @param chain the host's certificate first
 */
public record TlsIdentity(List<X509Certificate> chain, PrivateKey key) {

  /** Refuses an empty chain. */
  public TlsIdentity {
    chain = List.copyOf(chain);
    Check.that(!chain.isEmpty(), "chain", chain.size(), "at least one certificate");
  }

  /** Shows no key. */
  @Override
  public String toString() {
    return "TlsIdentity[" + chain.getFirst().getSubjectX500Principal() + "]";
  }
}
