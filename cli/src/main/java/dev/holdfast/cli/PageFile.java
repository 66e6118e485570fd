package dev.holdfast.cli;

import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;

/** Reads a page that visitors are to see. */
final class PageFile {
  private static final long BYTES_MAX = 64 * 1024;

  private PageFile() {}

  /**
   * The file's text.
   *
   * @throws Refused when it is not there, too large or no text
   */
  static String read(Shell shell, String file) {
    var path = shell.folder().resolve(file);
    try {
      long bytes = Files.size(path);
      if (bytes > BYTES_MAX) {
        throw new Refused(
            Refused.sentence("page " + file, bytes + " bytes", "at most " + BYTES_MAX));
      }
      return Files.readString(path);
    } catch (NoSuchFileException e) {
      throw new Refused(Refused.sentence("page", file, "a file that exists"));
    } catch (CharacterCodingException e) {
      throw new Refused(Refused.sentence("page " + file, "no UTF-8", "HTML in UTF-8"));
    } catch (IOException e) {
      throw new Refused(Refused.sentence("page " + file, e.toString(), "a file to read"));
    }
  }
}
