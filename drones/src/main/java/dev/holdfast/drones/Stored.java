package dev.holdfast.drones;

import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.format.DateTimeParseException;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.json.JsonMapper;

/**
 * One record of a log file, a JSON object on a line of its own: a log line, a mark, or both.
 * Immutable.
 *
 * <p>A mark says how far the spool of a run is stored. It stands in the same record as the line it
 * ends, so that the two can only be on disk together: whoever resumes from the last mark neither
 * loses nor repeats a line.
 */
record Stored(@Nullable LogLine line, @Nullable Mark mark) {
  private static final JsonMapper JSON = JsonMapper.builder().build();
  private static final String MARK_FIRST = "{\"run\":\"";

  /** Everything of the run's spool before that byte of that chunk is stored. */
  record Mark(String run, long chunk, long offset) {}

  void writeTo(StringBuilder out) {
    out.append('{');
    if (mark != null) {
      out.append("\"run\":");
      quote(mark.run(), out);
      out.append(",\"chunk\":").append(mark.chunk());
      out.append(",\"offset\":").append(mark.offset());
    }
    if (line != null) {
      out.append(mark == null ? "\"at\":" : ",\"at\":");
      quote(line.at().toString(), out);
      out.append(",\"source\":");
      quote(line.source(), out);
      out.append(",\"process\":");
      quote(line.process(), out);
      out.append(",\"text\":");
      quote(line.text(), out);
    }
    out.append("}\n");
  }

  private static void quote(String text, StringBuilder out) {
    out.append('"');
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (c == '"' || c == '\\') {
        out.append('\\').append(c);
      } else if (c < ' ') {
        out.append("\\u%04x".formatted((int) c));
      } else {
        out.append(c);
      }
    }
    out.append('"');
  }

  /** The record without its line end, or null when it is none of ours. */
  static @Nullable Stored read(String text) {
    try {
      var tree = JSON.readTree(text);
      var line =
          tree.has("at")
              ? new LogLine(
                  Instant.parse(tree.get("at").asString()),
                  tree.get("source").asString(),
                  tree.get("process").asString(),
                  tree.get("text").asString())
              : null;
      return new Stored(line, text.startsWith(MARK_FIRST) ? mark(text) : null);
    } catch (JacksonException | DateTimeParseException | NullPointerException e) {
      return null;
    }
  }

  /** Only the mark, without reading the rest: a start reads every record of every app. */
  static @Nullable Mark mark(String text) {
    if (!text.startsWith(MARK_FIRST)) {
      return null;
    }
    try {
      int run = text.indexOf('"', MARK_FIRST.length());
      int chunk = text.indexOf("\"chunk\":", run) + "\"chunk\":".length();
      int offset = text.indexOf("\"offset\":", chunk) + "\"offset\":".length();
      return new Mark(
          text.substring(MARK_FIRST.length(), run),
          Long.parseLong(text.substring(chunk, text.indexOf(',', chunk))),
          Long.parseLong(text.substring(offset, numberEnd(text, offset))));
    } catch (StringIndexOutOfBoundsException | NumberFormatException e) {
      return null;
    }
  }

  private static int numberEnd(String text, int from) {
    int at = from;
    while (at < text.length() && Character.isDigit(text.charAt(at))) {
      at++;
    }
    return at;
  }

  /**
   * Text that no terminal and no log reader can be harmed by: cut to a bound of bytes and marked
   * when it was longer, control characters replaced, tabs and ANSI colours (ECMA-48 SGR) kept.
   *
   * @param cut bytes that were left out already
   */
  static String harmless(byte[] bytes, int length, int lineBytesMax, long cut) {
    int keep = Math.min(length, lineBytesMax);
    long lost = cut + length - keep;
    if (lost > 0) {
      while (keep > 0 && (bytes[keep - 1] & 0xC0) == 0x80) {
        keep--; // do not leave a piece of a character
      }
      if (keep > 0 && (bytes[keep - 1] & 0xC0) == 0xC0) {
        keep--;
      }
    }
    var text = new String(bytes, 0, keep, StandardCharsets.UTF_8);
    var out = new StringBuilder(text.length() + 24);
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (c == '\u001B') {
        int end = colourEnd(text, i);
        out.append(end > 0 ? text.substring(i, end) : "\uFFFD");
        i = Math.max(i, end - 1);
      } else {
        out.append(c != '\t' && Character.isISOControl(c) ? '\uFFFD' : c);
      }
    }
    if (lost > 0) {
      out.append(" [").append(lost).append(" bytes cut]");
    }
    return out.toString();
  }

  /** Behind the last character of a colour sequence that begins at {@code from}, or -1. */
  private static int colourEnd(String text, int from) {
    if (!text.startsWith("[", from + 1)) {
      return -1;
    }
    for (int i = from + 2; i < text.length() && i < from + 32; i++) {
      char c = text.charAt(i);
      if (c == 'm') {
        return i + 1;
      }
      if ((c < '0' || c > '9') && c != ';' && c != ':') {
        return -1;
      }
    }
    return -1;
  }
}
