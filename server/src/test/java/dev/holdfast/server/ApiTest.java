package dev.holdfast.server;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.ledger.Ledger;
import dev.holdfast.ledger.LedgerConfig;
import dev.holdfast.ledger.MemoryStore;
import dev.holdfast.limits.RodView;
import dev.holdfast.limits.Time;
import io.javalin.http.HandlerType;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

/** The one door of the API, in front of operations that only this test has. */
@Timeout(120)
class ApiTest {
  private static final Duration PATIENCE = Duration.ofSeconds(20);

  /** What the echo takes and answers. */
  record Echo(String text, int number) {}

  private final CountDownLatch entered = new CountDownLatch(1);
  private final CountDownLatch leave = new CountDownLatch(1);
  private final List<Operation> operations =
      List.of(
          Operation.get("/v1/health", "Open.", Echo.class, _ -> new Echo("well", 1))
              .as(Operation.Access.OPEN, null),
          Operation.of(
              HandlerType.POST,
              "/v1/echo",
              "Says it again.",
              Echo.class,
              Echo.class,
              201,
              context -> Json.body(context, Echo.class)),
          Operation.get("/v1/who/{name}", "Says who calls.", Echo.class, c -> who(Api.actor(c))),
          Operation.get("/v1/hold", "Takes as long as it is told to.", Echo.class, _ -> hold()),
          Operation.get("/v1/bug", "Fails.", Echo.class, _ -> bug()));

  @TempDir private Path temp;
  private HttpClient http;
  private Ledger ledger;
  private Tokens tokens;
  private Api api;
  private String secret;
  private final RodGuard rods = new RodGuard(() -> RodView.NONE, Time.system());

  @BeforeEach
  void open() throws Exception {
    http = HttpClient.newHttpClient();
    ledger = Ledger.open(new MemoryStore(), Platform.KINDS, LedgerConfig.defaults(), Time.system());
    tokens = new Tokens(ledger, Time.system());
    tokens.start(Home.open(temp));
    secret = tokens.create("test", "laptop").orThrow().secret();
    var settings = Map.of("api", "127.0.0.1:0", "api.calls-max", "1", "api.streams-max", "1");
    api = new Api(ServerConfig.load(temp, Map.of(), settings), operations, tokens, rods);
  }

  @AfterEach
  void close() {
    leave.countDown();
    api.close();
    tokens.close();
    ledger.close();
    http.close();
  }

  @Test
  void healthIsOpenAndEverythingElseNeedsAToken() throws Exception {
    assertThat(send(request("/v1/health", null)).statusCode()).isEqualTo(200);
    var none = send(request("/v1/who/me", null));
    assertProblem(none, 401, "Authorization: none (expected: Bearer and a token of this platform)");
    assertThat(none.headers().firstValue("WWW-Authenticate")).hasValue("Bearer");
    for (var wrong : List.of("Bearer nope", "Bearer ", "bearer", "Basic " + secret, secret)) {
      assertProblem(
          send(bare("/v1/who/me").header("Authorization", wrong)),
          401,
          "token: not known here (expected: one of this platform; the first one is in the file"
              + " token of its home directory)");
    }
    assertThat(json(send(request("/v1/who/me", secret))).get("text").asString())
        .isEqualTo("laptop");
  }

  @Test
  void aRevokedTokenOpensNothing() throws Exception {
    var laptop = tokens.all().stream().filter(t -> t.name().equals("laptop")).findFirst();
    tokens.revoke("test", laptop.orElseThrow().id()).orThrow();
    assertThat(send(request("/v1/who/me", secret)).statusCode()).isEqualTo(401);
  }

  @Test
  void moreThanItsBoundIsRefusedForNowAndHealthStillAnswers() throws Exception {
    var held = http.sendAsync(request("/v1/hold", secret).build(), BodyHandlers.ofString());
    assertThat(entered.await(PATIENCE.toSeconds(), TimeUnit.SECONDS)).isTrue();
    var refused = send(request("/v1/who/me", secret));
    assertProblem(refused, 503, "too much is worked on at the moment");
    assertThat(refused.headers().firstValue("Retry-After")).hasValue("1");
    assertThat(send(request("/v1/health", null)).statusCode()).isEqualTo(200);
    assertThat(send(request("/v1/who/me", null)).statusCode()).isEqualTo(401);
    leave.countDown();
    assertThat(held.get(PATIENCE.toSeconds(), TimeUnit.SECONDS).statusCode()).isEqualTo(200);
    assertThat(send(request("/v1/who/me", secret)).statusCode()).isEqualTo(200);
  }

  @Test
  void aFailureOfThePlatformTellsItsLogAndNotTheCaller() throws Exception {
    assertProblem(send(request("/v1/bug", secret)), 500, "the platform failed; its log says how");
    assertThat(send(request("/v1/who/me", secret)).statusCode()).isEqualTo(200); // given back
  }

