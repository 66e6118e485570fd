package dev.holdfast.house;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/** The files that people write: everything outside build output, version control and tools. */
final class Sources {
  private static final Set<String> SKIPPED = Set.of("target", "node_modules");

  private Sources() {}

  /** Where the whole project stands. */
  static Path root() {
    var root = System.getProperty("tidy.root", "");
    if (root.isEmpty()) {
      throw new IllegalStateException("tidy.root is not set; run this test with Maven");
    }
    return Path.of(root);
  }

  /** All files of those extensions, in order. */
  static List<Path> withExtension(String... extensions) {
    var found = new ArrayList<Path>();
    try {
      Files.walkFileTree(
          root(),
          new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult preVisitDirectory(Path directory, BasicFileAttributes about) {
              var name = String.valueOf(directory.getFileName());
              boolean skipped =
                  !directory.equals(root()) && (SKIPPED.contains(name) || name.startsWith("."));
              return skipped ? FileVisitResult.SKIP_SUBTREE : FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult visitFile(Path file, BasicFileAttributes about) {
              var name = file.toString();
              for (var extension : extensions) {
                if (name.endsWith("." + extension)) {
                  found.add(file);
                }
              }
              return FileVisitResult.CONTINUE;
            }
          });
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    found.sort(null);
    return found;
  }

  /** How the file is called in a message. */
  static String name(Path file) {
    return root().relativize(file).toString();
  }

  static String read(Path file) {
    try {
      return Files.readString(file);
    } catch (IOException e) {
      throw new UncheckedIOException(Sources.name(file), e);
    }
  }
}
