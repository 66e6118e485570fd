package dev.holdfast.server;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What people and the edge see of certificates, over restarts. No authority is there. */
@Timeout(120)
class CertificatesTest {
  private static final String CERTS = "/v1/certs";

  @TempDir private Path temp;
  private Stage stage;

  @BeforeEach
  void open() throws Exception {
    stage = new Stage(temp, "home");
    // Nothing listens there, and nothing leaves this machine.
    stage.with("certs.directory", "https://127.0.0.1:9/directory").start();
  }

  @AfterEach
  void close() throws Exception {
    stage.close();
  }

  @Test
  void showsTheEdgeItsOwnCertificateForThisMachineAndKeysOfTickets() throws Exception {
    var keys = stage.platform().tlsKeys();
    var own = Objects.requireNonNull(keys.identity("hello.localhost"));
    assertThat(keys.identity("www.example.org")).isNull();
    assertThat(keys.ticketKeys()).hasSize(1);
    byte[] ticketKey = keys.ticketKeys().getFirst();
    stage.restart();
    var after = stage.platform().tlsKeys();
    assertThat(Objects.requireNonNull(after.identity("")).chain()).isEqualTo(own.chain());
    assertThat(after.ticketKeys().getFirst()).isEqualTo(ticketKey);
  }

  @Test
  void ordersOnlyForHostsThatLeadSomewhereAndSaysWhatWentWrong() throws Exception {
    var unknown = stage.post(CERTS, "{\"host\":\"www.holdfast.dev\"}");
    assertThat(unknown.status()).isEqualTo(404);
    assertThat(unknown.detail()).contains("www.holdfast.dev: leads nowhere");
    assertThat(stage.post(CERTS, "{\"host\":\"hello.localhost\"}").detail())
        .contains("a public name");
    stage.put("/v1/routes/www.holdfast.dev", "{\"to\":\"http://127.0.0.1:9\"}");
    var wanted = stage.post(CERTS, "{\"host\":\"www.holdfast.dev\"}");
    assertThat(wanted.status()).isEqualTo(202);
    assertThat(wanted.json().get("host").asString()).isEqualTo("www.holdfast.dev");
    Stage.await("the authority's silence", () -> error() != null);
    var listed = stage.get(CERTS).json();
    var authority = listed.get("authority");
    assertThat(authority.get("leads").asBoolean()).isTrue();
    assertThat(authority.get("error").isNull()).isFalse();
    assertThat(authority.get("pausedUntil").isNull()).isFalse();
    assertThat(listed.get("items").size()).isEqualTo(2);
    assertThat(listed.get("items").get(1).get("nextTryAt").isNull()).isFalse();
    assertThat(stage.get("/v1/ledger?limit=1000").body())
        .contains("acme-account/")
        .doesNotContain("privateKey")
        .doesNotContain("PRIVATE KEY");
    assertThat(stage.delete(CERTS + "/www.holdfast.dev").status()).isEqualTo(204);
    assertThat(stage.delete(CERTS + "/nobody.holdfast.dev").detail()).contains("none");
  }

  private @Nullable String error() throws Exception {
    for (var item : stage.get(CERTS).json().get("items")) {
      if (!item.get("error").isNull()) {
        return item.get("error").asString();
      }
    }
    return null;
  }

  @Test
  void refusesACertificateThatDoesNotFit() throws Exception {
    assertThat(stage.post(CERTS, "{\"host\":\"a.dev\",\"chain\":\"x\"}").detail())
        .contains("chain and key");
    assertThat(stage.post(CERTS, "{\"host\":\"a.dev\",\"chain\":\"x\",\"key\":\"y\"}").detail())
        .contains("certificates in PEM");
  }
}
