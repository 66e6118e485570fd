package dev.holdfast.edge;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.US_ASCII;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * Cases as data, one per line: {@code name | verdict | raw bytes}.
 *
 * <ul>
 *   <li>{@code ~} is CR LF; {@code \r \n \t \0 \xNN} are bytes, and so is every other character;
 *   <li>{@code $G} and so on stand for what {@link #MACROS} says;
 *   <li><code>{text*3}</code> is the text three times, {@code #} in it the number of the turn;
 *   <li>a line {@code each 00-08 7f} makes one case of the next line for each of these bytes, which
 *       {@code \@} in its bytes and {@code @} in its name stand for. It holds up to an empty line,
 *       a comment, or a line without {@code @}.
 * </ul>
 */
final class CaseTable {
  private static final String HOST = "Host: app.test~";
  private static final String FILLER = "A: " + "b".repeat(8187) + "~";

  private static final Map<String, String> MACROS =
      Map.of(
          "$H",
          HOST,
          "$G",
          "GET / HTTP/1.1~" + HOST,
          "$P",
          "POST / HTTP/1.1~" + HOST,
          "$T",
          "Transfer-Encoding: chunked~",
          "$0",
          "0~~",
          "$M",
          "GET /smuggled HTTP/1.1~" + HOST + "~",
          "$F",
          FILLER.repeat(15),
          "$V",
          FILLER.repeat(3),
          "$O",
          "HTTP/1.1 200 OK~",
          "$L",
          "Content-Length: 3~");

  private static final Pattern REPEAT = Pattern.compile("\\{([^{}]*)\\*(\\d+)}");

  private CaseTable() {}

  /**
   * One case.
   *
   * @param verdict what is expected; its words are decoded one by one with {@link #decode}
   * @param raw one character per byte
   */
  record Row(String name, String verdict, String raw) {
    byte[] bytes() {
      return raw.getBytes(ISO_8859_1);
    }

    @Override
    public String toString() {
      return name;
    }
  }

  static List<Row> read(String... files) {
    var rows = new ArrayList<Row>();
    for (var file : files) {
      var each = List.<Integer>of();
      for (var line : lines(file)) {
        if (line.startsWith("each ")) {
          each = bytes(line.substring(5));
          continue;
        }
        if (line.isEmpty() || line.startsWith("#")) {
          each = List.of();
          continue;
        }
        var parts = line.split(" \\| ", 3);
        if (parts.length != 3) {
          throw new IllegalStateException(file + ": " + line + " (expected: three parts)");
        }
        if (!parts[2].contains("\\@")) {
          each = List.of();
          rows.add(new Row(parts[0], parts[1], decode(parts[2])));
        }
        for (int octet : each) {
          var hex = HexFormat.of().toHexDigits((byte) octet);
          var raw = decode(parts[2].replace("\\@", "\\x" + hex));
          rows.add(new Row(parts[0].replace("@", hex), parts[1], raw));
        }
      }
    }
    return rows;
  }

  private static List<String> lines(String file) {
    try (var in = CaseTable.class.getResourceAsStream(file)) {
      if (in == null) {
        throw new IllegalStateException("no table " + file);
      }
      return new String(in.readAllBytes(), US_ASCII).lines().toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static List<Integer> bytes(String ranges) {
    var all = new ArrayList<Integer>();
    for (var range : ranges.split(" ", -1)) {
      var ends = range.split("-", -1);
      int last = Integer.parseInt(ends[ends.length - 1], 16);
      for (int octet = Integer.parseInt(ends[0], 16); octet <= last; octet++) {
        all.add(octet);
      }
    }
    return all;
  }

  static String decode(String text) {
    for (var macro : MACROS.entrySet()) {
      text = text.replace(macro.getKey(), macro.getValue());
    }
    text =
        REPEAT
            .matcher(text)
            .replaceAll(match ->
                Matcher.quoteReplacement(
                    repeated(match.group(1), Integer.parseInt(match.group(2)))));
    var out = new StringBuilder(text.length());
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (c == '~') {
        out.append("\r\n");
      } else if (c != '\\') {
        out.append(c);
      } else {
        c = text.charAt(++i);
        switch (c) {
          case 'r' -> out.append('\r');
          case 'n' -> out.append('\n');
          case 't' -> out.append('\t');
          case '0' -> out.append('\0');
          case 'x' -> {
            out.append((char) HexFormat.fromHexDigits(text, i + 1, i + 3));
            i += 2;
          }
          default -> throw new IllegalStateException("escape: " + c + " (expected: r n t 0 x)");
        }
      }
    }
    return out.toString();
  }

  private static String repeated(String text, int count) {
    return text.contains("#")
        ? IntStream.range(0, count)
            .mapToObj(i -> text.replace("#", Integer.toString(i)))
            .collect(Collectors.joining())
        : text.repeat(count);
  }
}
