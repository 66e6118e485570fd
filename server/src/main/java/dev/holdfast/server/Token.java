package dev.holdfast.server;

import dev.holdfast.ledger.Kind;
import java.time.Instant;
import java.util.Objects;

/**
 * Who may call the API. Only the hash of the token itself is kept. Immutable.
 *
 * @param id short and public
 * @param name what people call it; the actor in the ledger
 * @param hash SHA-256 of the token in hexadecimal; enough, since a token is 256 random bits
 * @param createdAt when it was made
 */
record Token(String id, String name, String hash, Instant createdAt) {
  /** Tokens in the ledger. */
  public static final Kind<Token> KIND = Kind.secret("token", 1, Token.class);

  /** Refuses a token that could not be found again. */
  public Token {
    Objects.requireNonNull(id, "id");
    Objects.requireNonNull(name, "name");
    Objects.requireNonNull(hash, "hash");
    Objects.requireNonNull(createdAt, "createdAt");
  }

  static String key(String id) {
    return "token/" + id;
  }
}
