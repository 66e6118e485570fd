package dev.holdfast.server;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.http.HttpRequest.BodyPublishers;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

@Timeout(120)
class OpenApiTest {
  /** What clients rely on; whoever takes a line away breaks them. */
  private static final List<String> PROMISED =
      """
      DELETE /v1/apps/{app}
      DELETE /v1/apps/{app}/domains/{host}
      DELETE /v1/apps/{app}/policy
      DELETE /v1/certs/{host}
      DELETE /v1/hosts/{host}/policy
      DELETE /v1/rods/{rod}
      DELETE /v1/routes/{host}
      DELETE /v1/tokens/{id}
      GET /couch
      GET /couch/_all_dbs
      GET /couch/{db}
      GET /couch/{db}/_changes
      GET /couch/{db}/{doc}
      GET /metrics
      HEAD /couch/{db}
      HEAD /couch/{db}/{doc}
      POST /couch/{db}/_bulk_get
      POST /couch/{db}/_changes
      PUT /couch/{db}/{doc}
      GET /v1/apps
      GET /v1/apps/{app}
      GET /v1/apps/{app}/config
      GET /v1/apps/{app}/domains
      GET /v1/apps/{app}/formation
      GET /v1/apps/{app}/logs
      GET /v1/apps/{app}/policy
      GET /v1/apps/{app}/processes
      GET /v1/apps/{app}/releases
      GET /v1/apps/{app}/releases/{version}
      GET /v1/certs
      GET /v1/health
      GET /v1/edges
      POST /v1/edges/{name}/rod-notes
      GET /v1/hosts/{host}/policy
      GET /v1/ledger
      GET /v1/parts
      GET /v1/ledger/snapshot
      GET /v1/ledger/diff
      GET /v1/ledger/entries
      GET /v1/ledger/entries/{position}
      POST /v1/ledger/repair
      POST /v1/ledger/skip
      GET /v1/ledger/status
      GET /v1/load
      GET /v1/rods
      GET /v1/rods/history
      GET /v1/routes
      GET /v1/tokens
      PATCH /v1/apps/{app}/config
      PATCH /v1/apps/{app}/formation
      PATCH /v1/apps/{app}/policy
      PATCH /v1/hosts/{host}/policy
      POST /v1/apps
      POST /v1/apps/{app}/domains
      POST /v1/apps/{app}/releases
      POST /v1/apps/{app}/restart
      POST /v1/apps/{app}/rollback
      POST /v1/backup
      POST /v1/ledger/compaction
      POST /v1/certs
      POST /v1/rods/{rod}/drills
      POST /v1/routes/import
      POST /v1/tokens
      PUT /v1/apps/{app}/policy
      PUT /v1/edges/{name}
      PUT /v1/hosts/{host}/policy
      PUT /v1/rods/{rod}
      PUT /v1/routes/{host}
      """
          .lines()
          .toList();

  @TempDir private static Path temp;
  private static Stage stage;
  private static JsonNode document;

  @BeforeAll
  static void start() throws Exception {
    stage = new Stage(temp, "home").start();
    document = stage.send(stage.bare("/v1/openapi.json")).json();
  }

  @AfterAll
  static void end() throws IOException {
    stage.close();
  }

  @Test
  void namesEveryOperationWithItsMethodAndPath() {
    assertThat(operations()).containsExactlyInAnyOrderElementsOf(PROMISED);
  }

  @Test
  void everyOperationIsThereAndClosedToStrangers() throws Exception {
    for (var operation : operations()) {
      int blank = operation.indexOf(' ');
      var path = operation.substring(blank + 1).replaceAll("\\{[a-z]+}", "1");
      var answer =
          stage.send(
              stage.bare(path).method(operation.substring(0, blank), BodyPublishers.noBody()));
      assertThat(answer.status())
          .as(operation)
          .isEqualTo(operation.equals("GET /v1/health") ? 200 : 401);
    }
  }

  @Test
  void everyReferenceLeadsToASchema() {
    var references = new ArrayList<String>();
    collect(document, references);
    assertThat(references).hasSizeGreaterThan(40).allMatch(r -> r.startsWith("#/components/"));
    for (var reference : references) {
      assertThat(document.at(reference.substring(1)).isObject()).as(reference).isTrue();
      assertThat(document.at(reference.substring(1)).isEmpty()).as(reference).isFalse();
    }
  }

  @Test
  void everyParameterInAPathIsDescribedAndEveryIdIsUnique() {
    var ids = new HashSet<String>();
    document
        .get("paths")
        .properties()
        .forEach(path ->
            path.getValue()
                .properties()
                .forEach(method -> {
                  var operation = method.getValue();
                  assertThat(ids.add(operation.get("operationId").asString())).isTrue();
                  var named = new ArrayList<String>();
                  operation
                      .path("parameters")
                      .forEach(p -> {
                        if (p.get("in").asString().equals("path")) {
                          assertThat(p.get("required").asBoolean()).isTrue();
                          named.add("{" + p.get("name").asString() + "}");
                        }
                      });
                  assertThat(named).allMatch(path.getKey()::contains);
                  assertThat(path.getKey().chars().filter(c -> c == '{').count())
                      .isEqualTo(named.size());
                  assertThat(operation.get("responses").has("default")).isTrue();
                }));
  }

  @Test
  void saysWhatMayBeAbsentAndWhatNeedsNoToken() {
    var release = document.at("/components/schemas/Release");
    assertThat(release.get("required").valueStream().map(JsonNode::asString))
        .contains("app", "version", "status")
        .doesNotContain("failure", "step");
    assertThat(document.get("openapi").asString()).startsWith("3.1");
    assertThat(document.at("/paths/~1v1~1health/get/security").isEmpty()).isTrue();
    assertThat(document.at("/paths/~1v1~1apps/get").has("security")).isFalse();
    assertThat(document.at("/security/0/token").isArray()).isTrue();
    var upload = document.at("/paths/~1v1~1apps~1{app}~1releases/post/requestBody/content");
    assertThat(upload.has("application/gzip")).isTrue();
  }

  private static List<String> operations() {
    var found = new ArrayList<String>();
    document
        .get("paths")
        .properties()
        .forEach(path ->
            path.getValue()
                .propertyNames()
                .forEach(
                    method -> found.add(method.toUpperCase(Locale.ROOT) + " " + path.getKey())));
    return found;
  }

  private static void collect(JsonNode node, List<String> references) {
    if (node.has("$ref")) {
      references.add(node.get("$ref").asString());
    }
    node.forEach(child -> collect(child, references));
  }
}
