package dev.holdfast.edge;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What the edge asks for when a client wants to speak TLS, and when a certificate authority checks
 * who owns a host. Called on event loops for every handshake: answers come from memory, never block
 * and never throw. Hosts are lower case without trailing dot.
 */
public interface TlsKeys {
  /** No host has a certificate. */
  TlsKeys NONE =
      new TlsKeys() {
        @Override
        public @Nullable TlsIdentity identity(String host) {
          return null;
        }

        @Override
        public @Nullable TlsIdentity challenge(String host) {
          return null;
        }

        @Override
        public @Nullable String response(String host, String token) {
          return null;
        }

        @Override
        public List<byte[]> ticketKeys() {
          return List.of();
        }
      };

  /**
   * Whom the edge is for that host, or null when it has no certificate for it: the handshake then
   * fails with {@code unrecognized_name}. An empty host is asked for when a client names none.
   */
  @Nullable TlsIdentity identity(String host);

  /** The certificate that answers a TLS-ALPN-01 challenge (RFC 8737) for that host, or null. */
  @Nullable TlsIdentity challenge(String host);

  /** The key authorization that answers an HTTP-01 challenge (RFC 8555 section 8.3), or null. */
  @Nullable String response(String host, String token);

  /**
   * Keys that session tickets are sealed with, 48 random bytes each, the newest first; equal on all
   * nodes, so that a ticket of one is good at the others. Empty means keys of this process alone.
   */
  List<byte[]> ticketKeys();
}
