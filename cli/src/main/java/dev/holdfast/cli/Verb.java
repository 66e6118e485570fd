package dev.holdfast.cli;

import java.time.Instant;
import java.util.concurrent.Callable;
import picocli.CommandLine.Mixin;

/** What all verbs share: their options, the screen, the API. */
abstract class Verb implements Callable<Integer> {
  @Mixin final Options options;

  Verb(Options options) {
    this.options = options;
  }

  /** Does what the verb says. */
  abstract void run(Screen screen, Api api) throws InterruptedException;

  @Override
  public final Integer call() throws InterruptedException {
    var screen = options.screen();
    try (var api = new Api(options.target(), options.shell().pace(), screen)) {
      run(screen, api);
    }
    return 0;
  }

  /** A time of the API as people read it. */
  final String moment(String time) {
    var shell = options.shell();
    return Text.moment(time, now(), shell.zone());
  }

  /** A time of the API that is still to come, as people read it. */
  final String ahead(String time) {
    var shell = options.shell();
    return Text.ahead(time, now(), shell.zone());
  }

  final Instant now() {
    return options.shell().pace().now();
  }
}
