package dev.holdfast.certs;

import dev.holdfast.limits.Time;
import java.io.IOException;
import java.net.MalformedURLException;
import java.net.URI;
import java.net.URL;
import java.net.http.HttpClient;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyStore;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;
import org.jspecify.annotations.Nullable;
import org.shredzone.acme4j.AccountBuilder;
import org.shredzone.acme4j.Authorization;
import org.shredzone.acme4j.Order;
import org.shredzone.acme4j.Problem;
import org.shredzone.acme4j.Session;
import org.shredzone.acme4j.challenge.Challenge;
import org.shredzone.acme4j.challenge.TokenChallenge;
import org.shredzone.acme4j.connector.NetworkSettings;
import org.shredzone.acme4j.connector.Resource;
import org.shredzone.acme4j.exception.AcmeException;
import org.shredzone.acme4j.exception.AcmeLazyLoadingException;
import org.shredzone.acme4j.exception.AcmeNotSupportedException;
import org.shredzone.acme4j.exception.AcmeProtocolException;
import org.shredzone.acme4j.exception.AcmeRateLimitedException;
import org.shredzone.acme4j.exception.AcmeServerException;
import org.shredzone.acme4j.provider.GenericAcmeProvider;

/**
 * Authorities that speak ACME (RFC 8555, RFC 8737, RFC 9773), through acme4j. The only class that
 * knows the library. Thread-safe.
 */
final class Acme implements Authority {
  private static final Duration TIMEOUT = Duration.ofSeconds(20); // of one HTTP exchange
  private static final String NO_ACCOUNT = "urn:ietf:params:acme:error:accountDoesNotExist";
  private static final String SERVER_FAILED = "urn:ietf:params:acme:error:serverInternal";

  private final @Nullable SSLContext trust;
  private final Time time;
  private final Map<String, Session> sessions = new ConcurrentHashMap<>(); // one a directory

  /**
   * A client of every directory.
   *
   * @param roots certificates that the directory's server must lead to, in PEM; null for this
   *     machine's own
   * @throws IOException when the roots cannot be read
   */
  Acme(@Nullable Path roots, Time time) throws IOException {
    trust = roots == null ? null : trusting(roots);
    this.time = time;
  }

  private interface Exchange<T> {
    T run() throws AcmeException;
  }

  @Override
  public String register(String directory, KeyPair key, @Nullable String contact)
      throws Failure, InterruptedException {
    return ask(() -> {
      var builder = new AccountBuilder().useKeyPair(key).agreeToTermsOfService();
      if (contact != null) {
        builder.addEmail(contact);
      }
      return builder.createLogin(session(directory)).getAccountLocation().toString();
    });
  }

  @Override
  public String order(Login login, String host, @Nullable X509Certificate replaces)
      throws Failure, InterruptedException {
    return ask(() -> {
      var builder = bound(login).newOrder().domain(host);
      if (replaces != null && offersWindows(login)) {
        builder.replaces(replaces);
      }
      return builder.create().getLocation().toString();
    });
  }

  @Override
  public Progress look(Login login, String order) throws Failure, InterruptedException {
    return ask(() -> {
      var bound = bound(login).bindOrder(url(order));
      bound.fetch();
      var offers = new ArrayList<Offer>();
      String error = bound.getError().map(Acme::said).orElse(null);
      for (var authorization : authorizations(bound)) {
        authorization.fetch();
        for (var challenge : authorization.getChallenges()) {
          if (status(authorization.getStatus()) == Status.PENDING
              && challenge instanceof TokenChallenge token) {
            offers.add(offer(token));
          }
          error = challenge.getError().map(Acme::said).orElse(error);
        }
      }
      return new Progress(status(bound.getStatus()), offers, error);
    });
  }

  /** Only those of an order that still needs them, or that they spoiled. */
  private static List<Authorization> authorizations(Order order) {
    return switch (status(order.getStatus())) {
      case PENDING, INVALID -> order.getAuthorizations();
      case READY, PROCESSING, VALID -> List.of();
    };
  }

  private static Offer offer(TokenChallenge challenge) {
    return new Offer(
        challenge.getType(),
        challenge.getLocation().toString(),
        challenge.getJSON().get("token").asString(),
        challenge.getAuthorization(),
        status(challenge.getStatus()));
  }

  @Override
  public void answer(Login login, String challenge) throws Failure, InterruptedException {
    ask(() -> {
      Challenge bound = bound(login).bindChallenge(url(challenge));
      bound.trigger();
      return challenge;
    });
  }

  @Override
  public void request(Login login, String order, String host, KeyPair key)
      throws Failure, InterruptedException {
    ask(() -> {
      bound(login).bindOrder(url(order)).execute(key);
      return order;
    });
  }

  @Override
  public List<X509Certificate> fetch(Login login, String order)
      throws Failure, InterruptedException {
    return ask(() -> {
      var certificate = bound(login).bindOrder(url(order)).getCertificate();
      certificate.download();
      return certificate.getCertificateChain();
    });
  }

