package dev.holdfast.limits;

import java.util.function.Function;

/** What came of a request: done, with a value, or refused, with the reason. Immutable. */
public sealed interface Outcome<T> {

  /** It was done and, where it changes anything, it is durable. */
  record Done<T>(T value) implements Outcome<T> {}

  /** It was not done and nothing changed. */
  record Refused<T>(Refusal refusal) implements Outcome<T> {}

  /** An outcome that carries a value. */
  static <T> Outcome<T> done(T value) {
    return new Done<>(value);
  }

  /** An outcome that carries a refusal. */
  static <T> Outcome<T> refused(Refusal refusal) {
    return new Refused<>(refusal);
  }

  /** The same outcome with its value turned into another. */
  default <R> Outcome<R> map(Function<? super T, ? extends R> change) {
    return switch (this) {
      case Done<T>(var value) -> new Done<>(change.apply(value));
      case Refused<T>(var refusal) -> new Refused<>(refusal);
    };
  }

  /** The value, or the refusal as an exception where the caller did not expect one. */
  default T orThrow() {
    return switch (this) {
      case Done<T>(var value) -> value;
      case Refused<T>(var refusal) -> throw new IllegalStateException(refusal.message());
    };
  }
}
