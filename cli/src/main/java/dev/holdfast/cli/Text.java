package dev.holdfast.cli;

import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.time.format.DateTimeParseException;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;

/** Text for a screen: harmless, aligned, and with times that people read. */
final class Text {
  private static final char REPLACEMENT = '\uFFFD';
  private static final char ESCAPE = '\u001B';
  private static final String COLOURS_END = ESCAPE + "[0m";

  /** Select Graphic Rendition and nothing else: colours can not move the cursor or set a title. */
  private static final Pattern COLOUR = Pattern.compile("\u001B\\[[0-9;:]{0,32}m");

  private static final DateTimeFormatter MOMENT =
      DateTimeFormatter.ofPattern("yyyy/MM/dd HH:mm:ss Z");
  private static final DateTimeFormatter LOG_TIME =
      DateTimeFormatter.ofPattern("yyyy-MM-dd'T'HH:mm:ss.SSSSSSxxx");

  private Text() {}

  /** The text without anything that a terminal would obey; line ends and tabs stay. */
  static String safe(String text) {
    return clean(text, true);
  }

  /** As {@link #safe}, on one line. */
  static String oneLine(String text) {
    return clean(text, false);
  }

  private static String clean(String text, boolean lines) {
    if (text.chars().noneMatch(Text::dangerous)) {
      return text;
    }
    var out = new StringBuilder(text.length());
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      boolean keep = !dangerous(c) || c == '\t' || (lines && c == '\n');
      out.append(keep ? c : REPLACEMENT);
    }
    return out.toString();
  }

  /** Control characters, and those that turn the direction of what follows. */
  private static boolean dangerous(int c) {
    return Character.isISOControl(c)
        || (c >= 0x202A && c <= 0x202E)
        || (c >= 0x2066 && c <= 0x2069);
  }

  /** One log line, safe; its colours are kept and ended when {@code colours}, else taken out. */
  static String logLine(String text, boolean colours) {
    if (text.indexOf(ESCAPE) < 0) {
      return oneLine(text);
    }
    var out = new StringBuilder(text.length());
    var colour = COLOUR.matcher(text);
    int from = 0;
    while (colour.find()) {
      out.append(oneLine(text.substring(from, colour.start())));
      if (colours) {
        out.append(colour.group());
      }
      from = colour.end();
    }
    boolean coloured = colours && from > 0;
    out.append(oneLine(text.substring(from)));
    return coloured ? out.append(COLOURS_END).toString() : out.toString();
  }

  /** {@code 2026/11/21 22:39:18 +0000 (~ 5m ago)}; what is no time is repeated as it is. */
  static String moment(String time, Instant now, ZoneId zone) {
    try {
      var instant = Instant.parse(time);
      return MOMENT.format(instant.atZone(zone))
          + " (~ "
          + age(Duration.between(instant, now))
          + " ago)";
    } catch (DateTimeParseException e) {
      return oneLine(time);
    }
  }

  /** {@code 2026/11/21 22:39:18 +0000 (in ~ 5m)}; what is no time is repeated as it is. */
  static String ahead(String time, Instant now, ZoneId zone) {
    try {
      var instant = Instant.parse(time);
      return MOMENT.format(instant.atZone(zone))
          + " (in ~ "
          + age(Duration.between(now, instant))
          + ")";
    } catch (DateTimeParseException e) {
      return oneLine(time);
    }
  }

  /** {@code 2026-11-21T22:39:18.123456+00:00}; what is no time is repeated as it is. */
  static String logTime(String time) {
    try {
      return LOG_TIME.format(Instant.parse(time).atOffset(ZoneOffset.UTC));
    } catch (DateTimeParseException e) {
      return oneLine(time);
    }
  }

  /** The largest unit alone: {@code 5m}. A clock that runs ahead gives {@code 0s}. */
  static String age(Duration age) {
    long seconds = Math.max(0, age.toSeconds());
    if (seconds < 60) {
      return seconds + "s";
    }
    if (seconds < 3600) {
      return seconds / 60 + "m";
    }
    return seconds < 86_400 ? seconds / 3600 + "h" : seconds / 86_400 + "d";
  }

  /** {@code 1.2 MB}, decimal. */
  static String size(long bytes) {
    if (bytes < 1000) {
      return bytes + " B";
    }
    double value = bytes;
    int unit = -1;
    while (value >= 999.95 && unit < 4) {
      value /= 1000;
      unit++;
    }
    long tenths = Math.round(value * 10);
    return tenths / 10 + "." + tenths % 10 + " " + "kMGTP".charAt(unit) + "B";
  }

  /** Rows with their columns aligned, two blanks between them, none at the end of a line. */
  static List<String> table(List<List<String>> rows) {
    var widths = new ArrayList<Integer>();
    for (var row : rows) {
      for (int i = 0; i < row.size(); i++) {
        int width = row.get(i).length();
        if (i == widths.size()) {
          widths.add(width);
        } else {
          widths.set(i, Math.max(widths.get(i), width));
        }
      }
    }
    var lines = new ArrayList<String>(rows.size());
    for (var row : rows) {
      var line = new StringBuilder();
      for (int i = 0; i < row.size(); i++) {
        line.append(row.get(i)).repeat(" ", widths.get(i) - row.get(i).length() + 2);
      }
      lines.add(line.toString().stripTrailing());
    }
    return lines;
  }

  /** {@code 1 route}, {@code 2 routes}. */
  static String count(long n, String noun) {
    return n + " " + noun + (n == 1 ? "" : "s");
  }
}
