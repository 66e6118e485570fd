package dev.holdfast.server;

import com.fasterxml.jackson.annotation.JsonInclude;
import dev.holdfast.limits.Refusal;
import dev.holdfast.server.RodShapes.RodHint;
import java.time.Duration;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** An error as the API says it: Problem Details for HTTP APIs (RFC 9457). Immutable. */
record Problem(
    String type,
    String title,
    int status,
    String detail,
    @JsonInclude(JsonInclude.Include.NON_NULL) @Nullable RodHint rod) {

  /** A refusal on its way to the client. Not a bug: it has no stack trace. */
  static final class Thrown extends RuntimeException {
    private static final long serialVersionUID = 1L;
    private final transient Problem problem;
    private final transient @Nullable Duration retryAfter;

    Thrown(Problem problem, @Nullable Duration retryAfter) {
      super(problem.detail(), null, false, false);
      this.problem = problem;
      this.retryAfter = retryAfter;
    }

    Problem problem() {
      return problem;
    }

    @Nullable Duration retryAfter() {
      return retryAfter;
    }
  }

  static Problem of(int status, String title, String detail) {
    var name = title.toLowerCase(Locale.ROOT).replace(' ', '-');
    return new Problem("urn:holdfast:problem:" + name, title, status, detail, null);
  }

  /** The same, naming the control rod that is in the way. */
  Problem because(RodHint held) {
    return new Problem(type, title, status, detail, held);
  }

  /** The one table from refusals to HTTP. */
  static Thrown of(Refusal refusal) {
    return switch (refusal) {
      case Refusal.Invalid r -> new Thrown(of(400, "Invalid request", r.message()), null);
      case Refusal.NotFound r -> new Thrown(of(404, "Not found", r.message()), null);
      case Refusal.Conflict r -> new Thrown(of(409, "Conflict", r.message()), null);
      case Refusal.Stale r -> new Thrown(of(409, "Stale", r.message()), null);
      case Refusal.OverBudget r -> new Thrown(of(429, "Over budget", r.message()), r.retryAfter());
      case Refusal.Unavailable r -> new Thrown(of(503, "Unavailable", r.message()), r.retryAfter());
    };
  }

  static Thrown invalid(String detail) {
    return of(new Refusal.Invalid(detail));
  }
}
