package dev.holdfast.edge;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * Reads messages and forgives nothing (RFC 9112): it judges what the edge writes to either side,
 * and it is written apart from the edge so that the two cannot share a mistake.
 */
final class StrictReader {
  private static final int LINE_MAX = 2 * 1024 * 1024;
  private static final String MARKS = "!#$%&'*+-.^_`|~";

  private final InputStream in;

  StrictReader(InputStream in) {
    this.in = in;
  }

  /** Bytes that are no message, or less than one. */
  static final class Violation extends IOException {
    private static final long serialVersionUID = 1;

    Violation(String message) {
      super(message);
    }
  }

  /** The body's end came from the framing, or from the end of the connection. */
  enum Ending {
    NONE,
    LENGTH,
    CHUNKED,
    CLOSE
  }

  /**
   * One message.
   *
   * @param start the first line
   * @param fields as {@code name: value}
   */
  record Seen(
      String start, List<String> fields, String body, List<String> trailers, Ending ending) {
    String method() {
      return start.substring(0, start.indexOf(' '));
    }

    String target() {
      return start.substring(start.indexOf(' ') + 1, start.lastIndexOf(' '));
    }

    int status() {
      return Integer.parseInt(start.substring(9, 12));
    }

    List<String> values(String name) {
      return StrictReader.values(fields, name);
    }

    @Nullable String value(String name) {
      var values = values(name);
      return values.isEmpty() ? null : values.getFirst();
    }

    boolean has(String name, String token) {
      return values(name).stream()
          .flatMap(value -> List.of(value.split(",", -1)).stream())
          .anyMatch(part -> part.strip().equalsIgnoreCase(token));
    }
  }

  /** The next request, or null at a regular end. */
  @Nullable Seen request() throws IOException {
    var start = first();
    if (start == null) {
      return null;
    }
    var words = start.split(" ", -1);
    need(words.length == 3 && token(words[0]) && words[2].equals("HTTP/1.1"), "line", start);
    need(words[1].startsWith("/") || words[1].equals("*"), "target", words[1]);
    need(words[1].chars().allMatch(c -> c > ' ' && c != 0x7f && c != '#'), "target", words[1]);
    var fields = fields();
    need(values(fields, "host").size() == 1, "one host", fields.toString());
    return rest(start, fields, Ending.NONE);
  }

  /** The next response to a request of that method, or null at a regular end. */
  @Nullable Seen response(String method) throws IOException {
    var start = first();
    if (start == null) {
      return null;
    }
    need(
        start.matches("HTTP/1\\.1 [1-5][0-9][0-9] [^\\x00-\\x08\\x0a-\\x1f\\x7f]*"), "line", start);
    var fields = fields();
    int status = Integer.parseInt(start.substring(9, 12));
    if (status < 200 || status == 204) {
      need(values(fields, "content-length").isEmpty(), "no length", fields.toString());
      need(values(fields, "transfer-encoding").isEmpty(), "no coding", fields.toString());
    }
    return method.equals("HEAD") || status < 200 || status == 204 || status == 304
        ? new Seen(start, fields, "", List.of(), Ending.NONE)
        : rest(start, fields, Ending.CLOSE);
  }

  /** The next response, which there has to be, interim or not. */
  Seen next(String method) throws IOException {
    var seen = response(method);
    if (seen == null) {
      throw new Violation("expected an answer, found the end");
    }
    return seen;
  }

  /** The next response that is not an interim one. */
  Seen answer(String method) throws IOException {
    while (true) {
      var seen = next(method);
      if (seen.status() >= 200 || seen.status() == 101) {
        return seen;
      }
    }
  }

  private Seen rest(String start, List<String> fields, Ending unframed) throws IOException {
    var lengths = values(fields, "content-length");
    var codings = values(fields, "transfer-encoding");
    need(lengths.size() + codings.size() <= 1, "one framing", fields.toString());
    if (!codings.isEmpty()) {
      need(codings.getFirst().equals("chunked"), "chunked", codings.getFirst());
      return chunks(start, fields);
    }
    if (!lengths.isEmpty()) {
      need(lengths.getFirst().matches("[0-9]{1,18}"), "length", lengths.getFirst());
      int length = Integer.parseInt(lengths.getFirst());
      return new Seen(start, fields, data(length), List.of(), Ending.LENGTH);
    }
    var body = unframed == Ending.CLOSE ? new String(in.readAllBytes(), ISO_8859_1) : "";
    return new Seen(start, fields, body, List.of(), unframed);
  }

  private Seen chunks(String start, List<String> fields) throws IOException {
    var body = new StringBuilder();
    while (true) {
      var size = line();
      need(size.matches("[0-9a-fA-F]{1,8}"), "chunk size without extensions", size);
      int length = Integer.parseInt(size, 16);
      if (length == 0) {
        return new Seen(start, fields, body.toString(), fields(), Ending.CHUNKED);
      }
      body.append(data(length));
      need(line().isEmpty(), "line end after a chunk", "something else");
    }
  }

  private List<String> fields() throws IOException {
    var fields = new ArrayList<String>();
    while (true) {
      var line = line();
      if (line.isEmpty()) {
        return fields;
      }
      int colon = line.indexOf(':');
      need(colon > 0 && token(line.substring(0, colon)), "field name", line);
      var value = line.substring(colon + 1).strip();
      need(value.chars().allMatch(c -> (c >= ' ' || c == '\t') && c != 0x7f), "value", line);
      fields.add(line.substring(0, colon) + ":" + (value.isEmpty() ? "" : " " + value));
    }
  }

  /** The first line, or null at a regular end. */
  private @Nullable String first() throws IOException {
    int c = in.read();
    return c < 0 ? null : line(c);
  }

  private String line() throws IOException {
    return line(in.read());
  }

  /** A line without its end, which is CR LF and nothing else. */
  private String line(int begin) throws IOException {
    var out = new ByteArrayOutputStream(64);
    for (int c = begin; ; c = in.read()) {
      if (c == '\r' && in.read() == '\n') {
        return out.toString(ISO_8859_1);
      }
      if (c < 0) {
        throw new Violation("a line and the end: " + out.toString(ISO_8859_1));
      }
      if (c == '\r' || c == '\n' || out.size() == LINE_MAX) {
        throw new Violation("a line that does not end well: " + out.toString(ISO_8859_1));
      }
      out.write(c);
    }
  }

  private String data(int length) throws IOException {
    var bytes = in.readNBytes(length);
    need(bytes.length == length, length + " bytes", bytes.length + " and the end");
    return new String(bytes, ISO_8859_1);
  }

  private static List<String> values(List<String> fields, String name) {
    return fields.stream()
        .filter(field -> field.toLowerCase(Locale.ROOT).startsWith(name + ":"))
        .map(field -> field.substring(name.length() + 1).strip())
        .toList();
  }

  private static boolean token(String text) {
    return !text.isEmpty()
        && text.chars()
            .allMatch(c -> c < 0x80 && (Character.isLetterOrDigit(c) || MARKS.indexOf(c) >= 0));
  }

  private static void need(boolean holds, String expected, String found) throws Violation {
    if (!holds) {
      throw new Violation("expected " + expected + ", found: " + found);
    }
  }
}
