package dev.holdfast.certs;

import java.security.KeyPair;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The port that certificate authorities stand behind: what RFC 8555 lets a client ask, and nothing
 * that decides. Every call blocks for a bounded time and may be repeated. Thread-safe.
 */
interface Authority extends AutoCloseable {

  /** Who asks, and where. */
  record Login(String directory, KeyPair key, String account) {}

  /** How far the authority is with something. */
  enum Status {
    PENDING,
    READY,
    PROCESSING,
    VALID,
    INVALID
  }

  /** One way to prove that the host is ours. */
  record Offer(String type, String url, String token, String answer, Status status) {}

  /**
   * How an order stands.
   *
   * @param offers the ways to prove the host, where it is not proven yet
   * @param error what the authority says went wrong, or null
   */
  record Progress(Status status, List<Offer> offers, @Nullable String error) {
    public Progress {
      offers = List.copyOf(offers);
    }
  }

  /** When the authority would like a certificate to be renewed (RFC 9773). */
  record Window(Instant start, Instant end) {}

  /** The authority did not do it. */
  final class Failure extends Exception {
    private static final long serialVersionUID = 1L;

    /** Whose fault it is, which says what to do. */
    enum Cause {
      /** It did not answer, or failed itself: nobody needs to ask now. */
      SILENT,
      /** Too much was asked of it. */
      LIMITED,
      /** It does not know the account (any more). */
      NO_ACCOUNT,
      /** It will not do this. */
      REFUSED
    }

    private final Cause reason;
    private final @Nullable Duration retryAfter;

    Failure(Cause reason, String message, @Nullable Duration retryAfter) {
      super(message);
      this.reason = reason;
      this.retryAfter = retryAfter;
    }

    Failure(Cause reason, String message, Throwable cause) {
      super(message, cause);
      this.reason = reason;
      this.retryAfter = null;
    }

    Cause reason() {
      return reason;
    }

    /** How long it wants not to be asked, or null. */
    @Nullable Duration retryAfter() {
      return retryAfter;
    }
  }

  /** The URL of the account with that key, which is made when there is none. */
  String register(String directory, KeyPair key, @Nullable String contact)
      throws Failure, InterruptedException;

  /**
   * The URL of a new order.
   *
   * @param replaces the certificate that this one is to replace, or null
   */
  String order(Login login, String host, @Nullable X509Certificate replaces)
      throws Failure, InterruptedException;

  /** How that order stands. */
  Progress look(Login login, String order) throws Failure, InterruptedException;

  /** Tells the authority that our answer is there. */
  void answer(Login login, String challenge) throws Failure, InterruptedException;

  /** Sends the request for the certificate of that key. */
  void request(Login login, String order, String host, KeyPair key)
      throws Failure, InterruptedException;

  /** The certificates of a valid order, the host's first. */
  List<X509Certificate> fetch(Login login, String order) throws Failure, InterruptedException;

  /** When to renew, or null when the authority does not say. */
  @Nullable Window window(Login login, X509Certificate certificate)
      throws Failure, InterruptedException;

  /** Cuts what is under way. Idempotent. */
  @Override
  void close();
}
