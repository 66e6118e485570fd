package dev.holdfast.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.ledger.Envelope;
import dev.holdfast.ledger.Ledger;
import dev.holdfast.ledger.LedgerConfig;
import dev.holdfast.ledger.MemoryStore;
import dev.holdfast.ledger.StoreException;
import dev.holdfast.limits.Outcome;
import dev.holdfast.limits.Refusal;
import dev.holdfast.limits.Time;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TokensTest {
  @TempDir private Path temp;
  private final MemoryStore store = new MemoryStore();
  private Home home;
  private Ledger ledger;
  private @Nullable Tokens open;

  @BeforeEach
  void openLedger() throws IOException, StoreException {
    home = Home.open(temp);
    ledger = Ledger.open(store, Platform.KINDS, LedgerConfig.defaults(), Time.system());
  }

  @AfterEach
  void closeLedger() {
    closeTokens();
    ledger.close();
  }

  @Test
  void theFirstTokenIsMadeOnceAndOnlyItsHashIsInTheLedger() throws Exception {
    var tokens = start();
    var secret = secret();
    assertThat(secret).matches("hf_[A-Za-z0-9_-]{43}");
    assertThat(find(tokens, secret).name()).isEqualTo("home");
    long head = ledger.head();

    tokens = start();
    assertThat(secret()).isEqualTo(secret);
    assertThat(ledger.head()).isEqualTo(head);
    assertThat(tokens.all()).hasSize(1);
    assertThat(ledgerText()).doesNotContain(secret).contains(tokens.all().getFirst().hash());
  }

  @Test
  void aFileThatWasTakenAwayIsNotMadeAgainWhileThereAreTokens() throws Exception {
    start();
    Files.delete(temp.resolve("token"));
    var tokens = start();
    assertThat(temp.resolve("token")).doesNotExist();
    assertThat(tokens.all()).hasSize(1);
  }

  @Test
  void whenNoTokenIsLeftANewFileOpensTheDoorAgain() throws Exception {
    var tokens = start();
    var old = secret();
    tokens.revoke("test", tokens.all().getFirst().id()).orThrow();
    Files.delete(temp.resolve("token"));
    tokens = start();
    assertThat(secret()).isNotEqualTo(old);
    assertThat(find(tokens, secret()).name()).isEqualTo("home");
  }

  @Test
  void aCrashBetweenTheFileAndTheLedgerHeals() throws Exception {
    home.writeToken("hf_" + "a".repeat(43));
    assertThat(find(start(), "hf_" + "a".repeat(43)).name()).isEqualTo("home");
    assertThat(secret()).isEqualTo("hf_" + "a".repeat(43));
  }

  @Test
  void aRevokedHomeTokenStaysRevokedAndTheNextStartMakesAnother() throws Exception {
    var tokens = start();
    var revoked = secret();
    tokens.revoke("test", tokens.all().getFirst().id()).orThrow();
    assertThat(tokens.find(revoked)).isNull();
    tokens = start();
    assertThat(tokens.find(revoked)).isNull();
    assertThat(secret()).isNotEqualTo(revoked);
    assertThat(find(tokens, secret()).name()).isEqualTo("home");
    assertThat(tokens.all()).hasSize(1);
  }

  @Test
  void anEmptyTokenFileOpensNothing() throws Exception {
    Files.writeString(temp.resolve("token"), "\n");
    assertThatThrownBy(this::start)
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining(temp.resolve("token").toString());
  }

  @Test
  void aNewTokenIsShownOnceAndWorksUntilItIsRevoked() throws Exception {
    var tokens = start();
    var made = tokens.create("home", "laptop").orThrow();
    assertThat(find(tokens, made.secret())).isEqualTo(made.token());
    assertThat(made.token().name()).isEqualTo("laptop");
    assertThat(tokens.all()).extracting(Token::name).containsExactly("home", "laptop");
    assertThat(ledgerText()).doesNotContain(made.secret());

    assertThat(tokens.revoke("home", made.token().id()).orThrow()).isEqualTo(made.token());
    assertThat(tokens.find(made.secret())).isNull();
    assertThat(start().find(made.secret())).isNull();
    assertThat(find(start(), secret()).name()).isEqualTo("home");
  }

  @Test
  void refusesNamesThatNobodyCouldRead() throws Exception {
    var tokens = start();
    for (var name : List.of("", " ", "a\nb", "x".repeat(65))) {
      assertThat(refusal(tokens.create("home", name)))
          .isInstanceOf(Refusal.Invalid.class)
          .extracting(Refusal::message)
          .asString()
          .startsWith("name: ")
          .endsWith(" (expected: 1 to 64 printable characters)");
    }
    assertThat(tokens.all()).hasSize(1);
  }

  @Test
  void revokingWhatIsNotThereSaysSo() throws Exception {
    assertThat(refusal(start().revoke("home", "nope")))
        .isEqualTo(
            new Refusal.NotFound(
                "token nope: none (expected: an id that `holdfast tokens` lists)"));
  }

  @Test
  void aTokenThatIsNotOnDiskIsNotGivenOut() throws Exception {
    var tokens = start();
    store.failWith("disk full");
    assertThat(refusal(tokens.create("home", "laptop"))).isInstanceOf(Refusal.Unavailable.class);
    store.failWith(null);
    assertThat(tokens.all()).hasSize(1);
  }

  private static Refusal refusal(Outcome<?> outcome) {
    assertThat(outcome).isInstanceOf(Outcome.Refused.class);
    return ((Outcome.Refused<?>) outcome).refusal();
  }

  private static Token find(Tokens tokens, String secret) {
    var token = tokens.find(secret);
    if (token == null) {
      throw new AssertionError("not a token");
    }
    return token;
  }

  private String secret() throws IOException {
    return Files.readString(temp.resolve("token")).strip();
  }

  /** As after a restart: what is in the ledger is read anew. */
  private Tokens start() throws IOException, InterruptedException, StoreException {
    closeTokens();
    var tokens = new Tokens(ledger, Time.system());
    open = tokens;
    tokens.start(home);
    return tokens;
  }

  private void closeTokens() {
    var before = open;
    open = null;
    if (before != null) {
      before.close();
    }
  }

  private String ledgerText() throws StoreException {
    var text = new StringBuilder();
    for (var sealed : ledger.read(0, 1_000)) {
      if (Envelope.decode(sealed.envelope()) instanceof Envelope.Decoded.Good(var entry)) {
        text.append(entry.key()).append(' ').append(entry.payload().text()).append('\n');
      }
    }
    return text.toString();
  }
}
