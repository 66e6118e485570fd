package dev.holdfast.cli;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.concurrent.TimeUnit.MILLISECONDS;

import java.io.IOException;
import java.io.InputStream;
import java.net.ConnectException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandler;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.channels.UnresolvedAddressException;
import java.security.GeneralSecurityException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeoutException;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManager;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/**
 * The platform's HTTP API: one request, one request until it passes, all pages of a list, a stream.
 * Every wait and every answer has a bound. Confined to one thread.
 */
final class Api implements AutoCloseable {
  static final Duration CONNECT_PATIENCE = Duration.ofSeconds(5);

  /** How long {@link #insist} bridges a platform that is gone. */
  static final Duration ABSENCE_MAX = Duration.ofSeconds(60);

  static final int ANSWER_BYTES_MAX = 64 << 20;
  static final int PAGES_MAX = 100_000;
  static final int PAGE_ITEMS = 1000;

  private static final String HEX = "0123456789ABCDEF";

  private final Target target;
  private final Pace pace;
  private final Screen screen;
  private @Nullable HttpClient client; // made when first needed: some verbs never ask

  Api(Target target, Pace pace, Screen screen) {
    this.target = target;
    this.pace = pace;
    this.screen = screen;
  }

  /** The path of something in the API, each part escaped. */
  static String path(String... parts) {
    var path = new StringBuilder("/v1");
    for (var part : parts) {
      if (part.isEmpty() || part.equals(".") || part.equals("..")) {
        throw Refused.usage(Refused.sentence("name", part, "a name such as hello"));
      }
      path.append('/').append(escape(part));
    }
    return path.toString();
  }

  /** Percent-encoding of everything but the unreserved characters (RFC 3986 section 2.3). */
  static String escape(String text) {
    var out = new StringBuilder(text.length());
    for (byte b : text.getBytes(UTF_8)) {
      char c = (char) (b & 0xFF);
      if ((c >= 'a' && c <= 'z')
          || (c >= 'A' && c <= 'Z')
          || (c >= '0' && c <= '9')
          || "-._~".indexOf(c) >= 0) {
        out.append(c);
      } else {
        out.append('%').append(HEX.charAt(c >> 4)).append(HEX.charAt(c & 15));
      }
    }
    return out.toString();
  }

  /** How the platform is called in a sentence. */
  String name() {
    return target.name();
  }

  /** The address that requests go to now. */
  URI address() {
    return target.find().base();
  }

  /** The answer to a GET. */
  JsonNode get(String path) throws InterruptedException {
    return send(Call.of("GET", path));
  }

  /**
   * The answer to one try.
   *
   * @throws Absent when nobody answers, the answer broke off, or the platform asks to come again
   * @throws Refused with the platform's own sentence
   */
  JsonNode send(Call call) throws InterruptedException {
    var address = target.find();
    var response =
        exchange(
            call,
            address,
            BodyHandlers.limiting(BodyHandlers.ofByteArray(), ANSWER_BYTES_MAX),
            call.patience());
    byte[] body = response.body();
    if (response.statusCode() / 100 != 2) {
      throw refusal(response, body);
    }
    return body.length == 0 ? Json.object() : Json.parse(body, "The answer of " + address);
  }

  /**
   * Sends the call until it is answered, with full jitter between the tries, for at most {@link
   * #ABSENCE_MAX}. The folder's address and token are read again for each try. Only for calls that
   * may be repeated: reads, and what carries a key.
   */
  JsonNode insist(Call call) throws InterruptedException {
    var retry = new Retry(pace);
    while (true) {
      try {
        return send(call);
      } catch (Absent e) {
        if (retry.failures() == 0) {
          screen.remark(e.sentence() + "\nTrying again for " + ABSENCE_MAX.toSeconds() + " s.");
        }
        if (!retry.restAfter(e, ABSENCE_MAX)) {
          throw e;
        }
      }
    }
  }

  /** All items of a list, however many pages they take. */
  List<JsonNode> list(String path) throws InterruptedException {
    var items = new ArrayList<JsonNode>();
    var cursor = "";
    for (int page = 0; page < PAGES_MAX; page++) {
      var answer =
          get(
              path
                  + "?limit="
                  + PAGE_ITEMS
                  + (cursor.isEmpty() ? "" : "&cursor=" + escape(cursor)));
      answer.path("items").forEach(items::add);
      var next = Json.text(answer, "next", "");
      if (next.isEmpty() || next.equals(cursor)) {
        return items;
      }
      cursor = next;
    }
    throw new Refused("The list " + path + " has more than " + PAGES_MAX + " pages.");
  }

