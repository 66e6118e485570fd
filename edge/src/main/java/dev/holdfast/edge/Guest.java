package dev.holdfast.edge;

/**
 * A connection of a client that is no {@link ClientConnection}: it still shakes hands, or it
 * carries streams. Confined to its event loop.
 */
interface Guest {
  /** Its place among those that wait for their client. */
  Quiet.Seat seat();

  /** The edge goes down: take nothing new, and end when what is under way has ended. */
  void drain();

  /** The edge goes down and cannot wait any longer. */
  void cut();
}
