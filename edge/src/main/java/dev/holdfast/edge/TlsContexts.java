package dev.holdfast.edge;

import io.netty.buffer.ByteBufAllocator;
import io.netty.handler.ssl.ApplicationProtocolConfig;
import io.netty.handler.ssl.ClientAuth;
import io.netty.handler.ssl.OpenSsl;
import io.netty.handler.ssl.OpenSslSessionContext;
import io.netty.handler.ssl.OpenSslSessionTicketKey;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslHandler;
import io.netty.handler.ssl.SslProvider;
import io.netty.handler.ssl.SupportedCipherSuiteFilter;
import io.netty.util.IllegalReferenceCountException;
import io.netty.util.ReferenceCountUtil;
import java.security.cert.X509Certificate;
import java.util.Arrays;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.ReentrantLock;
import javax.net.ssl.SSLException;
import org.jspecify.annotations.Nullable;

/**
 * One TLS context per identity, made when it is first asked for; the one that was not asked for the
 * longest makes room. A context that is replaced lives on in the connections that use it.
 * Thread-safe: what is there is found without a lock.
 *
 * <p>TLS 1.2 and 1.3 only, forward secrecy and authenticated encryption only (RFC 9325 section
 * 4.2), the server's order; no compression, no renegotiation. Sessions are resumed by tickets; with
 * the JDK's TLS these are sealed with keys of its own, because it takes none from outside.
 */
final class TlsContexts {
  private static final String TLS_12 = "TLSv1.2";
  private static final String TLS_13 = "TLSv1.3";
  private static final int TICKET_KEY_BYTES = 48;

  /** Fast with AES instructions first; ChaCha20 for clients that offer nothing else. */
  private static final List<String> CIPHERS =
      List.of(
          "TLS_AES_128_GCM_SHA256",
          "TLS_AES_256_GCM_SHA384",
          "TLS_CHACHA20_POLY1305_SHA256",
          "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
          "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
          "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
          "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
          "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
          "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256");

  /** A context, or the knowledge that the identity is good for none. */
  private static final class Held {
    final @Nullable SslContext context;
    volatile List<byte[]> tickets = List.of();
    volatile long used;

    Held(@Nullable SslContext context) {
      this.context = context;
    }
  }

  private final FrontConfig config;
  private final TlsKeys keys;
  private final List<String> protocols;
  private final SslProvider provider;
  private final ReentrantLock changing = new ReentrantLock();
  private final AtomicLong clock = new AtomicLong(); // counts takings
  private volatile IdentityHashMap<TlsIdentity, Held> ready =
      new IdentityHashMap<>(); // copied on write

  TlsContexts(FrontConfig config, TlsKeys keys, List<String> protocols) {
    this.config = config;
    this.keys = keys;
    this.protocols = protocols;
    boolean boring = config.nativeTls() && OpenSsl.isAvailable();
    provider = boring ? SslProvider.OPENSSL_REFCNT : SslProvider.JDK;
    if (!boring) {
      System.setProperty("jdk.tls.rejectClientInitiatedRenegotiation", "true");
    }
  }

  /** The identity's context, which the caller releases; null when no context can be made of it. */
  @Nullable SslContext take(TlsIdentity identity) {
    while (true) {
      var held = ready.get(identity);
      if (held == null) {
        held = add(identity);
      }
      var context = held.context;
      if (context == null) {
        return null;
      }
      try {
        ReferenceCountUtil.retain(context);
      } catch (IllegalReferenceCountException e) {
        continue; // it made room between the look and the grasp
      }
      held.used = clock.incrementAndGet();
      seal(held, context);
      return context;
    }
  }

  static SslHandler handler(SslContext context, ByteBufAllocator allocator) {
    var handler = context.newHandler(allocator);
    if (!(context.sessionContext() instanceof OpenSslSessionContext)) {
      var parameters = handler.engine().getSSLParameters();
      parameters.setUseCipherSuitesOrder(true);
      handler.engine().setSSLParameters(parameters);
    }
    handler.setHandshakeTimeoutMillis(0); // the entrance has one deadline for everything
    return handler;
  }