  @Test
  void bodiesAreReadStrictly() throws Exception {
    assertThat(json(echo("{\"text\":\"a\",\"number\":2}")).get("number").asInt()).isEqualTo(2);
    assertProblem(
        echo("{\"text\":\"a\",\"number\":2,\"color\":1}"),
        400,
        "field: color (expected: one of [text, number])");
    assertProblem(echo("{\"text\":\"a\",\"number\":null}"), 400, "expected: ");
    assertProblem(echo("{\"text\":\"a\",\"number\":2.5}"), 400, "expected: ");
    assertProblem(echo("{\"text\":\"a\",\"text\":\"b\",\"number\":2}"), 400, "expected: ");
    assertProblem(echo("null"), 400, "body: null (expected: a JSON object)");
    assertProblem(echo("{\"text\":"), 400, "(expected: readable JSON)");
    assertProblem(
        echo("[]"), 400, "body: another type (expected: a value of the type in /v1/openapi.json)");
    assertProblem(echo("{\"text\":{}}"), 400, "body: another type at text (expected: ");
    assertProblem(echo(""), 400, "body: nothing (expected: a JSON object)");
    assertProblem(echo("{\"text\":\"a\",\"number\":1} {}"), 400, "body: another type (expected: ");
    assertProblem(echo("[".repeat(10_000)), 400, "body: another type (expected: ");
  }

  @Test
  void aBodyOverItsLimitIsRefused() throws Exception {
    var text = "{\"number\":1,\"text\":\"" + "x".repeat(Json.BODY_BYTES_MAX) + "\"}";
    assertProblem(echo(text), 413, "body: more (expected: at most 1048576 bytes)");
  }

  @Test
  void whatIsNotThereIsAProblemToo() throws Exception {
    assertProblem(
        send(request("/v2/x", secret)), 404, "GET /v2/x: no such operation (see /v1/openapi.json)");
    assertProblem(
        send(request("/v1/echo", secret).DELETE()), 405, "DELETE /v1/echo: no such operation");
  }

  @Test
  void requestsThatTheServerCannotReadAreProblemsToo() throws Exception {
    for (var request :
        List.of(
            "GET /v1/who/%zz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
            "GET /v1/health HTTP/1.1\r\nConnection: close\r\n\r\n")) {
      assertThat(Stage.raw(api.address(), request))
          .startsWith("HTTP/1.1 400 ")
          .containsIgnoringCase("Content-Type: application/problem+json")
          .contains("\"status\":400");
    }
    assertThat(
            Stage.raw(
                api.address(),
                "GET /v1/health HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX: "
                    + "x".repeat(20_000)
                    + "\r\n\r\n"))
        .startsWith("HTTP/1.1 431 ");
  }

  @Test
  void theServedDocumentIsTheListOfOperations() throws Exception {
    var served = send(request("/v1/openapi.json", null));
    assertThat(served.statusCode()).isEqualTo(200);
    assertThat(json(served))
        .isEqualTo(Json.MAPPER.readTree(Json.bytes(OpenApi.document(operations, Version.NAME))));
  }

  private static void assertProblem(HttpResponse<String> answer, int status, String detail) {
    assertThat(answer.statusCode()).as(answer.body()).isEqualTo(status);
    assertThat(answer.headers().firstValue("Content-Type")).hasValue("application/problem+json");
    var problem = json(answer);
    assertThat(problem.get("status").asInt()).isEqualTo(status);
    assertThat(problem.get("detail").asString()).contains(detail).doesNotContain("dev.holdfast");
  }

  private static JsonNode json(HttpResponse<String> answer) {
    return Json.MAPPER.readTree(answer.body());
  }

  private HttpResponse<String> echo(String body) throws Exception {
    return send(request("/v1/echo", secret).POST(BodyPublishers.ofString(body, UTF_8)));
  }

  private HttpRequest.Builder bare(String path) {
    return HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + api.address().getPort() + path))
        .timeout(PATIENCE);
  }

  private HttpRequest.Builder request(String path, @Nullable String as) {
    return as == null ? bare(path) : bare(path).header("Authorization", "Bearer " + as);
  }

  private HttpResponse<String> send(HttpRequest.Builder request) throws Exception {
    return http.send(request.build(), BodyHandlers.ofString());
  }

  private static Echo who(String actor) {
    return new Echo(actor, 0);
  }

  private Echo hold() throws InterruptedException {
    entered.countDown();
    assertThat(leave.await(PATIENCE.toSeconds(), TimeUnit.SECONDS)).isTrue();
    return new Echo("done", 0);
  }

  private static Echo bug() {
    throw new IllegalStateException("dev.holdfast secret inside");
  }
}
