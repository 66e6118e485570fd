package dev.holdfast.edge;

/** What admission says to a request. */
enum Verdict {
  /** Go on; {@link Lane#finished} is owed. */
  ADMITTED(0),
  /** The app is busy: {@link Lane#park} it. Nothing is owed. */
  WAIT(0),
  /** The node is overloaded. */
  SHED(503),
  /** The account or the client is over its rate. */
  RATE(429),
  /** The account or the client has its share under way. */
  SHARE(429),
  /** The app's waiting room is full, or the wait was too long (H11). */
  FULL(503),
  /** Nobody waits for the answer any more. */
  DEADLINE(503);

  private final int status;

  Verdict(int status) {
    this.status = status;
  }

  /** What a refused visitor is answered; 0 for what is no refusal. */
  int status() {
    return status;
  }
}
