package dev.holdfast.drones;

import dev.holdfast.limits.Check;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystems;
import java.nio.file.InvalidPathException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarConstants;
import org.jspecify.annotations.Nullable;

/**
 * What the tree inside an upload may look like, entry by entry and in the end as a whole. The scan
 * before the upload is accepted and every extraction after it ask the same rules. Confined to one
 * thread.
 *
 * <p>Links may point anywhere inside the tree and nowhere else. The targets are checked twice: by
 * text while the entries pass, so that the message names the entry, and when all are known the way
 * the kernel would walk them, because two links that look harmless can lead out together.
 */
final class TarRules {
  /** As many links as Linux follows in one path (path_resolution(7)). */
  private static final int HOPS_MAX = 40;

  /** Longest name of one file: NAME_MAX of every common file system. */
  private static final int NAME_BYTES_MAX = 255;

  /** Components walked to resolve all links together; ends quadratic mischief. */
  private static final int STEPS_MAX = 5_000_000;

  /** What stands at a path. */
  enum Node {
    FILE,
    DIRECTORY,
    LINK
  }

  private final ArtifactLimits limits;
  private final Map<String, Node> nodes = new HashMap<>();
  private final Map<String, String> links = new HashMap<>();
  private int steps;

  TarRules(ArtifactLimits limits) {
    this.limits = limits;
  }

  /**
   * The entry's path in the form under which it is stored: no leading {@code ./}, no trailing
   * slash. The empty path is the root of the tree.
   *
   * @throws BadUpload naming the entry and what is wrong with it
   */
  String admit(TarArchiveEntry entry) throws BadUpload {
    if (!entry.isCheckSumOK()) {
      throw bad(entry.getName(), "a tar header whose checksum is right");
    }
    if (entry.isSparse()) {
      throw bad(entry.getName(), "no sparse file");
    }
    var path = path(entry.getName());
    var node = kind(entry);
    if (path.isEmpty()) {
      if (node != Node.DIRECTORY) {
        throw bad(entry.getName(), "a name");
      }
      return path;
    }
    for (int slash = path.indexOf('/'); slash > 0; slash = path.indexOf('/', slash + 1)) {
      var parent = path.substring(0, slash);
      var there = nodes.putIfAbsent(parent, Node.DIRECTORY);
      if (there != null && there != Node.DIRECTORY) {
        throw bad(path, "no entry below " + parent + ", which is a " + name(there));
      }
    }
    var before = nodes.putIfAbsent(path, node);
    if (before != null && (before != Node.DIRECTORY || node != Node.DIRECTORY)) {
      throw bad(path, "each path once, and it is a " + name(before) + " already");
    }
    if (nodes.size() > limits.entriesMax()) {
      throw new BadUpload(Check.message("entries", nodes.size(), "at most " + limits.entriesMax()));
    }
    return path;
  }

  private static Node kind(TarArchiveEntry entry) throws BadUpload {
    return switch (entry.getLinkFlag()) {
      case TarConstants.LF_OLDNORM, TarConstants.LF_NORMAL, TarConstants.LF_CONTIG ->
          entry.getName().endsWith("/") ? Node.DIRECTORY : Node.FILE;
      case TarConstants.LF_DIR -> Node.DIRECTORY;
      case TarConstants.LF_SYMLINK -> Node.LINK;
      case TarConstants.LF_LINK -> Node.FILE;
      case TarConstants.LF_BLK, TarConstants.LF_CHR -> throw bad(entry.getName(), "no device");
      case TarConstants.LF_FIFO -> throw bad(entry.getName(), "no named pipe");
      default ->
          throw bad(
              entry.getName(),
              "a file, a directory or a link, not type " + (char) (entry.getLinkFlag() & 0x7F));
    };
  }

