package dev.holdfast.drones;

/** What may keep the conductor from acting. Asked in every round. Thread-safe. */
public interface Brake {
  /** Nothing does. */
  Brake NONE =
      new Brake() {
        @Override
        public boolean startsNothing(String app, boolean first) {
          return false;
        }

        @Override
        public boolean standsStill() {
          return false;
        }
      };

  /**
   * Whether no process of that app may be started that did not run before.
   *
   * @param first whether this very start is asked about for the first time
   */
  boolean startsNothing(String app, boolean first);

  /** Whether nothing at all is to be decided now. */
  boolean standsStill();
}
