package dev.holdfast.drones;

/** Who would answer a connection to a port of this machine's loopback address. */
public enum Owner {
  /** Nobody listens. */
  NOBODY,
  /** Only processes of the run that was asked about. */
  THIS_RUN,
  /** Some other process, alone or beside the run. */
  SOMEBODY_ELSE
}