  private Held add(TlsIdentity identity) {
    changing.lock();
    try {
      var known = ready.get(identity);
      if (known != null) {
        return known;
      }
      var added = new Held(make(identity));
      added.used = clock.get();
      var next = new IdentityHashMap<TlsIdentity, Held>(ready);
      Held out = null;
      if (next.size() >= config.tlsContextsMax()) {
        TlsIdentity oldest = identity;
        long least = Long.MAX_VALUE;
        for (var entry : next.entrySet()) {
          if (entry.getValue().used < least) {
            least = entry.getValue().used;
            oldest = entry.getKey();
          }
        }
        out = next.remove(oldest);
      }
      next.put(identity, added);
      ready = next;
      if (out != null && out.context != null) {
        ReferenceCountUtil.release(out.context);
      }
      return added;
    } finally {
      changing.unlock();
    }
  }

  private @Nullable SslContext make(TlsIdentity identity) {
    var alpn =
        new ApplicationProtocolConfig(
            ApplicationProtocolConfig.Protocol.ALPN,
            ApplicationProtocolConfig.SelectorFailureBehavior.NO_ADVERTISE,
            ApplicationProtocolConfig.SelectedListenerFailureBehavior.ACCEPT,
            protocols);
    try {
      var context =
          SslContextBuilder.forServer(
                  identity.key(), identity.chain().toArray(new X509Certificate[0]))
              .sslProvider(provider)
              .protocols(TLS_13, TLS_12)
              .ciphers(CIPHERS, SupportedCipherSuiteFilter.INSTANCE)
              .clientAuth(ClientAuth.NONE)
              .applicationProtocolConfig(alpn)
              .sessionCacheSize(config.tlsSessionsMax())
              .sessionTimeout(config.tlsSessionLife().toSeconds())
              .build();
      if (context.sessionContext() instanceof OpenSslSessionContext sessions) {
        sessions.setTicketKeys(new OpenSslSessionTicketKey[0]); // BoringSSL's own until told others
      }
      return context;
    } catch (SSLException | IllegalArgumentException e) {
      Shared.bug("no TLS context can be made of " + identity, e);
      return null;
    }
  }

  /** Gives the context the ticket keys of now. */
  @SuppressWarnings("ReferenceEquality") // the same list is the common case; others are compared
  private void seal(Held held, SslContext context) {
    var now = keys.ticketKeys();
    if (now == held.tickets || !(context.sessionContext() instanceof OpenSslSessionContext to)) {
      return;
    }
    changing.lock();
    try {
      if (!same(now, held.tickets)) {
        to.setTicketKeys(
            now.stream()
                .filter(key -> key.length == TICKET_KEY_BYTES)
                .map(TlsContexts::ticketKey)
                .toArray(OpenSslSessionTicketKey[]::new));
      }
      held.tickets = now;
    } finally {
      changing.unlock();
    }
  }

  private static OpenSslSessionTicketKey ticketKey(byte[] key) {
    int part = TICKET_KEY_BYTES / 3;
    return new OpenSslSessionTicketKey(
        Arrays.copyOf(key, part),
        Arrays.copyOfRange(key, part, 2 * part),
        Arrays.copyOfRange(key, 2 * part, TICKET_KEY_BYTES));
  }

  private static boolean same(List<byte[]> one, List<byte[]> other) {
    if (one.size() != other.size()) {
      return false;
    }
    for (int i = 0; i < one.size(); i++) {
      if (!Arrays.equals(one.get(i), other.get(i))) {
        return false;
      }
    }
    return true;
  }

  /** How many identities have a context. */
  int size() {
    return ready.size();
  }

  void close() {
    changing.lock();
    try {
      for (var held : ready.values()) {
        if (held.context != null) {
          ReferenceCountUtil.release(held.context);
        }
      }
      ready = new IdentityHashMap<>();
    } finally {
      changing.unlock();
    }
  }
}
