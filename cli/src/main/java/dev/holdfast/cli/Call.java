package dev.holdfast.cli;

import java.io.IOException;
import java.net.http.HttpRequest.BodyPublisher;
import java.net.http.HttpRequest.BodyPublishers;
import java.time.Duration;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/**
 * One request, in a form that can be sent again. Immutable.
 *
 * @param key the Idempotency-Key, the same for every try, or null
 * @param patience how long one try may take
 */
record Call(
    String method,
    String path,
    Body body,
    @Nullable String contentType,
    @Nullable String key,
    Duration patience) {
  /** How long the platform may think about an ordinary request. */
  static final Duration PATIENCE = Duration.ofSeconds(30);

  /** Makes the body, anew for each try. */
  interface Body {
    BodyPublisher publisher() throws IOException;
  }

  /** A request without a body. */
  static Call of(String method, String path) {
    return new Call(method, path, BodyPublishers::noBody, null, null, PATIENCE);
  }

  /** A request with a JSON body. */
  static Call of(String method, String path, JsonNode body) {
    var bytes = Json.bytes(body);
    return new Call(
        method, path, () -> BodyPublishers.ofByteArray(bytes), "application/json", null, PATIENCE);
  }

  /** The same request with that patience. */
  Call within(Duration most) {
    return new Call(method, path, body, contentType, key, most);
  }

  /** The same request under that key, so that trying again does it once. */
  Call withKey(String once) {
    return new Call(method, path, body, contentType, once, patience);
  }
}
