package dev.holdfast.server;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.holdfast.limits.Check;
import dev.holdfast.limits.Refusal;
import io.javalin.Javalin;
import io.javalin.config.JavalinConfig;
import io.javalin.http.Context;
import io.javalin.util.JavalinBindException;
import java.io.EOFException;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Base64;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Semaphore;
import java.util.logging.Level;
import java.util.logging.Logger;
import org.eclipse.jetty.http.HttpHeader;
import org.eclipse.jetty.http.HttpStatus;
import org.eclipse.jetty.http.UriCompliance;
import org.eclipse.jetty.server.HttpConnectionFactory;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.server.ServerConnector;
import org.eclipse.jetty.server.handler.ErrorHandler;
import org.eclipse.jetty.util.Callback;
import org.jspecify.annotations.Nullable;

/**
 * The HTTP API: every operation behind one door, which knows the caller, bounds how much is worked
 * on at a time, and turns every refusal into Problem Details. Thread-safe.
 */
final class Api implements AutoCloseable {
  private static final Logger LOG = Logger.getLogger(Api.class.getName());
  private static final String ACTOR = "holdfast.actor";
  private static final String SCOPE = "holdfast.scope";
  private static final String BEARER = "Bearer ";
  private static final String BASIC = "Basic ";
  private static final long IDLE_MILLIS = 60_000;
  private static final int HEADER_BYTES_MAX = 16 * 1024;

  /** Keys hold slashes, which clients of documents write as {@code %2F}. */
  private static final UriCompliance KEYS_IN_PATHS =
      UriCompliance.DEFAULT.with("holdfast", UriCompliance.Violation.AMBIGUOUS_PATH_SEPARATOR);

  private static final int ACCEPT_QUEUE = 1_024;

  /** Calls about control rods at a time. */
  private static final int CONTROLS_MAX = 8;

  private final Doorman tokens;
  private final RodGuard rods;
  private final Semaphore calls;
  private final Semaphore streams;
  private final Semaphore followers;
  private final Semaphore controls = new Semaphore(CONTROLS_MAX);
  private final Javalin javalin;
  private final InetSocketAddress address;

  /**
   * Starts to listen.
   *
   * @throws IOException when the address is taken, naming it
   */
  Api(ServerConfig config, List<Operation> operations, Doorman tokens, RodGuard rods)
      throws IOException {
    this.tokens = tokens;
    this.rods = rods;
    calls = new Semaphore(config.integer(ServerConfig.API_CALLS));
    streams = new Semaphore(config.integer(ServerConfig.API_STREAMS));
    followers = new Semaphore(config.integer(ServerConfig.API_FOLLOWERS));
    var listen = config.listen(ServerConfig.API);
    var at = listen.socket().getAddress();
    javalin = Javalin.create(javalinConfig -> configure(javalinConfig, listen, operations));
    try {
      javalin.start();
    } catch (JavalinBindException e) {
      javalin.stop();
      throw new IOException(
          "api: "
              + listen
              + " cannot be listened on: "
              + cause(e)
              + " (end what uses the port, or choose another with --api ADDR:PORT)",
          e);
    }
    address = new InetSocketAddress(at, javalin.port());
  }

  InetSocketAddress address() {
    return address;
  }

  @Override
  public void close() {
    javalin.stop();
  }

  private static String cause(Throwable thrown) {
    var cause = thrown;
    while (cause.getCause() != null) {
      cause = cause.getCause();
    }
    return String.valueOf(cause.getMessage());
  }