  @Override
  public @Nullable Window window(Login login, X509Certificate certificate)
      throws Failure, InterruptedException {
    var found =
        ask(() -> {
          if (!offersWindows(login)) {
            return List.<Window>of();
          }
          var info = bound(login).bindRenewalInfo(certificate);
          info.fetch();
          return List.of(new Window(info.getSuggestedWindowStart(), info.getSuggestedWindowEnd()));
        });
    return found.isEmpty() ? null : found.getFirst();
  }

  @Override
  public void close() {
    sessions.values().forEach(session -> session.getHttpClient().shutdownNow());
  }

  private boolean offersWindows(Login login) throws AcmeException {
    return session(login.directory()).resourceUrlOptional(Resource.RENEWAL_INFO).isPresent();
  }

  private Session session(String directory) {
    return sessions.computeIfAbsent(
        directory,
        _ -> {
          var session = new Session(URI.create(directory), new Provider(trust));
          session.networkSettings().setTimeout(TIMEOUT);
          return session;
        });
  }

  private org.shredzone.acme4j.Login bound(Login login) {
    return session(login.directory()).login(url(login.account()), login.key());
  }

  private static URL url(String text) {
    try {
      return URI.create(text).toURL();
    } catch (MalformedURLException e) {
      throw new IllegalArgumentException(text, e);
    }
  }

  /** Everything but the kinds of URL that only this provider would know. */
  private static final class Provider extends GenericAcmeProvider {
    private final @Nullable SSLContext trust;

    Provider(@Nullable SSLContext trust) {
      this.trust = trust;
    }

    @Override
    public HttpClient createHttpClient(NetworkSettings settings) {
      var builder =
          HttpClient.newBuilder()
              .followRedirects(HttpClient.Redirect.NORMAL)
              .connectTimeout(settings.getTimeout())
              .proxy(settings.getProxySelector());
      if (trust != null) {
        builder.sslContext(trust);
      }
      return builder.build();
    }
  }

  private static SSLContext trusting(Path roots) throws IOException {
    try {
      var store = KeyStore.getInstance(KeyStore.getDefaultType());
      store.load(null, null);
      int number = 0;
      for (var root : Pem.chain(Files.readString(roots))) {
        store.setCertificateEntry("root-" + number++, root);
      }
      var trusted = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
      trusted.init(store);
      var context = SSLContext.getInstance("TLS");
      context.init(null, trusted.getTrustManagers(), null);
      return context;
    } catch (GeneralSecurityException | IllegalArgumentException e) {
      throw new IOException("the roots in " + roots + " cannot be used: " + e.getMessage(), e);
    }
  }

  // ---- what went wrong

  private <T> T ask(Exchange<T> exchange) throws Failure, InterruptedException {
    try {
      return exchange.run();
    } catch (AcmeException e) {
      throw failure(e);
    } catch (AcmeLazyLoadingException e) {
      throw e.getCause() instanceof AcmeException cause ? failure(cause) : refused(e);
    } catch (AcmeNotSupportedException e) {
      throw refused(e);
    } catch (AcmeProtocolException e) {
      // What it says is no ACME: whatever stands in front of it, it is not this host's fault.
      throw new Failure(Failure.Cause.SILENT, said(e), e);
    }
  }

  private Failure failure(AcmeException e) throws InterruptedException {
    for (Throwable cause = e; cause != null; cause = cause.getCause()) {
      if (cause instanceof InterruptedException) {
        Thread.currentThread().interrupt();
        throw new InterruptedException("cut while an authority was asked");
      }
    }
    return switch (e) {
      case AcmeRateLimitedException limited ->
          new Failure(
              Failure.Cause.LIMITED,
              said(limited.getProblem()),
              limited
                  .getRetryAfter()
                  .map(at -> Duration.between(time.now(), at))
                  .filter(Duration::isPositive)
                  .orElse(null));
      case AcmeServerException server ->
          new Failure(
              switch (String.valueOf(server.getType())) {
                case NO_ACCOUNT -> Failure.Cause.NO_ACCOUNT;
                case SERVER_FAILED -> Failure.Cause.SILENT;
                default -> Failure.Cause.REFUSED;
              },
              said(server.getProblem()),
              server);
      default -> new Failure(Failure.Cause.SILENT, said(e), e);
    };
  }

  private static Failure refused(RuntimeException e) {
    return new Failure(Failure.Cause.REFUSED, said(e), e);
  }

  /** What is wrong, and what is behind it. */
  private static String said(Throwable e) {
    var said = new StringBuilder(words(e));
    for (var cause = e.getCause(); cause != null; cause = cause.getCause()) {
      said.append(": ").append(words(cause));
    }
    return said.toString();
  }

  private static String words(Throwable e) {
    var message = e.getMessage();
    return message == null ? e.getClass().getSimpleName() : message;
  }

  private static String said(Problem problem) {
    var said = new StringBuilder(problem.toString());
    for (var part : problem.getSubProblems()) {
      said.append("; ").append(part);
    }
    return said + " (" + problem.getType() + ")";
  }

  private static Status status(org.shredzone.acme4j.Status status) {
    return switch (status) {
      case PENDING, UNKNOWN -> Status.PENDING;
      case READY -> Status.READY;
      case PROCESSING -> Status.PROCESSING;
      case VALID -> Status.VALID;
      case INVALID, REVOKED, DEACTIVATED, EXPIRED, CANCELED -> Status.INVALID;
    };
  }
}
