package dev.holdfast.cli;

import picocli.CommandLine.Mixin;

/** A verb about one app. */
abstract class AppVerb extends Verb {
  @Mixin final AppOption appOption;

  AppVerb(Options options, AppOption appOption) {
    super(options);
    this.appOption = appOption;
  }

  /** The app's name. */
  final String app() {
    return appOption.name();
  }
}
