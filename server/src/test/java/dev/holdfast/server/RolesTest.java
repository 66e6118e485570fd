package dev.holdfast.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A platform whose parts are processes of their own. */
@Timeout(180)
class RolesTest {
  @TempDir private Path temp;
  private Troupe troupe;

  @BeforeEach
  void open() throws IOException {
    troupe = new Troupe(temp);
  }

  @AfterEach
  void close() {
    troupe.close();
  }

  @Test
  void edgesServeOnWithoutTheirControlProcessAndFollowItWhenItIsBack() throws Exception {
    int api = troupe.port();
    troupe.controlAt(api);
    var one = troupe.edge("one", Troupe.TOKEN); // before there is anybody to follow
    Stage.await("the health of the edge", () -> troupe.status(one.api("/v1/health")) == 503);
    assertThat(troupe.health(one).get("status").asString()).isEqualTo("warming");
    assertThat(Troupe.visit(one, "a.test")).as("nobody is let in").isEqualTo(-1);

    var controller = troupe.control(api);
    troupe.route("a.test");
    var two = troupe.edge("two", troupe.followToken());
    for (var edge : List.of(one, two)) {
      troupe.awaitUp(edge);
      Troupe.awaitServed(edge, "a.test");
      assertThat(troupe.health(edge).get("status").asString()).isEqualTo("ok");
      try (var files = Files.walk(edge.home())) {
        assertThat(files.map(Path::toString)).noneMatch(file -> file.contains("ledger.db"));
      }
    }
    Stage.await(
        "the reports of both",
        () -> {
          var edges = troupe.ask("GET", "/v1/edges", "").get("items");
          return edges.size() == 2
              && edges.valueStream().allMatch(edge -> edge.get("behind").asLong() == 0);
        });
    assertThat(Troupe.visit(controller, "a.test"))
        .as("no edge in the control process")
        .isEqualTo(-1);

    controller.process().destroyForcibly().waitFor();
    for (int i = 0; i < 50; i++) {
      assertThat(Troupe.visit(one, "a.test")).isEqualTo(200);
      assertThat(Troupe.visit(two, "a.test")).isEqualTo(200);
    }

    troupe.control(api);
    troupe.route("b.test");
    Troupe.awaitServed(one, "b.test");
    Troupe.awaitServed(two, "b.test");
    assertThat(one.process().isAlive()).isTrue();
  }

  @Test
  void rolesThatCannotBeAreRefusedWithThoseThatCan() {
    for (var wrong : List.of("drones", "control", "edge,drones", "")) {
      assertThatThrownBy(() -> load(Map.of("roles", wrong)))
          .hasMessageContaining("roles: " + wrong + " (expected: all, edge or control,drones")
          .hasMessageContaining("leases");
    }
    assertThatThrownBy(() -> load(Map.of("roles", "edge")))
        .hasMessageContaining("control: none (expected: the API address of a control process");
    assertThatThrownBy(() -> load(Map.of("roles", "edge", "control", "ftp://x")))
        .hasMessageContaining("control.token: none");
    assertThatThrownBy(
            () -> load(Map.of("roles", "edge", "control", "ftp://x", "control.token", "t")))
        .hasMessageContaining("control: ftp://x (expected: such as http://10.0.0.1:7070)");
  }

  private void load(Map<String, String> arguments) throws IOException {
    ServerConfig.load(temp, Map.of(), arguments);
  }
}
