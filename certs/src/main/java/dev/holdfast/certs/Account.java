package dev.holdfast.certs;

import dev.holdfast.ledger.Kind;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Who we are at a certificate authority. The key is in the ledger before the authority sees it, so
 * that an account is never made twice. Immutable.
 *
 * @param directory of the authority
 * @param url where the authority keeps the account; null until it answered
 */
record Account(String directory, StoredKey key, @Nullable String url) {
  static final Kind<Account> KIND = Kind.secret("acme-account", 1, Account.class);

  Account {
    Objects.requireNonNull(directory, "directory");
    Objects.requireNonNull(key, "key");
  }

  static String key(String directory) {
    return "acme-account/" + directory;
  }

  Account at(@Nullable String newUrl) {
    return new Account(directory, key, newUrl);
  }
}
