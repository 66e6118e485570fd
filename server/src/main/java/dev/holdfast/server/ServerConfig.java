package dev.holdfast.server;

import dev.holdfast.certs.CertsConfig;
import dev.holdfast.limits.Check;
import java.io.IOException;
import java.net.URI;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Everything that an operator can set. Each key has a default, may stand in {@code holdfast.conf}
 * in the home directory as {@code key = value}, may be overridden by the environment as {@code
 * HOLDFAST_KEY} (upper case, dots and dashes as underscores), and that by the command line. A key
 * that is not known is an error. Immutable.
 */
record ServerConfig(Path home, Map<String, String> values) {
  /** Name of the file in the home directory. */
  static final String FILE = "holdfast.conf";

  /** Longest configuration file. */
  static final int FILE_BYTES_MAX = 64 * 1024;

  /** Largest count of a duration's unit; in hours it is 114,000 years. */
  private static final long COUNT_MAX = 1_000_000_000;

  private static final String AUTO = "auto";

  /** A key with its default and what it means. */
  public record Key(String name, String standard, String meaning) {
    String variable() {
      return "HOLDFAST_" + name.toUpperCase(Locale.ROOT).replace('.', '_').replace('-', '_');
    }
  }

  static final Key HTTP =
      new Key("http", "0.0.0.0:8080", "Address of the edge, which visitors reach.");
  static final Key HTTPS =
      new Key(
          "https",
          "auto",
          "Address of the edge for TLS and HTTP/2, or `off`. `auto` is port 8443 beside the default"
              + " of `http`, and off beside any other.");
  static final Key EDGE_LOOPS =
      new Key(
          "edge.event-loops", "auto", "Threads that carry all traffic. `auto`: one per processor.");
  static final Key EDGE_TRANSPORT =
      new Key(
          "edge.transport",
          "auto",
          "How the edge talks to the kernel: `epoll`, `nio`, `io_uring`, or `auto` for the best"
              + " that can be relied on.");
  static final Key EDGE_ADMISSION =
      new Key(
          "edge.admission",
          "observe",
          "What happens when there is too much: `enforce` refuses what has to be refused, `observe`"
              + " only counts it, `off` does not look.");
  static final Key EDGE_RETRY_BUDGET =
      new Key(
          "edge.retry-budget",
          "on",
          "`on`: the edge repeats at most one of ten requests whose connection was stale. `off`: as"
              + " many as there are.");
  static final Key EDGE_CONNECTIONS =
      new Key("edge.connections-max", "8000", "Clients connected at a time (H22).");
  static final Key EDGE_DRAIN_RATE =
      new Key(
          "edge.drain-rate",
          "250",
          "WebSockets and event streams that are let go per second when the platform ends, 1 to"
              + " 100000: their visitors are back at once.");
  static final Key EDGE_DRAIN_MAX =
      new Key(
          "edge.drain-max",
          "60s",
          "How long that may take, at most `30m`; the rate grows when it would take longer.");
  static final Key EDGE_ACCESS_LOG =
      new Key(
          "edge.access-log",
          "none",
          "Where each request leaves a line besides `holdfast logs`: any of `stdout`, `file:PATH`, "
              + "`syslog:unix:PATH`, `syslog:udp:HOST:PORT`, `syslog:tcp:HOST:PORT`, with commas "
              + "between them.");
  static final Key EDGE_ACCESS_LOG_FORMAT =
      new Key("edge.access-log-format", "logfmt", "How such a line looks: `logfmt` or `json`.");
  static final Key EDGE_ACCESS_LOG_SAMPLE =
      new Key(
          "edge.access-log-sample",
          "1",
          "Of requests that went well, one in so many is logged; those with a code always are.");
  static final Key EDGE_TRACES =
      new Key(
          "edge.traces",
          "follow",
          "`follow`: the trace context (W3C) that a request brings passes and stands in the log as "
              + "JSON. `begin`: a request that brings none gets one.");
  static final Key EDGE_PROXIES =
      new Key(
          "edge.proxies",
          "none",
          "Addresses or networks such as `10.0.0.0/8`, with commas between them, that are believed "
              + "when they say who the client is: by a PROXY protocol header, and by "
              + "`X-Forwarded-For`, of which admission counts the right-most address that is none "
              + "of these. By `X-Forwarded-Proto` and `X-Forwarded-Port` they say how the client "
              + "came, which is what apps are told and what redirects to HTTPS go by.");
  static final Key EDGE_PROXY_PROTOCOL =
      new Key(
          "edge.proxy-protocol",
          "on",
          "`on`: connections of `edge.proxies` begin with a PROXY protocol header. `off`: they are "
              + "plain HTTP or TLS.");
  static final Key API =
      new Key("api", "127.0.0.1:7070", "Address of the HTTP API. Loopback unless told otherwise.");
  static final Key API_CALLS =
      new Key("api.calls-max", "64", "API requests that are worked on at a time; more get 503.");
  static final Key API_STREAMS =
      new Key("api.streams-max", "64", "Log and ledger streams that are open at a time.");
  static final Key API_FOLLOWERS =
      new Key(
          "api.followers-max",
          "256",
          "Followers of the ledger that are connected at a time, edges and `_changes` feeds.");
  static final Key DRONES =
      new Key("drones.count", "100", "Processes that may run on this machine at a time.");
  static final Key DRONES_DIRECTORY =
      new Key(
          "drones.directory",
          "auto",
          "Where running processes have their files. `auto` is `runs` in the home directory, or, "
              + "when root runs the platform and others cannot enter the home directory, a "
              + "directory of its own below `/var/lib/holdfast`.");
  static final Key UID_FIRST =
      new Key(
          "drones.uid-first",
          "auto",
          "When root runs the platform, drone N runs as user id `uid-first` + N. `auto` gives every"
              + " home on the machine a range of its own, noted in `/var/lib/holdfast`.");
  static final Key PORT_FIRST =
      new Key("drones.port-first", "20000", "First port that is given to a process.");
  static final Key PORT_LAST =
      new Key("drones.port-last", "29999", "Last port that is given to a process.");
  static final Key PORT_REST =
      new Key("drones.port-rest", "30s", "How long a port rests before it is given again.");
  static final Key BOOT_TIMEOUT =
      new Key("drones.boot-timeout", "90s", "How long a web process may take to answer (R10).");
  static final Key DRAIN_TIMEOUT =
      new Key("drones.drain-timeout", "30s", "How long requests under way may take at an end.");
  static final Key STOP_TIMEOUT =
      new Key("drones.stop-timeout", "30s", "Time between SIGTERM and SIGKILL (R12).");
  static final Key UPLOAD_BYTES =
      new Key("uploads.bytes-max", "536870912", "Largest upload, compressed, in bytes.");
  static final Key STORE_BYTES =
      new Key(
          "store.bytes-max",
          "68719476736",
          "Largest ledger file in bytes; beyond it the platform refuses changes and serves on.");
  static final Key CERTS_AUTOMATIC =
      new Key(
          "certs.automatic",
          "off",
          "`on`: every public host that leads somewhere gets a certificate by itself, which agrees "
              + "to the authority's terms. `off`: only those that `certs add` names.");
  static final Key CERTS_DIRECTORY =
      new Key(
          "certs.directory",
          CertsConfig.LETS_ENCRYPT.toString(),
          "Directory of the certificate authority (ACME, RFC 8555).");
  static final Key CERTS_STAGING =
      new Key(
          "certs.staging",
          AUTO,
          "Directory that is asked first after two failures, or `none`. `auto` is Let's Encrypt's, "
              + "when `certs.directory` is.");
  static final Key CERTS_CONTACT =
      new Key("certs.contact", "none", "Mail address that the authority may write to.");
  static final Key CERTS_ROOTS =
      new Key(
          "certs.roots",
          "system",
          "File of certificates (PEM) that the authority's own server leads to. With a file, names "
              + "that only a private authority knows, such as `x.internal`, are ordered too.");
  static final Key CERTS_CHALLENGES =
      new Key(
          "certs.challenges",
          "http-01,tls-alpn-01",
          "How a host is proven, the preferred way first; the next is taken when one fails.");
  static final Key CERTS_SELF_SIGNED =
      new Key(
          "certs.self-signed",
          "local",
          "Who is shown a certificate that nobody vouches for: `off` nobody, `local` clients of "
              + "localhost, of `*.localhost` and of no name, `on` every host without another.");