  private void configure(JavalinConfig config, Listen listen, List<Operation> operations) {
    config.concurrency.useVirtualThreads = true;
    config.startup.showJavalinBanner = false;
    config.startup.showOldJavalinVersionWarning = false;
    config.startup.startupWatcherEnabled = false;
    config.http.prefer405over404 = true;
    config.jetty.modifyHttpConfiguration(http -> {
      http.setSendServerVersion(false);
      http.setRequestHeaderSize(HEADER_BYTES_MAX);
      http.setUriCompliance(KEYS_IN_PATHS);
      http.setIdleTimeout(IDLE_MILLIS);
    });
    config.jetty.modifyServer(server -> server.setErrorHandler(new Unreadable()));
    config.jetty.modifyServletContextHandler(
        context -> context.getServletHandler().setDecodeAmbiguousURIs(true));
    config.jetty.addConnector((server, http) -> {
      var tcp = new ServerConnector(server, new HttpConnectionFactory(http));
      tcp.setHost(listen.host());
      tcp.setPort(listen.port());
      tcp.setAcceptQueueSize(ACCEPT_QUEUE);
      tcp.setIdleTimeout(IDLE_MILLIS);
      return tcp;
    });
    var document = OpenApi.document(operations, Version.NAME);
    config.routes.get("/v1/openapi.json", context -> answer(context, 200, document));
    for (var operation : operations) {
      config.routes.addHttpHandler(
          operation.method(), operation.path(), context -> handle(context, operation));
    }
    config.routes.exception(Exception.class, this::failed);
    config.routes.error(404, context -> missing(context, "Not found"));
    config.routes.error(405, context -> missing(context, "Method not allowed"));
  }

  private void handle(Context context, Operation operation)
      throws IOException, InterruptedException {
    var bound = bound(operation);
    if (bound != null) {
      identify(context, couch(context));
      if (!forFollowers(operation)) {
        requireFull(context);
      }
      if (!bound.tryAcquire()) {
        throw Problem.of(
            new Refusal.Unavailable("too much is worked on at the moment", Duration.ofSeconds(1)));
      }
    }
    try {
      rods.check(operation.effect(), context.pathParamMap().get("app"));
      var value = operation.handler().handle(context);
      if (value != null) {
        answer(context, operation.status(), value);
      } else if (operation.answer() == null && operation.media() == null) {
        context.status(operation.status());
      }
    } finally {
      if (bound != null) {
        bound.release();
      }
    }
  }

  private @Nullable Semaphore bound(Operation operation) {
    return switch (operation.access()) {
      case OPEN -> null;
      case CALL, FOLLOW_CALL -> calls;
      case STREAM -> streams;
      case CONTROL -> controls;
      case FOLLOW -> followers;
    };
  }

  private static boolean forFollowers(Operation operation) {
    return switch (operation.access()) {
      case FOLLOW, FOLLOW_CALL -> true;
      case OPEN, CALL, STREAM, CONTROL -> false;
    };
  }

  /** Refuses a token that may only follow. */
  static void requireFull(Context context) {
    if (context.<Token.Scope>attribute(SCOPE) == Token.Scope.FOLLOW) {
      throw new Problem.Thrown(
          Problem.of(
              403,
              "Forbidden",
              "token: "
                  + actor(context)
                  + " may only follow the ledger (expected: one without that bound)"),
          null);
    }
  }

  private static boolean couch(Context context) {
    return context.path().startsWith(CouchOperations.ROOT);
  }

  private void identify(Context context, boolean basic) {
    var header = context.header("Authorization");
    if (basic && header != null && header.startsWith(BASIC)) {
      header = BEARER + password(header.substring(BASIC.length()).strip());
    }
    var token =
        header != null && header.startsWith(BEARER)
            ? tokens.find(header.substring(BEARER.length()).strip())
            : null;
    if (token == null) {
      context.header("WWW-Authenticate", basic ? "Basic realm=\"holdfast\"" : "Bearer");
      throw new Problem.Thrown(
          Problem.of(
              401,
              "Unauthorized",
              header == null
                  ? "Authorization: none (expected: Bearer and a token of this platform)"
                  : "token: not known here (expected: one of this platform; the first one is in "
                      + "the file token of its home directory)"),
          null);
    }
    context.attribute(ACTOR, token.name());
    context.attribute(SCOPE, token.scoped());
  }

