package dev.holdfast.server;

import io.javalin.http.Context;
import io.javalin.http.HandlerType;
import java.io.IOException;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One thing that the API can do. The list of operations is both what the server answers and what
 * its OpenAPI document says, so that the two cannot differ. Immutable.
 *
 * @param method of HTTP
 * @param path with parameters in braces
 * @param summary one line for people
 * @param query names of query parameters with what they mean
 * @param body record that the JSON body is read into; null for none
 * @param answer record of the JSON answer; null for none
 * @param status of success
 * @param media media type of the answer where it is not JSON, or of the body for uploads
 * @param access who may call it, and whether it streams
 * @param effect what it does to the platform
 * @param handler answers
 */
record Operation(
    HandlerType method,
    String path,
    String summary,
    List<Query> query,
    @Nullable Class<?> body,
    @Nullable Class<?> answer,
    int status,
    @Nullable String media,
    Access access,
    Effect effect,
    Handler handler) {

  /** A query parameter. */
  record Query(String name, String meaning) {}

  /** Who may call, and which bound counts it. */
  enum Access {
    /** Anybody; not bounded, since health must answer under load. */
    OPEN,
    /** A bearer token; one of the calls that are worked on at a time. */
    CALL,
    /** A bearer token; one of the streams that are open at a time. */
    STREAM,
    /** A bearer token; few at a time, but room that nothing else takes up. */
    CONTROL,
    /** A token, even one that may only follow; one of the followers' streams. */
    FOLLOW,
    /** A token, even one that may only follow; one of the calls that are worked on at a time. */
    FOLLOW_CALL
  }

  /** What it does to the platform, which a control rod may deny. */
  enum Effect {
    /** It shows something. */
    READS,
    /** It changes something. */
    WRITES,
    /** It releases an app. */
    RELEASES,
    /** It releases an app as it was before. */
    ROLLS_BACK,
    /** It stops processes and starts others in their place. */
    RESTARTS,
    /** It is for an emergency: no rod denies it. */
    CONTROLS
  }

  /** What is done; the return value is the JSON answer, null when the handler wrote it itself. */
  interface Handler {
    @Nullable Object handle(Context context) throws IOException, InterruptedException;
  }

  static Operation get(String path, String summary, Class<?> answer, Handler handler) {
    return of(HandlerType.GET, path, summary, null, answer, 200, handler);
  }

  static Operation delete(String path, String summary, Handler handler) {
    return of(HandlerType.DELETE, path, summary, null, null, 204, handler);
  }

  static Operation of(
      HandlerType method,
      String path,
      String summary,
      @Nullable Class<?> body,
      @Nullable Class<?> answer,
      int status,
      Handler handler) {
    return new Operation(
        method,
        path,
        summary,
        List.of(),
        body,
        answer,
        status,
        null,
        Access.CALL,
        method.equals(HandlerType.GET) ? Effect.READS : Effect.WRITES,
        handler);
  }

  Operation with(Query... parameters) {
    return new Operation(
        method,
        path,
        summary,
        List.of(parameters),
        body,
        answer,
        status,
        media,
        access,
        effect,
        handler);
  }

  Operation as(Access who, @Nullable String mediaType) {
    return new Operation(
        method, path, summary, query, body, answer, status, mediaType, who, effect, handler);
  }

  Operation doing(Effect what) {
    return new Operation(
        method, path, summary, query, body, answer, status, media, access, what, handler);
  }
}
