package dev.holdfast.server;

import dev.holdfast.ledger.HttpFeedConfig;
import dev.holdfast.limits.Check;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/** Which parts of a platform one process is. */
enum Roles {
  /** Everything in one process. */
  ALL,
  /** API, ledger, certificates and apps; visitors come through processes that are edges. */
  CONTROL_AND_DRONES,
  /** Visitors' traffic and nothing else: no store, no secrets. */
  EDGE;

  static final ServerConfig.Key ROLES =
      new ServerConfig.Key(
          "roles",
          "all",
          "What this process is: `all`, `control,drones` (no edge of its own), or `edge`, which"
              + " follows the process at `control` over HTTP.");
  static final ServerConfig.Key CONTROL =
      new ServerConfig.Key(
          "control",
          "none",
          "API addresses that an edge follows, such as `http://10.0.0.1:7070`, with commas between"
              + " them; the next is asked when one does not answer.");
  static final ServerConfig.Key CONTROL_TOKEN =
      new ServerConfig.Key(
          "control.token",
          "none",
          "Token with which an edge follows, or `file:PATH` of one; made by `holdfast tokens create"
              + " NAME --scope follow`.");
  static final ServerConfig.Key EDGE_KEYS =
      new ServerConfig.Key(
          "edge.keys",
          "none",
          "Directory of `HOST.crt` and `HOST.key` (PEM, PKCS #8) from which an edge in a process of"
              + " its own speaks TLS; `_.DOMAIN` stands for every host right below. No key comes"
              + " through the ledger.");

  private static final String NONE = "none";
  private static final String FILE = "file:";
  private static final int TOKEN_FILE_BYTES_MAX = 4_096;

  /**
   * What the configuration says.
   *
   * @throws IllegalArgumentException when it is a combination that does not exist
   */
  static Roles of(ServerConfig config) {
    var value = config.value(ROLES);
    var words = new TreeSet<>(Arrays.stream(value.split(",", -1)).map(String::strip).toList());
    return switch (String.join(",", words)) {
      case "all", "control,drones,edge" -> ALL;
      case "control,drones" -> CONTROL_AND_DRONES;
      case "edge" -> EDGE;
      default ->
          throw new IllegalArgumentException(
              Check.message(
                  ROLES.name(),
                  value,
                  "all, edge or control,drones: who runs apps writes their leases into the ledger,"
                      + " so control and drones are one process"));
    };
  }

  /** Reads every value once, so that a wrong one is found at the start. */
  static void check(ServerConfig config) {
    if (of(config) == EDGE) {
      Check.that(
          !config.value(CONTROL).equals(NONE),
          CONTROL.name(),
          NONE,
          "the API address of a control process, such as http://10.0.0.1:7070");
      Check.that(
          !config.value(CONTROL_TOKEN).equals(NONE),
          CONTROL_TOKEN.name(),
          NONE,
          "a token that may follow, or file:PATH of one");
      HttpFeedConfig.of(controls(config), "checked");
    }
  }

  static HttpFeedConfig feed(ServerConfig config) throws IOException {
    return HttpFeedConfig.of(controls(config), token(config));
  }

  private static List<URI> controls(ServerConfig config) {
    return Arrays.stream(config.value(CONTROL).split(",", -1))
        .map(address -> uri(address.strip()))
        .toList();
  }

  private static URI uri(String address) {
    try {
      return URI.create(address);
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException(
          Check.message(CONTROL.name(), address, "such as http://10.0.0.1:7070"), e);
    }
  }

  private static String token(ServerConfig config) throws IOException {
    var value = config.value(CONTROL_TOKEN);
    if (!value.startsWith(FILE)) {
      return value;
    }
    var file = Path.of(value.substring(FILE.length()));
    Check.that(
        Files.isReadable(file) && Files.size(file) <= TOKEN_FILE_BYTES_MAX,
        CONTROL_TOKEN.name(),
        value,
        "a file that can be read and holds a token");
    return Files.readString(file).strip();
  }

  /** The directory of certificates and keys, or null. */
  static @Nullable Path keys(ServerConfig config) {
    var value = config.value(EDGE_KEYS);
    return value.equals(NONE) ? null : Path.of(value);
  }
}
