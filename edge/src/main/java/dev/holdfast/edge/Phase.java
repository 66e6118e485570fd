package dev.holdfast.edge;

/** Where an {@link Exchange} is. */
enum Phase {
  OPEN,
  PAUSED,
  PARKED,
  WAITING,
  HELD,
  CONNECTING,
  ACTIVE,
  TUNNEL,
  DONE
}
