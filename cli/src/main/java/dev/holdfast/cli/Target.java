package dev.holdfast.cli;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/** Where the platform is, found anew for each request because a restart may move it. Immutable. */
sealed interface Target {
  /** Longest {@code up.json} or {@code token} that is read. */
  int FILE_BYTES_MAX = 64 << 10;

  /**
   * The address and the token as they are now.
   *
   * @throws Absent when no platform runs there
   */
  Address find();

  /** Whether it is always reached without TLS. */
  boolean plain();

  /** How the target is called in a sentence. */
  String name();

  /** What to do when nobody answers. */
  String hint();

  /** Where requests go and what proves that they may. */
  record Address(URI base, String token) {
    /** Never with the token. */
    @Override
    public String toString() {
      return base.toString();
    }
  }

  /** The platform whose folder this is. */
  static Target home(Path folder) {
    return new Home(folder.toAbsolutePath().normalize());
  }

  /**
   * The platform at that address.
   *
   * @throws Refused when it is no address, or the token is missing
   */
  static Target server(String url, @Nullable String token) {
    if (token == null) {
      throw Refused.usage("--server needs a token: set HOLDFAST_TOKEN.");
    }
    return new Server(new Address(base("--server", url), checked("HOLDFAST_TOKEN", token)));
  }

  /** See {@link #home}; its {@code up.json} always names an http address. */
  record Home(Path folder) implements Target {
    @Override
    public Address find() {
      var up = read("up.json");
      var api =
          Json.text(
              Json.parse(up.getBytes(UTF_8), folder.resolve("up.json").toString()), "api", "");
      return new Address(
          base("api in " + folder.resolve("up.json"), api),
          checked("token in " + folder, read("token").strip()));
    }

    @Override
    public boolean plain() {
      return true;
    }

    @Override
    public String name() {
      return folder.toString();
    }

    @Override
    public String hint() {
      return "Start it with: ./holdfast up";
    }

    private String read(String name) {
      var file = folder.resolve(name);
      try {
        if (Files.size(file) > FILE_BYTES_MAX) {
          throw new Refused(file + " is larger than " + Text.size(FILE_BYTES_MAX) + ".");
        }
        return Files.readString(file);
      } catch (NoSuchFileException e) {
        throw new Absent("No platform is running in " + folder + ". " + hint());
      } catch (IOException e) {
        throw new Refused("Cannot read " + file + ": " + e);
      }
    }
  }

  /** See {@link #server}. */
  record Server(Address address) implements Target {
    @Override
    public Address find() {
      return address;
    }

    @Override
    public boolean plain() {
      return "http".equals(address.base().getScheme());
    }

    @Override
    public String name() {
      return address.toString();
    }

    @Override
    public String hint() {
      return "Check the address, and that the platform runs there.";
    }
  }

  private static URI base(String name, String url) {
    URI uri;
    try {
      uri = URI.create(url);
    } catch (IllegalArgumentException e) {
      throw badUrl(name, url);
    }
    var path = uri.getRawPath();
    boolean scheme = "http".equals(uri.getScheme()) || "https".equals(uri.getScheme());
    if (!scheme
        || uri.getHost() == null
        || uri.getRawUserInfo() != null
        || uri.getRawQuery() != null
        || (path != null && !path.isEmpty() && !path.equals("/"))) {
      throw badUrl(name, url);
    }
    return URI.create(uri.getScheme() + "://" + uri.getRawAuthority());
  }

  private static Refused badUrl(String name, String url) {
    return Refused.usage(
        Refused.sentence(name, url, "http://ADDR:PORT, such as http://127.0.0.1:7070"));
  }

  /** A token becomes a header, so it must be one word; it is never repeated in a message. */
  private static String checked(String name, String token) {
    if (token.isEmpty() || token.chars().anyMatch(c -> c <= ' ' || c > '~')) {
      throw new Refused("The " + name + " is no token (expected: one word of visible ASCII).");
    }
    return token;
  }
}