  /** The token, for clients that know no other place for it than the password. */
  private static String password(String credentials) {
    try {
      var text = new String(Base64.getDecoder().decode(credentials), UTF_8);
      return text.substring(text.indexOf(':') + 1);
    } catch (IllegalArgumentException e) {
      return "";
    }
  }

  /** Who calls, as it stands in the ledger. */
  static String actor(Context context) {
    var actor = context.<String>attribute(ACTOR);
    return actor == null ? "nobody" : actor;
  }

  static void answer(Context context, int status, Object value) {
    context.status(status).contentType("application/json").result(Json.bytes(value));
  }

  private void failed(Exception exception, Context context) {
    switch (exception) {
      case Problem.Thrown thrown -> {
        var wait = thrown.retryAfter();
        if (wait != null) {
          context.header("Retry-After", String.valueOf(Math.max(1, wait.toSeconds())));
        }
        problem(context, thrown.problem());
      }
      case IllegalArgumentException bad ->
          problem(context, Problem.of(400, "Invalid request", String.valueOf(bad.getMessage())));
      case EOFException _ -> // the client went away in the middle of its request
          problem(context, Problem.of(400, "Invalid request", "body: ended early (expected: all)"));
      case IOException broken when context.res().isCommitted() -> // it went, or was cut off
          LOG.log(Level.FINE, "a stream broke", broken);
      default -> {
        LOG.log(Level.SEVERE, context.method() + " " + Check.printable(context.path()), exception);
        problem(
            context, Problem.of(500, "Internal error", "the platform failed; its log says how"));
      }
    }
  }

  private static void missing(Context context, String title) {
    if (!String.valueOf(context.res().getContentType()).startsWith("application/")) {
      problem(
          context,
          Problem.of(
              context.status().getCode(),
              title,
              context.method()
                  + " "
                  + Check.printable(context.path())
                  + ": no such operation (see /v1/openapi.json)"));
    }
  }

  private static void problem(Context context, Problem problem) {
    if (context.res().isCommitted()) {
      return; // a stream that broke in the middle ends there
    }
    if (couch(context)) {
      var error = problem.title().toLowerCase(Locale.ROOT).replace(' ', '_');
      answer(context, problem.status(), CouchOperations.error(error, problem.detail()));
      return;
    }
    context
        .status(problem.status())
        .contentType("application/problem+json")
        .result(Json.bytes(problem));
  }

  /** Answers requests that never reach an operation, such as those that are no HTTP. */
  private static final class Unreadable extends ErrorHandler {
    @Override
    protected void generateResponse(
        Request request,
        Response response,
        int code,
        @Nullable String message,
        @Nullable Throwable cause,
        Callback callback) {
      var title = String.valueOf(HttpStatus.getMessage(code));
      var detail = Check.printable(message == null ? title : message);
      response.getHeaders().put(HttpHeader.CONTENT_TYPE, "application/problem+json");
      response.write(true, ByteBuffer.wrap(Json.bytes(Problem.of(code, title, detail))), callback);
    }
  }

  /** A part of a list, and where the next part begins. */
  record Page<T>(List<T> items, @Nullable String next) {}

  /** The page of a list in memory that the request asks for. */
  static <T> Page<T> page(Context context, List<T> all) {
    int limit = limit(context);
    int from = (int) Math.min(all.size(), number(context, "cursor", 0, 0, Integer.MAX_VALUE));
    int to = Math.min(all.size(), from + limit);
    return new Page<>(all.subList(from, to), to < all.size() ? String.valueOf(to) : null);
  }

  /** How long a part of a list the request asks for. */
  static int limit(Context context) {
    return (int) number(context, "limit", 100, 1, 1_000);
  }

  /** A query parameter that is a number. */
  static long number(Context context, String name, long standard, long min, long max) {
    var text = context.queryParam(name);
    if (text == null) {
      return standard;
    }
    try {
      long number = Long.parseLong(text);
      Check.that(number >= min && number <= max, name, text, min + " to " + max);
      return number;
    } catch (NumberFormatException e) {
      throw new IllegalArgumentException(Check.message(name, text, min + " to " + max), e);
    }
  }
}