  /** All keys in the order of the reference page. */
  public static final List<Key> KEYS =
      List.of(
          Roles.ROLES,
          Roles.CONTROL,
          Roles.CONTROL_TOKEN,
          Roles.EDGE_KEYS,
          HTTP,
          HTTPS,
          EDGE_LOOPS,
          EDGE_TRANSPORT,
          EDGE_ADMISSION,
          EDGE_RETRY_BUDGET,
          EDGE_CONNECTIONS,
          EDGE_DRAIN_RATE,
          EDGE_DRAIN_MAX,
          EDGE_ACCESS_LOG,
          EDGE_ACCESS_LOG_FORMAT,
          EDGE_ACCESS_LOG_SAMPLE,
          EDGE_TRACES,
          EDGE_PROXIES,
          EDGE_PROXY_PROTOCOL,
          API,
          API_CALLS,
          API_STREAMS,
          API_FOLLOWERS,
          DRONES,
          DRONES_DIRECTORY,
          UID_FIRST,
          PORT_FIRST,
          PORT_LAST,
          PORT_REST,
          BOOT_TIMEOUT,
          DRAIN_TIMEOUT,
          STOP_TIMEOUT,
          UPLOAD_BYTES,
          STORE_BYTES,
          StoreSettings.STORE,
          StoreSettings.PASSWORD_FILE,
          CERTS_AUTOMATIC,
          CERTS_DIRECTORY,
          CERTS_STAGING,
          CERTS_CONTACT,
          CERTS_ROOTS,
          CERTS_CHALLENGES,
          CERTS_SELF_SIGNED,
          LedgerSettings.COMPACT,
          LedgerSettings.COMPACT_ENTRIES,
          LedgerSettings.COMPACT_DEAD,
          LedgerSettings.COMPACT_KEEP,
          RodSettings.TTL,
          RodSettings.TTL_MAX,
          RodSettings.RULES,
          RodSettings.DISK_FREE,
          RodSettings.PAUSE_MAX,
          RodSettings.PAUSE_WAIT,
          RodSettings.PAUSE_RATE,
          Undefended.WITHOUT);

