package dev.holdfast.certs;

import dev.holdfast.certs.Authority.Failure;
import dev.holdfast.certs.Authority.Login;
import dev.holdfast.certs.Book.Lost;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/** Our account at each authority, made when it is first needed. Thread-safe. */
final class Accounts {
  private final Book book;
  private final Authority authority;
  private final @Nullable String contact;
  private final ReentrantLock lock = new ReentrantLock();
  private final Map<String, Login> known = new HashMap<>(); // guarded by lock; two directories

  Accounts(Book book, Authority authority, @Nullable String contact) {
    this.book = book;
    this.authority = authority;
    this.contact = contact;
  }

  /** Who we are there. The key is on disk before the authority sees it, and the URL before us. */
  Login login(String directory) throws Failure, Lost, InterruptedException {
    lock.lockInterruptibly();
    try {
      var login = known.get(directory);
      if (login != null) {
        return login;
      }
      var key = Account.key(directory);
      var page = book.read(Account.KIND, key);
      var account = page.value();
      if (account == null) {
        account = new Account(directory, StoredKey.fresh(), null);
        book.append(book.write().put(Account.KIND, key, account, page.unchanged()));
        page = book.read(Account.KIND, key);
      }
      var url = account.url();
      if (url == null) {
        url = authority.register(directory, account.key().pair(), contact);
        book.append(book.write().put(Account.KIND, key, account.at(url), page.unchanged()));
      }
      login = new Login(directory, account.key().pair(), url);
      known.put(directory, login);
      return login;
    } finally {
      lock.unlock();
    }
  }

  /** The authority does not know it any more: the next login registers the same key again. */
  void forget(String directory) throws Lost, InterruptedException {
    lock.lockInterruptibly();
    try {
      known.remove(directory);
      var page = book.read(Account.KIND, Account.key(directory));
      var account = page.value();
      if (account != null && account.url() != null) {
        book.append(
            book.write()
                .put(Account.KIND, Account.key(directory), account.at(null), page.unchanged()));
      }
    } finally {
      lock.unlock();
    }
  }
}
