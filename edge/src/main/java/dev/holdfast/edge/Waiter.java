package dev.holdfast.edge;

/** A request that waits for its app. Called on its event loop only. */
interface Waiter {
  /** The key of the client that asks. */
  long clientKey();

  /** It may go on: as after {@link Verdict#ADMITTED}, {@link Lane#finished} is owed. */
  void admitted(long now);

  /** It waited too long, or made room for a newer one. Nothing is owed. */
  void refused(Verdict verdict);
}