  /** Copies what it is given. */
  public ServerConfig {
    values = Map.copyOf(values);
  }

  /**
   * Reads the file, the environment and the command line, the later ones stronger.
   *
   * @param arguments values by key
   * @throws IOException when the file exists and cannot be read
   * @throws IllegalArgumentException naming the key or line that is wrong
   */
  public static ServerConfig load(
      Path home, Map<String, String> environment, Map<String, String> arguments)
      throws IOException {
    var values = new TreeMap<String, String>();
    for (var key : KEYS) {
      values.put(key.name(), key.standard());
    }
    values.putAll(file(home.resolve(FILE)));
    for (var key : KEYS) {
      var value = environment.get(key.variable());
      if (value != null) {
        values.put(key.name(), value);
      }
    }
    arguments.forEach((name, value) -> values.put(known(name, "command line").name(), value));
    var config = new ServerConfig(home, values);
    config.check();
    return config;
  }

  private static Map<String, String> file(Path file) throws IOException {
    var values = new LinkedHashMap<String, String>();
    if (!Files.exists(file)) {
      return values;
    }
    Check.that(
        Files.size(file) <= FILE_BYTES_MAX,
        file.toString(),
        Files.size(file) + " bytes",
        "at most " + FILE_BYTES_MAX);
    int number = 0;
    for (var line : lines(file)) {
      number++;
      var text = line.strip();
      if (text.isEmpty() || text.startsWith("#")) {
        continue;
      }
      var where = file + " line " + number;
      int equals = text.indexOf('=');
      Check.that(equals > 0, where, text, "key = value");
      var key = known(text.substring(0, equals).strip(), where);
      Check.that(
          values.put(key.name(), text.substring(equals + 1).strip()) == null,
          where,
          key.name(),
          "each key once");
    }
    return values;
  }

  private static List<String> lines(Path file) throws IOException {
    try {
      return Files.readAllLines(file);
    } catch (CharacterCodingException e) {
      throw new IllegalArgumentException(
          Check.message(file.toString(), "not UTF-8", "text in UTF-8"), e);
    }
  }

  private static Key known(String name, String where) {
    for (var key : KEYS) {
      if (key.name().equals(name)) {
        return key;
      }
    }
    throw new IllegalArgumentException(
        Check.message(where + ": key", name, "one of " + KEYS.stream().map(Key::name).toList()));
  }

  /** Reads every value once, so that a wrong one is found at the start. */
  private void check() {
    listen(HTTP);
    listen(API);
    for (var key : List.of(API_CALLS, API_STREAMS, API_FOLLOWERS, DRONES, PORT_FIRST, PORT_LAST)) {
      integer(key);
    }
    for (var key : List.of(PORT_REST, BOOT_TIMEOUT, DRAIN_TIMEOUT, STOP_TIMEOUT)) {
      duration(key);
    }
    bytes(UPLOAD_BYTES);
    StoreSettings.of(this);
    uidFirst();
    Roles.check(this);
    certs();
    new LedgerSettings(this).check();
    new RodSettings(this).check();
    Undefended.of(this);
    var edge = new EdgeSettings(this);
    edge.edge();
    edge.front();
  }

