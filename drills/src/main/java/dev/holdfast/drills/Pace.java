package dev.holdfast.drills;

import java.util.Locale;

/** How long a drill takes. */
enum Pace {
  /** Long enough to see the naive side break, for every build. */
  SHORT(2, 3, 4),
  /** As the drills' rules have it: 20 s steady, the fault, 60 s to recover. */
  LONG(20, 20, 60);

  private final int steadySeconds;
  private final int faultSeconds;
  private final int recoverySeconds;

  Pace(int steadySeconds, int faultSeconds, int recoverySeconds) {
    this.steadySeconds = steadySeconds;
    this.faultSeconds = faultSeconds;
    this.recoverySeconds = recoverySeconds;
  }

  int steady() {
    return steadySeconds;
  }

  int fault() {
    return faultSeconds;
  }

  int recovery() {
    return recoverySeconds;
  }

  /** Its name on pages. */
  String word() {
    return name().toLowerCase(Locale.ROOT);
  }

  boolean isLong() {
    return this == LONG;
  }
}
