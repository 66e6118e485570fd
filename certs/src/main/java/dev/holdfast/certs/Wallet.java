package dev.holdfast.certs;

import dev.holdfast.edge.TlsIdentity;
import dev.holdfast.ledger.Entry;
import dev.holdfast.ledger.Fold;
import dev.holdfast.ledger.PersistentMap;
import dev.holdfast.limits.Check;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Everything that the ledger says about certificates, at one position, read to the point where the
 * edge can use it. Immutable.
 *
 * @param certificates by host
 * @param orders by host
 * @param authorities by directory
 * @param selfSigned what is shown when nothing else is, or null
 * @param tickets the keys of session tickets as they stand in the ledger, or null
 * @param ticketKeys the same in bytes, the newest first
 */
record Wallet(
    PersistentMap<String, Held> certificates,
    PersistentMap<String, Underway> orders,
    PersistentMap<String, Ca> authorities,
    @Nullable Held selfSigned,
    @Nullable TicketKeys tickets,
    List<byte[]> ticketKeys) {

  /** A certificate, read. */
  record Held(Certificate certificate, TlsIdentity identity) {}

  /** An order with what answers for it over TLS, or null. */
  record Underway(Order order, @Nullable TlsIdentity challenge) {}

  static final Fold<Wallet> FOLD =
      new Fold<>() {
        @Override
        public Wallet start() {
          return new Wallet(
              PersistentMap.empty(),
              PersistentMap.empty(),
              PersistentMap.empty(),
              null,
              null,
              List.of());
        }

        @Override
        public Wallet apply(Wallet wallet, Entry entry) {
          return wallet.after(entry);
        }

        @Override
        public boolean reads(String kind) {
          return KINDS.contains(kind);
        }
      };

  private static final Set<String> KINDS =
      Set.of(Certificate.KIND.name(), Order.KIND.name(), Ca.KIND.name(), TicketKeys.KIND.name());

  private Wallet after(Entry entry) {
    var kind = entry.kind();
    if (kind.equals(Certificate.KIND.name())) {
      return afterCertificate(entry);
    }
    if (kind.equals(Order.KIND.name())) {
      return afterOrder(entry);
    }
    if (kind.equals(Ca.KIND.name())) {
      return afterAuthority(entry);
    }
    if (kind.equals(TicketKeys.KIND.name())) {
      var keys = entry.deleted() ? null : TicketKeys.KIND.decode(entry);
      return new Wallet(
          certificates,
          orders,
          authorities,
          selfSigned,
          keys,
          keys == null ? List.of() : keys.bytes());
    }
    return this;
  }

  private Wallet afterCertificate(Entry entry) {
    Held held = null;
    if (!entry.deleted()) {
      var certificate = Certificate.KIND.decode(entry);
      Check.that(entry.key().equals(certificate.place()), "key", entry.key(), certificate.place());
      held = new Held(certificate, Pem.identity(certificate.chain(), certificate.key()));
    }
    if (entry.key().equals(Certificate.SELF_SIGNED_KEY)) {
      return new Wallet(certificates, orders, authorities, held, tickets, ticketKeys);
    }
    var host = rest(entry, Certificate.key(""));
    var next = held == null ? certificates.without(host) : certificates.with(host, held);
    return new Wallet(next, orders, authorities, selfSigned, tickets, ticketKeys);
  }

  private Wallet afterOrder(Entry entry) {
    var host = rest(entry, Order.key(""));
    PersistentMap<String, Underway> next;
    if (entry.deleted()) {
      next = orders.without(host);
    } else {
      var order = Order.KIND.decode(entry);
      Check.that(order.host().equals(host), "key", entry.key(), Order.key(order.host()));
      var challenge = order.challenge();
      var chain = challenge == null ? null : challenge.chain();
      var key = challenge == null ? null : challenge.key();
      var identity = chain == null || key == null ? null : Pem.identity(chain, key);
      next = orders.with(host, new Underway(order, identity));
    }
    return new Wallet(certificates, next, authorities, selfSigned, tickets, ticketKeys);
  }

  private Wallet afterAuthority(Entry entry) {
    var directory = rest(entry, Ca.key(""));
    var next =
        entry.deleted()
            ? authorities.without(directory)
            : authorities.with(directory, Ca.KIND.decode(entry));
    return new Wallet(certificates, orders, next, selfSigned, tickets, ticketKeys);
  }

  /** What the host has of its own, or what stands for it and its neighbours, or null. */
  @Nullable Held covering(String host) {
    var own = certificates.get(host);
    int dot = host.indexOf('.');
    return own != null || dot < 0 ? own : certificates.get("*" + host.substring(dot));
  }

  private static String rest(Entry entry, String prefix) {
    Check.that(entry.key().startsWith(prefix), "key", entry.key(), prefix + "...");
    return entry.key().substring(prefix.length());
  }
}