  String value(Key key) {
    return values.getOrDefault(key.name(), key.standard());
  }

  Listen listen(Key key) {
    return Listen.parse(key.name(), value(key));
  }

  int integer(Key key) {
    var number = number(value(key));
    Check.that(
        number != null && number >= 1 && number <= Integer.MAX_VALUE,
        key.name(),
        value(key),
        "a whole number from 1");
    return number == null ? 0 : number.intValue();
  }

  long bytes(Key key) {
    var number = number(value(key));
    Check.that(number != null && number >= 1, key.name(), value(key), "a number of bytes from 1");
    return number == null ? 0 : number;
  }

  Duration duration(Key key) {
    var text = value(key);
    var unit = text.isEmpty() ? ' ' : text.charAt(text.length() - 1);
    var number = text.isEmpty() ? null : number(text.substring(0, text.length() - 1));
    Check.that(
        number != null && number >= 0 && number <= COUNT_MAX && "smh".indexOf(unit) >= 0,
        key.name(),
        text,
        "a duration such as 30s, 5m or 1h");
    long count = number == null ? 0 : number;
    return switch (unit) {
      case 'h' -> Duration.ofHours(count);
      case 'm' -> Duration.ofMinutes(count);
      default -> Duration.ofSeconds(count);
    };
  }

  /** The first user id of drones, or null for {@code auto}. */
  @Nullable Integer uidFirst() {
    return value(UID_FIRST).equals("auto") ? null : Integer.valueOf(integer(UID_FIRST));
  }

  /** The directory for running processes, or null for {@code auto}. */
  @Nullable Path runsDirectory() {
    var text = value(DRONES_DIRECTORY);
    return text.equals("auto") ? null : Path.of(text);
  }

  /** How certificates are come by. */
  CertsConfig certs() {
    var standard = CertsConfig.defaults();
    var directory = uri(CERTS_DIRECTORY, value(CERTS_DIRECTORY));
    var staging = value(CERTS_STAGING);
    var contact = value(CERTS_CONTACT);
    var roots = value(CERTS_ROOTS);
    return new CertsConfig(
        choice(CERTS_AUTOMATIC, "off", "on").equals("on"),
        directory,
        switch (staging) {
          case "none" -> null;
          case AUTO ->
              directory.equals(CertsConfig.LETS_ENCRYPT) ? CertsConfig.LETS_ENCRYPT_STAGING : null;
          default -> uri(CERTS_STAGING, staging);
        },
        contact.equals("none") ? null : contact,
        roots.equals("system") ? null : Path.of(roots),
        Arrays.stream(value(CERTS_CHALLENGES).split(",", -1))
            .map(label -> CertsConfig.Proof.of(label.strip()))
            .toList(),
        CertsConfig.SelfSigned.valueOf(
            choice(CERTS_SELF_SIGNED, "off", "local", "on").toUpperCase(Locale.ROOT)),
        standard.limits(),
        standard.ordersAtOnce());
  }

  private String choice(Key key, String... choices) {
    var text = value(key);
    Check.that(List.of(choices).contains(text), key.name(), text, String.join(" or ", choices));
    return text;
  }

  private static URI uri(Key key, String text) {
    try {
      return URI.create(text);
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException(Check.message(key.name(), text, "https://HOST/PATH"), e);
    }
  }

  private static @Nullable Long number(String text) {
    try {
      return Long.valueOf(text);
    } catch (NumberFormatException e) {
      return null; // the caller names the key, the value and what was expected
    }
  }

  /** The reference page of all keys, in Markdown. */
  public static String page() {
    var page = new StringBuilder();
    page.append("# Configuration\n\n");
    page.append("<!-- Written by ServerConfigTest with -Dtidy.fix=true; do not edit. -->\n\n");
    page.append(
        "Settings stand in `holdfast.conf` in the home directory, one `key = value` a line");
    page.append(" (`#` starts a comment line). The environment overrides the file, the command");
    page.append(" line (`--http`, `--api`) overrides both. An unknown key is an error.\n\n");
    page.append("| key | default | environment | meaning |\n|---|---|---|---|\n");
    for (var key : KEYS) {
      page.append("| `").append(key.name()).append("` | `").append(key.standard());
      page.append("` | `").append(key.variable()).append("` | ").append(key.meaning());
      page.append(" |\n");
    }
    return page.toString();
  }
}
