package dev.holdfast.drones;

/** What became of a run that an earlier life of the server began. Immutable. */
public sealed interface Adoption {

  /** It still runs, and is watched again. */
  record Adopted(Run run) implements Adoption {}

  /** It ran and ended; what it left running was killed. */
  record Ended(Exit exit) implements Adoption {}

  /** It did not start, and from now on it cannot: its place is taken. */
  record NeverStarted() implements Adoption {}
}
