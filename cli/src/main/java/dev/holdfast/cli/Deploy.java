package dev.holdfast.cli;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.BufferedOutputStream;
import java.io.IOException;
import java.net.http.HttpRequest.BodyPublishers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import tools.jackson.databind.JsonNode;

/**
 * {@code holdfast deploy}: packs a folder, uploads it under one key, follows the release to its
 * end. Over broken connections and restarts of the platform it stays one deploy.
 */
@Command(name = "deploy", description = "Deploy a folder with a Procfile as an app.")
final class Deploy extends Verb {
  private static final Duration UPLOAD_PATIENCE = Duration.ofMinutes(15);
  private static final int PROCFILE_BYTES_MAX = 64 << 10;
  private static final Pattern APP = Pattern.compile("[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?");
  private static final Pattern PROCESS =
      Pattern.compile("^[A-Za-z0-9_-]+[ \\t]*:[ \\t]*\\S", Pattern.MULTILINE);
  private static final String PROCFILE_EXAMPLE =
      """
      A Procfile says how to start the app, one line per process type. For example:
          web: java Hello.java
      The web process must listen on the port in $PORT.\
      """;

  @Parameters(arity = "0..1", paramLabel = "DIR", description = "The folder; default: this one.")
  String folder = "";

  @Option(
      names = {"-a", "--app"},
      paramLabel = "NAME",
      description = "The app; default: HOLDFAST_APP, or the folder's name in lower case.")
  @Nullable String app;

  @Option(
      names = {"-m", "--message"},
      paramLabel = "TEXT",
      description = "What the list of releases shows; default: the artifact's name.")
  @Nullable String message;

  Deploy(Options options) {
    super(options);
  }

  @Override
  void run(Screen screen, Api api) throws InterruptedException {
    var from = options.shell().folder().resolve(folder).normalize();
    try {
      var rules = check(from);
      var name = name(from);
      // Before the work of packing; later failures are bridged, this one is said at once.
      api.get("/v1/health");
      var archive = Files.createTempFile("holdfast-", ".tar.gz");
      archive.toFile().deleteOnExit();
      try {
        pack(screen, name, from, rules, archive);
        var release = upload(screen, api, name, archive);
        watch(screen, api, name, release);
      } finally {
        Files.deleteIfExists(archive);
      }
    } catch (IOException e) {
      throw new Refused(
          "Cannot read " + Text.oneLine(from.toString()) + ": " + Text.oneLine(e.toString()));
    }
  }

  private static IgnoreRules check(Path from) throws IOException {
    var shown = Text.oneLine(from.toString());
    if (!Files.isDirectory(from)) {
      throw new Refused("There is no folder " + shown + ".");
    }
    var procfile = from.resolve("Procfile");
    if (!Files.isRegularFile(procfile)) {
      throw new Refused(shown + " has no Procfile.\n" + PROCFILE_EXAMPLE);
    }
    if (Files.size(procfile) > PROCFILE_BYTES_MAX
        || !PROCESS.matcher(new String(Files.readAllBytes(procfile), UTF_8)).find()) {
      throw new Refused(
          shown
              + "/Procfile names no process (expected: lines of TYPE: COMMAND).\n"
              + PROCFILE_EXAMPLE);
    }
    var rules = IgnoreRules.of(from);
    if (rules.ignores("Procfile", false)) {
      throw new Refused(
          IgnoreRules.FILE + " leaves out the Procfile, without which nothing starts.");
    }
    return rules;
  }

  private String name(Path from) {
    var given = app != null ? app : options.shell().env("HOLDFAST_APP");
    var name = given == null ? Options.nameOf(from) : given;
    if (!APP.matcher(name).matches()) {
      throw Refused.usage(
          Refused.sentence("app", name, "1 to 63 of a-z, 0-9 and '-', neither first nor last a '-'")
              + (given == null ? "\nThe name is the folder's; give another with --app NAME." : ""));
    }
    return name;
  }

  private static void pack(Screen screen, String name, Path from, IgnoreRules rules, Path archive)
      throws IOException, InterruptedException {
    var thrown = new IOException[1];
    screen.action(
        "Packing " + screen.app(name),
        () -> {
          try (var out = new BufferedOutputStream(Files.newOutputStream(archive))) {
            var packed = Pack.write(from, rules, out);
            return "done, " + Text.count(packed.files(), "file") + ", " + Text.size(packed.bytes());
          } catch (IOException e) {
            thrown[0] = e;
            return "!";
          }
        });
    if (thrown[0] != null) {
      throw thrown[0];
    }
  }

  private JsonNode upload(Screen screen, Api api, String name, Path archive)
      throws IOException, InterruptedException {
    var size = Files.size(archive);
    var path = Api.path("apps", name, "releases");
    if (message != null) {
      path += "?description=" + Api.escape(message);
    }
    var what = "Uploading " + screen.app(name);
    var call =
        new Call(
            "POST",
            path,
            () ->
                new Upload(
                    BodyPublishers.ofFile(archive),
                    sent -> screen.progress(what, Text.size(sent) + " of " + Text.size(size))),
            "application/gzip",
            options.shell().pace().requestKey(),
            UPLOAD_PATIENCE);
    var release = new JsonNode[1];
    screen.action(
        what,
        () -> {
          release[0] = api.insist(call);
          screen.progress(what, "");
          return Text.size(size) + " done";
        });
    return release[0];
  }

  private void watch(Screen screen, Api api, String name, JsonNode accepted)
      throws InterruptedException {
    long version = Json.number(accepted, "version", 0);
    var progress = new DeployProgress(screen, api, name);
    var release =
        new ReleaseWatch(api, options.shell().pace()).await(name, version, progress::show);
    screen.json(release);
    if (Json.text(release, "status", "").equals("failed")) {
      progress.lastWords(release);
      throw ReleaseWatch.failure(release);
    }
    boolean current = release.path("current").asBoolean(true);
    screen.line("Released v" + version + (current ? "" : " (a later release is current by now)"));
    var info = api.insist(Call.of("GET", Api.path("apps", name)));
    screen.line(Json.shown(info, "url", "") + " deployed to Holdfast");
  }
}
