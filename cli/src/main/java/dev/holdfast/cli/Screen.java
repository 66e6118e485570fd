package dev.holdfast.cli;

import java.util.List;
import tools.jackson.databind.JsonNode;

/**
 * Where the command speaks: data and actions on standard output, refusals and remarks on standard
 * error. Colours, signs and redrawn lines only for a person at a terminal. Confined to one thread.
 */
final class Screen {
  private static final String BOLD = "\u001B[1m";
  private static final String MAGENTA = "\u001B[35m";
  private static final String RED = "\u001B[31m";
  private static final String PLAIN = "\u001B[0m";
  private static final String REDRAW = "\r\u001B[K";
  private static final int[] PROCESS_COLOURS = {36, 33, 32, 35, 34, 96, 93, 92};

  private final Shell shell;
  private final boolean fancy;
  private final boolean json;

  Screen(Shell shell, boolean json) {
    this.shell = shell;
    this.fancy = shell.terminal() && shell.env("NO_COLOR") == null;
    this.json = json;
  }

  /** What an action did, for the end of its line. */
  interface Action {
    String run() throws InterruptedException;
  }

  /** Whether {@code --json} was asked for: only {@link #json} prints on standard output then. */
  boolean json() {
    return json;
  }

  /** Whether colours and redrawing are wanted. */
  boolean fancy() {
    return fancy;
  }

  /** A line of data. */
  void line(String line) {
    if (!json) {
      shell.out().println(line);
    }
  }

  /** A line of a stream, passed on at once. */
  void streamed(String line) {
    shell.out().println(line);
    shell.out().flush();
  }

  /** Whether the reader of a stream is gone. */
  boolean closed() {
    return shell.out().checkError();
  }

  /** {@code === hello Releases}. */
  void header(String title) {
    line(fancy ? BOLD + "=== " + title + PLAIN : "=== " + title);
  }

  /** Rows of data, aligned. */
  void table(List<List<String>> rows) {
    for (var line : Text.table(rows)) {
      line(line);
    }
  }

  /** The answer as one line of JSON. */
  void json(JsonNode node) {
    if (json) {
      shell.out().println(Json.line(node));
    }
  }

  /** The app's name with its sign. */
  String app(String name) {
    var safe = Text.oneLine(name);
    return fancy ? MAGENTA + "⬢ " + safe + PLAIN : safe;
  }

  /** The prefix of a log line, one colour per process. */
  String process(String prefix, String process) {
    if (!fancy) {
      return prefix;
    }
    int colour = PROCESS_COLOURS[Math.floorMod(process.hashCode(), PROCESS_COLOURS.length)];
    return "\u001B[" + colour + "m" + prefix + PLAIN;
  }

  /** {@code Creating hello... done}: says what it does, does it, says what came of it. */
  void action(String what, Action action) throws InterruptedException {
    if (fancy && !json) {
      shell.out().print(what + "... ");
      shell.out().flush();
    }
    try {
      end(what, action.run());
    } catch (RuntimeException | InterruptedException e) {
      end(what, fancy ? RED + "!" + PLAIN : "!");
      throw e;
    }
  }

  private void end(String what, String result) {
    line(fancy ? result : what + "... " + result);
  }

  /** Redraws how far an action is; nothing where lines cannot be redrawn. */
  void progress(String what, String state) {
    if (fancy && !json) {
      shell.out().print(REDRAW + what + "... " + state + " ");
      shell.out().flush();
    }
  }

  /** A remark beside the data. */
  void remark(String sentence) {
    shell.out().flush();
    shell.err().println(Text.safe(sentence));
    shell.err().flush();
  }

  /** {@code ! sentence}, each further line under the first. */
  void refuse(String sentence) {
    shell.out().flush();
    var sign = fancy ? " " + RED + "!" + PLAIN + "    " : " !    ";
    for (var line : Text.safe(sentence).split("\n", -1)) {
      shell.err().println(sign + line);
    }
    shell.err().flush();
  }
}
