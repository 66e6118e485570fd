package dev.holdfast.server;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.holdfast.limits.Check;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.time.temporal.ChronoUnit;
import java.util.Locale;
import java.util.logging.Formatter;
import java.util.logging.Level;
import java.util.logging.LogManager;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import java.util.logging.StreamHandler;

/** The platform's own log: one logfmt line an event on standard error, stack traces below. */
final class Logs {
  private Logs() {}

  static void start(PrintStream err) {
    LogManager.getLogManager().reset();
    var handler =
        new StreamHandler(err, new Logfmt()) {
          @Override
          public synchronized void publish(LogRecord event) {
            super.publish(event);
            flush();
          }
        };
    try {
      handler.setEncoding(UTF_8.name());
    } catch (java.io.UnsupportedEncodingException e) {
      throw new IllegalStateException(e);
    }
    handler.setLevel(Level.INFO);
    var root = Logger.getLogger("");
    root.addHandler(handler);
    root.setLevel(Level.WARNING);
    Logger.getLogger("dev.holdfast").setLevel(Level.INFO);
  }

  private static final class Logfmt extends Formatter {
    @Override
    public String format(LogRecord event) {
      var name = event.getLoggerName() == null ? "" : event.getLoggerName();
      var line = new StringBuilder();
      line.append("time=").append(event.getInstant().truncatedTo(ChronoUnit.MILLIS));
      line.append(" level=").append(event.getLevel().getName().toLowerCase(Locale.ROOT));
      line.append(" in=").append(name.substring(name.lastIndexOf('.') + 1));
      line.append(" msg=\"");
      line.append(Check.printable(formatMessage(event)).replace("\"", "'")).append("\"\n");
      if (event.getThrown() != null) {
        var trace = new StringWriter();
        event.getThrown().printStackTrace(new PrintWriter(trace, true));
        line.append(trace);
      }
      return line.toString();
    }
  }
}
