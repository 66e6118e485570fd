package dev.holdfast.cli;

import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** {@code holdfast rollback}. */
@Command(name = "rollback", description = "Release an earlier version again, as a new release.")
final class Rollback extends AppVerb {
  @Parameters(
      arity = "0..1",
      paramLabel = "vN",
      description = "The release; default: the last that succeeded before the current one.")
  @Nullable String version;

  Rollback(Options options) {
    super(options, new AppOption(options));
  }

  @Override
  void run(Screen screen, Api api) throws InterruptedException {
    var body = Json.object();
    var to = "";
    if (version == null) {
      body.putNull("version");
    } else {
      body.put("version", Releases.version(version));
      to = " to v" + Releases.version(version);
    }
    api.get("/v1/health");
    screen.action(
        "Rolling back " + screen.app(app()) + to,
        () -> {
          var call = Call.of("POST", Api.path("apps", app(), "rollback"), body);
          var release = api.insist(call.withKey(options.shell().pace().requestKey()));
          return new ReleaseWatch(api, options.shell().pace()).done(screen, app(), release);
        });
  }
}
