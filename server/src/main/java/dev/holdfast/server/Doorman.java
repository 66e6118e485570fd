package dev.holdfast.server;

import org.jspecify.annotations.Nullable;

/** Knows who may come in. Thread-safe. */
interface Doorman {

  /** The token with that secret, or null. */
  @Nullable Token find(String secret);
}
