package dev.holdfast.server;

import dev.holdfast.ledger.Kind;
import java.time.Instant;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Who may call the API. Only the hash of the token itself is kept. Immutable.
 *
 * @param id short and public
 * @param name what people call it; the actor in the ledger
 * @param hash SHA-256 of the token in hexadecimal; enough, since a token is 256 random bits
 * @param createdAt when it was made
 * @param scope what it opens; null in tokens from before there was a choice, which open everything
 */
record Token(String id, String name, String hash, Instant createdAt, @Nullable Scope scope) {

  /** What a token opens. */
  enum Scope {
    /** Everything. */
    ALL,
    /** The ledger's stream without its secrets, and nothing else. */
    FOLLOW
  }

  /** Tokens in the ledger. */
  public static final Kind<Token> KIND = Kind.secret("token", 1, Token.class);

  /** Refuses a token that could not be found again. */
  public Token {
    Objects.requireNonNull(id, "id");
    Objects.requireNonNull(name, "name");
    Objects.requireNonNull(hash, "hash");
    Objects.requireNonNull(createdAt, "createdAt");
  }

  Scope scoped() {
    return scope == null ? Scope.ALL : scope;
  }

  static String key(String id) {
    return "token/" + id;
  }
}