  /** The target of a symbolic link, which may lead through the tree but not out of it. */
  String symbolicTarget(String path, String target) throws BadUpload {
    if (target.isEmpty() || bytes(target) > limits.pathBytesMax() || unstorable(target)) {
      throw bad(path, "a link whose target is 1 to " + limits.pathBytesMax() + " bytes long");
    }
    int depth = depth(path) - 1;
    for (var part : target.split("/", -1)) {
      depth += part.equals("..") ? -1 : part.isEmpty() || part.equals(".") ? 0 : 1;
      if (depth < 0 || target.startsWith("/")) {
        throw bad(path, "a link that stays inside the tree, not one to " + target);
      }
    }
    links.put(path, target);
    return target;
  }

  /** The target of a hard link: an ordinary file that came before. */
  String hardTarget(String path, String target) throws BadUpload {
    var name = path(target);
    if (name.equals(path) || nodes.get(name) != Node.FILE) {
      throw bad(path, "a hard link to a file that came before it, not to " + target);
    }
    return name;
  }

  /** Walks every symbolic link as the kernel would; only now are all of them known. */
  void finish() throws BadUpload {
    for (var link : links.entrySet()) {
      if (leadsOut(link.getKey(), link.getValue())) {
        throw bad(
            link.getKey(),
            "a link that stays inside the tree, not one to "
                + link.getValue()
                + " through other links");
      }
    }
  }

  private boolean leadsOut(String path, String target) throws BadUpload {
    var at = new ArrayList<>(List.of(path.split("/", -1)));
    at.removeLast();
    var ahead = new ArrayDeque<>(List.of(target.split("/", -1)));
    int hops = 0;
    @Nullable String part;
    while ((part = ahead.poll()) != null) {
      if (++steps > STEPS_MAX) {
        throw bad(path, "links that are simpler to follow");
      }
      if (part.isEmpty() || part.equals(".")) {
        continue;
      }
      if (part.equals("..")) {
        if (at.isEmpty()) {
          return true;
        }
        at.removeLast();
        continue;
      }
      at.add(part);
      var next = links.get(String.join("/", at));
      if (next != null) {
        if (++hops > HOPS_MAX) {
          return false; // the kernel gives up here too: the link leads nowhere
        }
        at.removeLast();
        var parts = next.split("/", -1);
        for (int i = parts.length - 1; i >= 0; i--) {
          ahead.addFirst(parts[i]);
        }
      }
    }
    return false;
  }

  private String path(String name) throws BadUpload {
    var path = name.startsWith("./") ? name.substring(2) : name.equals(".") ? "" : name;
    if (path.startsWith("/")) {
      throw bad(name, "a relative path");
    }
    if (path.endsWith("/")) {
      path = path.substring(0, path.length() - 1);
    }
    if (path.isEmpty()) {
      return path;
    }
    if (bytes(path) > limits.pathBytesMax()) {
      throw bad(name, "a path of at most " + limits.pathBytesMax() + " bytes");
    }
    for (var part : path.split("/", -1)) {
      if (part.isEmpty() || part.equals(".") || part.equals("..")) {
        throw bad(name, "a path without empty, . and .. components");
      }
      if (bytes(part) > NAME_BYTES_MAX) {
        throw bad(name, "names of at most " + NAME_BYTES_MAX + " bytes");
      }
    }
    if (unstorable(path)) {
      throw bad(name, "a path that this machine's locale can store");
    }
    return path;
  }

  private static boolean unstorable(String path) {
    try {
      return FileSystems.getDefault().getPath(path).toString().indexOf('\uFFFD') >= 0;
    } catch (InvalidPathException e) {
      return true;
    }
  }

  private static int bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8).length;
  }

  private static int depth(String path) {
    return (int) path.chars().filter(c -> c == '/').count() + 1;
  }

  private static String name(Node node) {
    return switch (node) {
      case FILE -> "file";
      case DIRECTORY -> "directory";
      case LINK -> "link";
    };
  }

  private static BadUpload bad(String entry, String expected) {
    return new BadUpload(Check.message("entry", entry, expected));
  }
}
