package dev.holdfast.edge;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * What a strict reader makes of the bytes of a client (RFC 9112), as expressions over text: another
 * way to say what the edge does byte by byte, so that the two do not share a mistake.
 */
final class ReferenceParser {
  private static final String TOKEN = "[!#$%&'*+\\-.^_`|~0-9A-Za-z]+";
  private static final String TEXT = "[\\t\\x20-\\x7e\\x80-\\xff]*";
  private static final Pattern LINE =
      Pattern.compile("(" + TOKEN + ") ([\\x21\\x22\\x24-\\x7e\\x80-\\xff]+) HTTP/1\\.([0-9])");
  private static final Pattern FIELD =
      Pattern.compile("(" + TOKEN + "):[ \\t]*(" + TEXT + "?)[ \\t]*");
  private static final Pattern AUTHORITY =
      Pattern.compile("(\\[[0-9A-Fa-f:.]{2,}]|[0-9A-Za-z\\-._~%!$&'()*+,;=]+)(:([0-9]{0,5}))?");
  private static final Pattern ABSOLUTE = Pattern.compile("(?i:https?)://([^/?]*)(.*)");
  private static final Pattern CHUNK =
      Pattern.compile("([0-9a-fA-F]{1,15})([ \\t]*;" + TEXT + ")?");

  /** One request, as far as an app has to agree. */
  record Parsed(String method, String target, String host, String body) {}

  private final String raw;
  private int at;

  private ReferenceParser(String raw) {
    this.raw = raw;
  }

  /** The whole requests for that host, up to the first thing that is none. */
  static List<Parsed> requests(String raw, String host) {
    var parser = new ReferenceParser(raw);
    var found = new ArrayList<Parsed>();
    try {
      while (parser.next(host, found)) {
        // until it ends or is no request
      }
    } catch (Bad e) {
      // what came before stands
    }
    return found;
  }

  private static final class Bad extends Exception {
    private static final long serialVersionUID = 1;
  }

  private static void need(boolean holds) throws Bad {
    if (!holds) {
      throw new Bad();
    }
  }

  /** Whether another request may follow. */
  private boolean next(String host, List<Parsed> found) throws Bad {
    if (raw.startsWith("\r\n", at)) {
      at += 2;
    }
    var line = LINE.matcher(line());
    need(line.matches());
    var method = line.group(1);
    boolean http11 = !line.group(3).equals("0");
    var fields = fields();
    need(!method.equals("CONNECT"));
    var hosts = values(fields, "host");
    need(hosts.size() == 1);
    var authority = hosts.getFirst();
    need(valid(authority));
    var target = line.group(2);
    if (!target.startsWith("/") && !(target.equals("*") && method.equals("OPTIONS"))) {
      var absolute = ABSOLUTE.matcher(target);
      need(absolute.matches());
      authority = absolute.group(1);
      need(valid(authority));
      var path = absolute.group(2);
      target =
          path.isEmpty()
              ? (method.equals("OPTIONS") ? "*" : "/")
              : path.startsWith("/") ? path : "/" + path;
    }
    var expected = values(fields, "expect");
    need(
        !http11
            || expected.isEmpty()
            || String.join(", ", expected).equalsIgnoreCase("100-continue"));
    var body = body(http11, fields);
    if (name(authority).equals(host)) {
      found.add(new Parsed(method, target, authority, body));
    }
    var connection = List.of(String.join(",", values(fields, "connection")).split(",", -1));
    return http11 ? !contains(connection, "close") : contains(connection, "keep-alive");
  }

  private static boolean contains(List<String> list, String token) {
    return list.stream().anyMatch(member -> member.strip().equalsIgnoreCase(token));
  }

  private static boolean valid(String authority) {
    var matcher = AUTHORITY.matcher(authority);
    if (!matcher.matches()) {
      return false;
    }
    var port = matcher.group(3);
    return port == null || port.isEmpty() || Integer.parseInt(port) <= 65_535;
  }

  private static String name(String authority) {
    var matcher = AUTHORITY.matcher(authority);
    var name = matcher.matches() ? matcher.group(1).toLowerCase(Locale.ROOT) : "";
    return name.endsWith(".") ? name.substring(0, name.length() - 1) : name;
  }

  private String body(boolean http11, List<String[]> fields) throws Bad {
    var codings = values(fields, "transfer-encoding");
    var lengths = values(fields, "content-length");
    if (!codings.isEmpty()) {
      need(http11 && lengths.isEmpty() && codings.size() == 1);
      need(codings.getFirst().equalsIgnoreCase("chunked"));
      return chunks();
    }
    if (lengths.isEmpty()) {
      return "";
    }
    need(lengths.stream().distinct().count() == 1);
    need(lengths.getFirst().matches("[0-9]{1,18}"));
    return take(Long.parseLong(lengths.getFirst()));
  }

  private String chunks() throws Bad {
    var body = new StringBuilder();
    while (true) {
      var chunk = CHUNK.matcher(line());
      need(chunk.matches());
      long size = Long.parseLong(chunk.group(1), 16);
      if (size == 0) {
        fields();
        return body.toString();
      }
      body.append(take(size));
      need(take(2).equals("\r\n"));
    }
  }

  private List<String[]> fields() throws Bad {
    var fields = new ArrayList<String[]>();
    while (true) {
      var line = line();
      if (line.isEmpty()) {
        return fields;
      }
      var field = FIELD.matcher(line);
      need(field.matches());
      fields.add(new String[] {field.group(1).toLowerCase(Locale.ROOT), field.group(2)});
    }
  }

  private static List<String> values(List<String[]> fields, String name) {
    return fields.stream().filter(field -> field[0].equals(name)).map(field -> field[1]).toList();
  }

  private String line() throws Bad {
    int end = raw.indexOf('\n', at);
    need(end > at && raw.charAt(end - 1) == '\r');
    var line = raw.substring(at, end - 1);
    at = end + 1;
    return line;
  }

  private String take(long count) throws Bad {
    need(count <= raw.length() - at);
    var taken = raw.substring(at, at + (int) count);
    at += (int) count;
    return taken;
  }

  /** Where the two lists part, or null when the first is the beginning of the second. */
  static @Nullable String difference(List<Parsed> seen, List<Parsed> meant) {
    for (int i = 0; i < seen.size(); i++) {
      if (i >= meant.size()) {
        return "the app saw " + seen.get(i) + ", which nobody sent";
      }
      if (!seen.get(i).equals(meant.get(i))) {
        return "the app saw " + seen.get(i) + " instead of " + meant.get(i);
      }
    }
    return null;
  }
}
