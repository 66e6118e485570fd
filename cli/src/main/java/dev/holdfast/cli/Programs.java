package dev.holdfast.cli;

import java.io.IOException;
import java.util.List;

/** Starts other programs of the machine, such as a browser. */
interface Programs {

  /**
   * Starts the program and does not wait for it.
   *
   * @return false when it could not be started
   */
  boolean start(List<String> command);

  /** The machine's own. */
  static Programs system() {
    return command -> {
      try {
        new ProcessBuilder(command)
            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
            .redirectError(ProcessBuilder.Redirect.DISCARD)
            .start();
        return true;
      } catch (IOException e) {
        return false;
      }
    };
  }
}