  /** A stream that is read as it comes; it breaks when nothing comes for too long. */
  InputStream stream(String method, String path) throws InterruptedException {
    var address = target.find();
    var response =
        exchange(Call.of(method, path), address, BodyHandlers.ofInputStream(), Call.PATIENCE);
    var body = response.body();
    if (response.statusCode() / 100 == 2) {
      return new WatchedStream(body);
    }
    try (var problem = new WatchedStream(body)) {
      throw refusal(response, problem.readNBytes(ANSWER_BYTES_MAX));
    } catch (IOException e) {
      throw new Absent("The connection to " + address + " broke: " + Text.oneLine(e.toString()));
    }
  }

  private <T> HttpResponse<T> exchange(
      Call call, Target.Address address, BodyHandler<T> handler, Duration patience)
      throws InterruptedException {
    var answer = client().sendAsync(request(call, address), handler);
    try {
      return answer.get(patience.toMillis(), MILLISECONDS);
    } catch (ExecutionException e) {
      throw broken(address, e.getCause() == null ? e : e.getCause());
    } catch (TimeoutException e) {
      answer.cancel(true);
      throw new Absent(address + " did not answer within " + patience.toSeconds() + " s.");
    } catch (InterruptedException e) {
      answer.cancel(true);
      throw e;
    }
  }

  private HttpClient client() {
    if (client == null) {
      var builder =
          HttpClient.newBuilder()
              .version(HttpClient.Version.HTTP_1_1)
              .followRedirects(HttpClient.Redirect.NEVER)
              .proxy(HttpClient.Builder.NO_PROXY)
              .connectTimeout(CONNECT_PATIENCE);
      if (target.plain()) {
        builder.sslContext(trustNobody());
      }
      client = builder.build();
    }
    return client;
  }

  /**
   * A TLS context for a client that will not use TLS: the default one, which the client makes at
   * birth, reads every root certificate. Whoever used this one would trust no server.
   */
  private static SSLContext trustNobody() {
    try {
      var context = SSLContext.getInstance("TLS");
      context.init(null, new TrustManager[0], null);
      return context;
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("TLS", e);
    }
  }

  private static HttpRequest request(Call call, Target.Address address) {
    try {
      var request =
          HttpRequest.newBuilder(URI.create(address.base() + call.path()))
              .method(call.method(), call.body().publisher())
              .header("Authorization", "Bearer " + address.token())
              .header("User-Agent", "holdfast-cli/" + Version.own());
      if (call.contentType() != null) {
        request.header("Content-Type", call.contentType());
      }
      if (call.key() != null) {
        request.header("Idempotency-Key", call.key());
      }
      return request.build();
    } catch (IOException e) {
      throw new Refused("Cannot read what is to be sent: " + e);
    }
  }

  private RuntimeException broken(Target.Address address, Throwable cause) {
    for (Throwable c = cause; c != null; c = c.getCause()) {
      if (c instanceof ConnectException || c instanceof UnresolvedAddressException) {
        return new Absent(
            "No platform answers at " + address + " (" + target.name() + "). " + target.hint());
      }
    }
    if (cause instanceof IOException) {
      var why = cause.getMessage() == null ? cause.getClass().getSimpleName() : cause.getMessage();
      return new Absent("The connection to " + address + " broke: " + Text.oneLine(why) + ".");
    }
    return new IllegalStateException("request to " + address, cause);
  }

  /** The platform's sentence (Problem Details, RFC 9457), or the status when it says nothing. */
  private Refused refusal(HttpResponse<?> response, byte[] body) {
    var sentence = sentence(response, body);
    return switch (response.statusCode()) {
      case 401 -> new Refused("The token of " + target.name() + " was not accepted: " + sentence);
      case 429, 502, 503, 504 -> new Absent(sentence, retryAfter(response));
      default -> new Refused(sentence);
    };
  }

  private static String sentence(HttpResponse<?> response, byte[] body) {
    var type = response.headers().firstValue("Content-Type").orElse("").toLowerCase(Locale.ROOT);
    if (type.contains("json")) {
      try {
        var problem = Json.parse(body, "The answer");
        var said = Json.text(problem, "detail", Json.text(problem, "title", ""));
        if (!said.isEmpty()) {
          return Text.safe(said);
        }
      } catch (Refused e) {
        // What calls itself JSON and is none says nothing: the status has to do.
      }
    }
    return "The platform answered with status " + response.statusCode() + ".";
  }

  /** Seconds only (RFC 9110 section 10.2.3 also has a date, which the platform never sends). */
  private static Duration retryAfter(HttpResponse<?> response) {
    var value = response.headers().firstValue("Retry-After").orElse("");
    return value.matches("[0-9]{1,6}")
        ? Duration.ofSeconds(Integer.parseInt(value))
        : Duration.ZERO;
  }

  @Override
  public void close() {
    if (client != null) {
      client.shutdownNow();
    }
  }
}
