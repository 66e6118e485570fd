package dev.holdfast.edge;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Set;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;

/**
 * Cases of the tables that the edge does not pass yet, by name. A case that is listed here has to
 * fail: whoever closes a gap takes its name out.
 */
final class KnownGaps {
  static final Set<String> NAMES = Set.of();

  private KnownGaps() {}

  /** Runs the case, which has to pass, or to fail when it is known to. */
  static void judge(String name, ThrowingCallable test) {
    if (NAMES.contains(name)) {
      assertThatThrownBy(test)
          .as("'%s' passes now: take it out of KnownGaps", name)
          .isInstanceOf(AssertionError.class);
      return;
    }
    try {
      test.call();
    } catch (Error | RuntimeException e) {
      throw e;
    } catch (Throwable e) {
      throw new AssertionError(name + ": " + e, e);
    }
  }
}
