package dev.holdfast.cli;

import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** {@code holdfast open}. */
@Command(name = "open", description = "Open an app in the browser, or print its address.")
final class Open extends AppVerb {
  @Parameters(arity = "0..1", paramLabel = "APP", description = "The app's name.")
  @Nullable String name;

  Open(Options options) {
    super(options, new AppOption(options));
  }

  @Override
  void run(Screen screen, Api api) throws InterruptedException {
    var app = name == null ? app() : name;
    var info = api.get(Api.path("apps", app));
    screen.json(info);
    var url = Json.shown(info, "url", "");
    // Only what a browser opens: the address comes from a server and goes to a program.
    boolean web = url.startsWith("http://") || url.startsWith("https://");
    var browser = browser();
    if (web && !screen.json() && !browser.isEmpty()) {
      if (options.shell().programs().start(List.of(browser, url))) {
        screen.line("Opening " + screen.app(app) + "... done");
        return;
      }
    }
    screen.line(url);
  }

  /** The program that opens addresses, or nothing where there is no display to open them on. */
  private String browser() {
    var shell = options.shell();
    if (System.getProperty("os.name", "").toLowerCase(Locale.ROOT).startsWith("mac")) {
      return "open";
    }
    boolean display = shell.env("DISPLAY") != null || shell.env("WAYLAND_DISPLAY") != null;
    return display ? "xdg-open" : "";
  }
}
