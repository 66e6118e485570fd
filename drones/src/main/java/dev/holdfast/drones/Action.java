package dev.holdfast.drones;

/** One thing that the plan wants done now. Immutable. */
sealed interface Action {

  /** Give the process a drone and start it. */
  record Place(String app, String type, int index, int release) implements Action {}

  /** It proved to work. */
  record Up(Instance instance) implements Action {}

  /** It ended by itself, or never came up: make sure that it is gone, and try again later. */
  record Crashed(Instance instance, String exit) implements Action {}

  /** Send nothing new to it. */
  record Drain(Instance instance) implements Action {}

  /** Tell it to end. */
  record Stop(Instance instance) implements Action {}

  /** It was told to end and did not: end it. */
  record Kill(Instance instance) implements Action {}

  /** It is gone and was meant to: free what it held. */
  record Ended(Instance instance) implements Action {}

  /** The release goes one step on. */
  record Advance(Release release, Release.Status to) implements Action {}

  /** The release becomes current, and what it replaces drains, in one transaction. */
  record Switch(App app, Release release) implements Action {}

  /** The release will never become current. */
  record Fail(Release release, String cause) implements Action {}

  /** The crash no longer means anything. */
  record Forget(Crash crash) implements Action {}
}
