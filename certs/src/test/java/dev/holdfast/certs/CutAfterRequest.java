package dev.holdfast.certs;

import dev.holdfast.ledger.MemoryStore;
import java.security.KeyPair;
import java.security.cert.X509Certificate;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A real authority, before which the process dies as soon as it has sent its request. */
final class CutAfterRequest implements Authority {
  private final Authority authority;
  private final MemoryStore store;
  int requests;

  CutAfterRequest(Authority authority, MemoryStore store) {
    this.authority = authority;
    this.store = store;
  }

  @Override
  public String register(String directory, KeyPair key, @Nullable String contact)
      throws Failure, InterruptedException {
    return authority.register(directory, key, contact);
  }

  @Override
  public String order(Login login, String host, @Nullable X509Certificate replaces)
      throws Failure, InterruptedException {
    return authority.order(login, host, replaces);
  }

  @Override
  public Progress look(Login login, String order) throws Failure, InterruptedException {
    return authority.look(login, order);
  }

  @Override
  public void answer(Login login, String challenge) throws Failure, InterruptedException {
    authority.answer(login, challenge);
  }

  @Override
  public void request(Login login, String order, String host, KeyPair key)
      throws Failure, InterruptedException {
    authority.request(login, order, host, key);
    requests++;
    store.failWith("killed");
    throw new FakeAuthority.Killed();
  }

  @Override
  public List<X509Certificate> fetch(Login login, String order)
      throws Failure, InterruptedException {
    return authority.fetch(login, order);
  }

  @Override
  public @Nullable Window window(Login login, X509Certificate certificate)
      throws Failure, InterruptedException {
    return authority.window(login, certificate);
  }

  @Override
  public void close() {
    authority.close();
  }
}
