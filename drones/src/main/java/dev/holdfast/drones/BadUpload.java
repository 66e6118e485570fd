package dev.holdfast.drones;

import java.io.IOException;

/** An upload broke a rule; the message is the sentence for whoever sent it. */
final class BadUpload extends IOException {
  private static final long serialVersionUID = 1;

  BadUpload(String message) {
    super(message);
  }
}
