package dev.holdfast.drills;

/** What visitors do about a request that was refused, failed or not answered in time. */
sealed interface Retries {

  /** Nothing. */
  record None() implements Retries {}

  /**
   * They ask again at once.
   *
   * @param most tries after the first
   */
  record Immediate(int most) implements Retries {}

  /**
   * They ask again at once while retries are no more than a share of the first tries.
   *
   * @param percent of the first tries
   */
  record Budget(int percent) implements Retries {}
}
