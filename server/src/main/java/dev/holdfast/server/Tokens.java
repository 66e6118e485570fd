package dev.holdfast.server;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.holdfast.ledger.Entry;
import dev.holdfast.ledger.Fold;
import dev.holdfast.ledger.Follower;
import dev.holdfast.ledger.Ledger;
import dev.holdfast.ledger.PersistentMap;
import dev.holdfast.ledger.StoreException;
import dev.holdfast.ledger.Transaction;
import dev.holdfast.limits.Check;
import dev.holdfast.limits.Outcome;
import dev.holdfast.limits.Refusal;
import dev.holdfast.limits.Time;
import java.io.IOException;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.List;
import java.util.logging.Logger;
import org.jspecify.annotations.Nullable;

/** Makes, revokes and recognises API tokens. Thread-safe. */
final class Tokens implements Doorman, AutoCloseable {
  /** Most tokens of one platform. */
  static final int TOKENS_MAX = 1_000;

  private static final Logger LOG = Logger.getLogger(Tokens.class.getName());
  private static final int NAME_CHARS_MAX = 64;
  private static final int ID_CHARS = 8;
  private static final Duration WARM_UP = Duration.ofSeconds(30);

  /** Tokens by ledger key and by hash. */
  private record Known(PersistentMap<String, Token> byKey, PersistentMap<String, Token> byHash) {}

  private static final Fold<Known> FOLD =
      new Fold<>() {
        @Override
        public Known start() {
          return new Known(PersistentMap.empty(), PersistentMap.empty());
        }

        @Override
        public Known apply(Known known, Entry entry) {
          if (!entry.kind().equals(Token.KIND.name())) {
            return known;
          }
          var old = known.byKey().get(entry.key());
          var byHash = old == null ? known.byHash() : known.byHash().without(old.hash());
          if (entry.deleted()) {
            return new Known(known.byKey().without(entry.key()), byHash);
          }
          var token = Token.KIND.decode(entry);
          return new Known(
              known.byKey().with(entry.key(), token), byHash.with(token.hash(), token));
        }

        @Override
        public boolean reads(String kind) {
          return kind.equals(Token.KIND.name());
        }
      };

  private final Ledger ledger;
  private final Time time;
  private final Follower<Known> follower;

  Tokens(Ledger ledger, Time time) {
    this.ledger = ledger;
    this.time = time;
    follower = new Follower<>("tokens", ledger, FOLD, time);
  }

  /** Who folds the tokens. */
  Follower<?> follower() {
    return follower;
  }

  /** A token that was just made; the secret is shown this once. */
  record Made(Token token, String secret) {}

  /**
   * Reads the tokens and makes sure that the home directory's own one is there, so that somebody
   * who may read the file may use the platform.
   *
   * @throws IOException when the file cannot be read or written, or the ledger not be read
   * @throws InterruptedException when the thread is asked to end
   */
  void start(Home home) throws IOException, InterruptedException {
    follower.start();
    if (!follower.awaitApplied(ledger.head(), WARM_UP)) {
      throw new IOException("the ledger could not be read in " + WARM_UP);
    }
    var secret = home.token();
    if (secret == null) {
      if (follower.view().value().byKey().size() > 0) {
        return; // the file was taken away on purpose; the tokens that exist go on working
      }
      secret = fresh(home);
    } else if (find(secret) == null && revoked(secret)) {
      LOG.info("the token in the home directory was revoked: the file has a new one");
      secret = fresh(home);
    }
    if (find(secret) == null) {
      add("holdfast", "home", secret, null).orThrow();
    }
  }

  /** Written before the ledger knows it: a token that nobody has would be there for ever. */
  private String fresh(Home home) throws IOException {
    var secret = secret();
    home.writeToken(secret);
    return secret;
  }

  /** Whether that very token was known once: what somebody revoked does not come back. */
  private boolean revoked(String secret) throws IOException {
    try {
      return ledger.latest(Token.key(id(secret))) != null;
    } catch (StoreException e) {
      throw new IOException("the ledger could not be read: " + e.getMessage(), e);
    }
  }

  /** The token with that secret, or null. */
  @Override
  public @Nullable Token find(String secret) {
    return follower.view().value().byHash().get(hash(secret));
  }

  /** All tokens, oldest first. */
  List<Token> all() {
    var all = new ArrayList<Token>();
    follower.view().value().byKey().forEach((_, token) -> all.add(token));
    all.sort(Comparator.comparing(Token::createdAt).thenComparing(Token::id));
    return all;
  }

  Outcome<Made> create(String actor, String name) {
    return create(actor, name, null);
  }

  Outcome<Made> create(String actor, String name, Token.@Nullable Scope scope) {
    if (name.isBlank()
        || name.length() > NAME_CHARS_MAX
        || name.chars().anyMatch(Character::isISOControl)) {
      return Outcome.refused(
          new Refusal.Invalid(
              Check.message("name", name, "1 to " + NAME_CHARS_MAX + " printable characters")));
    }
    if (all().size() >= TOKENS_MAX) {
      return Outcome.refused(
          new Refusal.Invalid(
              Check.message("tokens", TOKENS_MAX + 1, "at most " + TOKENS_MAX + "; revoke some")));
    }
    return add(actor, name, secret(), scope);
  }

  Outcome<Token> revoke(String actor, String id) {
    var token = follower.view().value().byKey().get(Token.key(id));
    if (token == null) {
      return Outcome.refused(
          new Refusal.NotFound(
              "token "
                  + Check.printable(id)
                  + ": none (expected: an id that `holdfast tokens` lists)"));
    }
    var outcome = ledger.append(Transaction.by(actor).delete(Token.key(id), Transaction.PRESENT));
    settle();
    return outcome.map(_ -> token);
  }

  @Override
  public void close() {
    follower.close();
  }

  private Outcome<Made> add(String actor, String name, String secret, Token.@Nullable Scope scope) {
    var token = new Token(id(secret), name, hash(secret), time.now(), scope);
    var outcome =
        ledger.append(
            Transaction.by(actor)
                .put(Token.KIND, Token.key(token.id()), token, Transaction.ABSENT));
    settle();
    return outcome.map(_ -> new Made(token, secret));
  }

  private void settle() {
    try {
      follower.awaitApplied(ledger.head(), WARM_UP);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private String secret() {
    byte[] bytes = new byte[32];
    time.random().nextBytes(bytes);
    return "hf_" + Base64.getUrlEncoder().withoutPadding().encodeToString(bytes);
  }

  /** The beginning of its hash, so that the same token has the same place in the ledger. */
  private static String id(String secret) {
    return hash(secret).substring(0, ID_CHARS);
  }

  private static String hash(String secret) {
    try {
      return HexFormat.of()
          .formatHex(MessageDigest.getInstance("SHA-256").digest(secret.getBytes(UTF_8)));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }
}
