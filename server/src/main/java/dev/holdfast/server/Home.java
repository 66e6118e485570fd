package dev.holdfast.server;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.holdfast.limits.Check;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.HexFormat;
import java.util.Set;
import java.util.random.RandomGenerator;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** The one directory in which a platform keeps everything. Immutable. */
record Home(Path directory) {
  /** What all platforms of a machine share when root runs them. */
  private static final Path MACHINE = Path.of("/var/lib/holdfast");

  private static final Pattern NODE = Pattern.compile("[a-z0-9-]{1,63}");
  private static final Pattern SECRET = Pattern.compile("[!-~]{32,}");
  private static final int SMALL_FILE_BYTES_MAX = 4_096;

  /**
   * The directory, made when it is not there, closed to everybody else.
   *
   * @throws IOException when it cannot be made
   */
  static Home open(Path directory) throws IOException {
    var absolute = directory.toAbsolutePath().normalize();
    if (!Files.isDirectory(absolute)) {
      Files.createDirectories(absolute);
      Files.setPosixFilePermissions(absolute, PosixFilePermissions.fromString("rwx------"));
    }
    return new Home(absolute);
  }

  Path artifacts() {
    return directory.resolve("artifacts");
  }

  Path logs() {
    return directory.resolve("logs");
  }

  /** Router lines of hosts that are routed to addresses, which belong to no app. */
  Path edgeLog() {
    return directory.resolve("edge-log");
  }

  /** What libraries unpack and load. */
  Path natives() {
    return directory.resolve("natives");
  }

  /** The control rods that this node has by itself. */
  Path rodsFile() {
    return directory.resolve("rods.json");
  }

  /** What an edge starts with when nobody answers. */
  Path shelf() {
    return directory.resolve("shelf");
  }

  /** What an edge knows of control rods when nobody answers. */
  Path rodsShelf() {
    return directory.resolve("rods-shelf");
  }

  /** What is handed to followers. */
  Path stream() {
    return directory.resolve("stream");
  }

  Path upFile() {
    return directory.resolve("up.json");
  }

  /** Written by the launcher's loop: its process id, when it began, and what it does. */
  Path supervisorFile() {
    return directory.resolve("supervisor.json");
  }

  /** See {@link Suspects}. */
  Path applyingFile() {
    return directory.resolve("applying");
  }

  private Path tokenFile() {
    return directory.resolve("token");
  }

  /**
   * The home's own API token, or null when there is none.
   *
   * @throws IllegalArgumentException when it is one that somebody could guess, such as none at all
   */
  @Nullable String token() throws IOException {
    if (!Files.exists(tokenFile())) {
      return null;
    }
    var secret = small(tokenFile()).strip();
    Check.that(
        SECRET.matcher(secret).matches(),
        tokenFile().toString(),
        secret.length() + " characters",
        "32 or more without a blank; remove the file to get a fresh one");
    return secret;
  }

  void writeToken(String secret) throws IOException {
    write(tokenFile(), secret + "\n");
  }

  /** Who this machine is in the ledger, the same after every start. */
  String node(RandomGenerator random) throws IOException {
    var file = directory.resolve("node");
    if (!Files.exists(file)) {
      byte[] bytes = new byte[4];
      random.nextBytes(bytes);
      write(file, "n" + HexFormat.of().formatHex(bytes) + "\n");
    }
    var name = small(file).strip();
    Check.that(NODE.matcher(name).matches(), file.toString(), name, "a name of a-z, 0-9 and '-'");
    return name;
  }

  /**
   * Where running processes have their files. When root runs the platform they run as other users,
   * who must be able to enter: a home that is closed to them gets a directory elsewhere.
   */
  Path runs(ServerConfig config) throws IOException {
    var told = config.runsDirectory();
    if (told != null) {
      return told.toAbsolutePath().normalize();
    }
    if (!root() || open()) {
      return directory.resolve("runs");
    }
    var name = HexFormat.of().toHexDigits(directory.toString().hashCode());
    return MACHINE.resolve("runs-" + name);
  }

  /** The first user id of this home's drones; it matters only when root runs the platform. */
  int uidFirst(ServerConfig config) throws IOException {
    var told = config.uidFirst();
    if (told != null) {
      return told;
    }
    return root() ? UserRange.of(directory, MACHINE) : UserRange.FIRST;
  }

  private static boolean root() {
    return "root".equals(System.getProperty("user.name"));
  }

  /** Whether other users can enter every directory on the way. */
  private boolean open() throws IOException {
    for (var part = directory; part != null; part = part.getParent()) {
      if (!Files.getPosixFilePermissions(part).contains(PosixFilePermission.OTHERS_EXECUTE)) {
        return false;
      }
    }
    return true;
  }

  /** Replaces the file in one step, readable for its owner alone, and durable. */
  static void write(Path file, String text) throws IOException {
    var fresh = file.resolveSibling(file.getFileName() + ".new");
    Files.deleteIfExists(fresh);
    var mode = PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------"));
    try (var channel =
        FileChannel.open(
            fresh, Set.of(StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE), mode)) {
      var bytes = ByteBuffer.wrap(text.getBytes(UTF_8));
      while (bytes.hasRemaining()) {
        channel.write(bytes);
      }
      channel.force(true);
    }
    Files.move(fresh, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
  }

  private static String small(Path file) throws IOException {
    Check.that(
        Files.size(file) <= SMALL_FILE_BYTES_MAX,
        file.toString(),
        Files.size(file) + " bytes",
        "at most " + SMALL_FILE_BYTES_MAX);
    return Files.readString(file);
  }
}
