package dev.holdfast.cli;

import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code holdfast tokens}. */
@Command(name = "tokens", description = "List the API's tokens; create or revoke one.")
final class Tokens extends Verb {

  private Tokens(Options options) {
    super(options);
  }

  static CommandLine command(Options options) {
    return new CommandLine(new Tokens(options))
        .addSubcommand(new Create(options))
        .addSubcommand(new Revoke(options));
  }

  @Override
  void run(Screen screen, Api api) throws InterruptedException {
    var tokens = api.list("/v1/tokens");
    if (screen.json()) {
      screen.json(Json.array().addAll(tokens));
      return;
    }
    screen.header("Tokens");
    var rows = new ArrayList<List<String>>();
    for (var token : tokens) {
      rows.add(
          List.of(
              Json.shown(token, "id", ""),
              Json.shown(token, "name", ""),
              moment(Json.text(token, "createdAt", ""))));
    }
    screen.table(rows);
  }

  /** {@code holdfast tokens create}. */
  @Command(name = "create", description = "Create a token; it is shown once.")
  static final class Create extends Verb {
    @Parameters(paramLabel = "NAME", description = "Whose it is, such as ci.")
    String name = "";

    @Option(
        names = "--scope",
        paramLabel = "SCOPE",
        description = "What it opens: all, or follow for an edge or another follower.")
    String scope = "all";

    Create(Options options) {
      super(options);
    }

    @Override
    void run(Screen screen, Api api) throws InterruptedException {
      screen.action(
          "Creating token " + Text.oneLine(name),
          () -> {
            var body = Json.object().put("name", name);
            if (!scope.equals("all")) {
              body.put("scope", scope);
            }
            var token = api.send(Call.of("POST", "/v1/tokens", body));
            screen.json(token);
            return "done, it is not shown again:\n" + Json.shown(token, "token", "");
          });
    }
  }

  /** {@code holdfast tokens revoke}. */
  @Command(name = "revoke", description = "Revoke a token.")
  static final class Revoke extends Verb {
    @Parameters(paramLabel = "ID", description = "As the list of tokens shows it.")
    String id = "";

    Revoke(Options options) {
      super(options);
    }

    @Override
    void run(Screen screen, Api api) throws InterruptedException {
      screen.action(
          "Revoking token " + Text.oneLine(id),
          () -> {
            screen.json(api.send(Call.of("DELETE", Api.path("tokens", id))));
            return "done";
          });
    }
  }
}
