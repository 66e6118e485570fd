package dev.holdfast.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import tools.jackson.databind.JsonNode;

/** {@code holdfast certs}. */
@Command(
    name = "certs",
    description = "List the certificates and how far the orders are; order, bring or remove one.")
final class Certs extends Verb {

  private Certs(Options options) {
    super(options);
  }

  static CommandLine command(Options options) {
    return new CommandLine(new Certs(options))
        .addSubcommand(new Shown(options))
        .addSubcommand(new Add(options))
        .addSubcommand(new Renew(options))
        .addSubcommand(new Remove(options));
  }

  @Override
  void run(Screen screen, Api api) throws InterruptedException {
    list(this, screen, api);
  }

  private static void list(Verb verb, Screen screen, Api api) throws InterruptedException {
    var certificates = api.list("/v1/certs");
    if (screen.json()) {
      screen.json(Json.array().addAll(certificates));
      return;
    }
    screen.header("Certificates");
    var rows = new ArrayList<List<String>>();
    for (var one : certificates) {
      rows.add(
          List.of(
              Json.shown(one, "host", ""),
              Json.shown(one, "state", ""),
              Json.shown(one, "source", ""),
              until(one)));
    }
    screen.table(rows);
    for (var one : certificates) {
      var remark = remark(verb, one);
      if (!remark.isEmpty()) {
        screen.line("");
        screen.line(Json.shown(one, "host", "") + ": " + remark);
      }
    }
  }

  private static String until(JsonNode one) {
    return Json.has(one, "notAfter")
        ? "until " + day(one, "notAfter") + ", renewed " + day(one, "renewAt")
        : "-";
  }

  /** {@code 2026-11-21}: what matters of a certificate is the day. */
  private static String day(JsonNode one, String field) {
    var time = Json.shown(one, field, "-");
    return time.length() > 10 ? time.substring(0, 10) : time;
  }

  /** What went wrong and what comes next, or nothing. */
  private static String remark(Verb verb, JsonNode one) {
    var error = Json.shown(one, "error", "");
    var next = Json.text(one, "nextTryAt", "");
    if (error.isEmpty() && next.isEmpty()) {
      return "";
    }
    var said = error.isEmpty() ? "waits" : error;
    return next.isEmpty() ? said : said + "\n  next try " + verb.ahead(next);
  }

  /** {@code holdfast certs list}. */
  @Command(name = "list", description = "List the certificates and how far the orders are.")
  static final class Shown extends Verb {
    Shown(Options options) {
      super(options);
    }

    @Override
    void run(Screen screen, Api api) throws InterruptedException {
      list(this, screen, api);
    }
  }

  /** {@code holdfast certs add}. */
  @Command(
      name = "add",
      description = {
        "Order a certificate for a host that leads somewhere, which agrees to the terms of the",
        "authority; or bring one with --chain and --key, for *.example.org too."
      })
  static final class Add extends Verb {
    @Parameters(paramLabel = "HOST", description = "Such as www.example.org.")
    String host = "";

    @ArgGroup(exclusive = false)
    Brought brought = new Brought();

    /** The files of a certificate that was come by elsewhere. */
    static final class Brought {
      @Option(
          names = "--chain",
          required = true,
          paramLabel = "FILE",
          description = "Certificates in PEM, the host's first.")
      String chain = "";

      @Option(
          names = "--key",
          required = true,
          paramLabel = "FILE",
          description = "Its private key in PEM, without a passphrase.")
      String key = "";
    }

    Add(Options options) {
      super(options);
    }

    @Override
    void run(Screen screen, Api api) throws InterruptedException {
      var body = Json.object().put("host", host);
      boolean bringing = !brought.chain.isEmpty();
      if (bringing) {
        body.put("chain", read(brought.chain)).put("key", read(brought.key));
      }
      screen.action(
          (bringing ? "Bringing a certificate for " : "Ordering a certificate for ")
              + Text.oneLine(host),
          () -> {
            var status = api.send(Call.of("POST", "/v1/certs", body));
            screen.json(status);
            return bringing ? "done" : outcome(status);
          });
    }

    private String read(String file) {
      try {
        return Files.readString(options.shell().folder().resolve(file));
      } catch (NoSuchFileException e) {
        throw new Refused("There is no file " + Text.oneLine(file) + ".");
      } catch (IOException e) {
        throw new Refused("Cannot read " + Text.oneLine(file) + ": " + e);
      }
    }
  }

  /** {@code holdfast certs renew}. */
  @Command(name = "renew", description = "Order the next certificate of a host now.")
  static final class Renew extends Verb {
    @Parameters(paramLabel = "HOST", description = "Such as www.example.org.")
    String host = "";

    Renew(Options options) {
      super(options);
    }

    @Override
    void run(Screen screen, Api api) throws InterruptedException {
      screen.action(
          "Renewing the certificate of " + Text.oneLine(host),
          () -> {
            var body = Json.object().put("host", host).put("renew", true);
            var status = api.send(Call.of("POST", "/v1/certs", body));
            screen.json(status);
            return outcome(status);
          });
    }
  }

  /** What the platform answers is noted, not done: the list says what came of it. */
  private static String outcome(JsonNode status) {
    var state = Json.shown(status, "state", "noted");
    return state.equals("issued") ? "is there already" : state + ", see: holdfast certs";
  }

  /** {@code holdfast certs remove}. */
  @Command(name = "remove", description = "Forget the certificate of a host.")
  static final class Remove extends Verb {
    @Parameters(paramLabel = "HOST", description = "Such as www.example.org.")
    String host = "";

    Remove(Options options) {
      super(options);
    }

    @Override
    void run(Screen screen, Api api) throws InterruptedException {
      screen.action(
          "Removing the certificate of " + Text.oneLine(host),
          () -> {
            screen.json(api.send(Call.of("DELETE", Api.path("certs", host))));
            return "done";
          });
    }
  }
}
