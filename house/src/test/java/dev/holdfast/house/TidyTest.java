package dev.holdfast.house;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.googlejavaformat.java.Formatter;
import com.google.googlejavaformat.java.FormatterException;
import com.google.googlejavaformat.java.ImportOrderer;
import com.google.googlejavaformat.java.JavaFormatterOptions;
import com.google.googlejavaformat.java.RemoveUnusedImports;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** What every source file looks like; {@code -Dtidy.fix=true} repairs what can be repaired. */
class TidyTest {
  private static final int LINES_PER_FILE_MAX = 500;
  private static final boolean FIX = Boolean.getBoolean("tidy.fix");
  private static final Pattern UNFINISHED =
      Pattern.compile("\\b(TO" + "DO|FIX" + "ME|XX" + "X)\\b");
  private static final Pattern BLANK_BEFORE_END = Pattern.compile("[ \\t]+$", Pattern.MULTILINE);
  private static final Pattern LINK =
      Pattern.compile("\\]\\(<?([^)>\\s]+)>?(?:\\s+\"[^\"]*\")?\\)");
  private static final Pattern FENCED =
      Pattern.compile("^(```+|~~~+).*?^\\1[ \\t]*$", Pattern.MULTILINE | Pattern.DOTALL);
  private static final Pattern CODE = Pattern.compile("`[^`\\n]*`");
  private static final Pattern HEADING = Pattern.compile("^#{1,6} +(.*?) *#*$", Pattern.MULTILINE);

  @Test
  void javaIsFormatted() throws IOException {
    var problems = new ArrayList<String>();
    for (var file : javaFiles()) {
      var text = Sources.read(file);
      try {
        var tidy = format(text);
        if (!tidy.equals(text)) {
          if (FIX) {
            Files.writeString(file, tidy);
          } else {
            problems.add(Sources.name(file) + ": not formatted; -Dtidy.fix=true repairs it");
          }
        }
      } catch (FormatterException e) {
        problems.add(Sources.name(file) + ": " + e.getMessage());
      }
    }
    assertThat(problems).isEmpty();
  }

  @Test
  void noFileIsLongerThanFiveHundredLines() {
    var problems = new ArrayList<String>();
    for (var file : javaFiles()) {
      long lines = Sources.read(file).lines().count();
      if (lines > LINES_PER_FILE_MAX) {
        problems.add(Sources.name(file) + ": " + lines + " lines");
      }
    }
    assertThat(problems).as("at most " + LINES_PER_FILE_MAX + " lines").isEmpty();
  }

  @Test
  void nothingIsLeftForLater() {
    assertThat(linesWith(UNFINISHED, "java", "sql", "xml", "html", "css", "js", "sh", "yaml"))
        .isEmpty();
  }

  @Test
  void noTabsAndNothingBlankAtTheEndOfALine() throws IOException {
    var extensions = new String[] {"java", "sql", "xml", "html", "css", "js", "sh", "md", "yaml"};
    if (FIX) {
      for (var file : Sources.withExtension(extensions)) {
        var text = Sources.read(file);
        var tidy = BLANK_BEFORE_END.matcher(text).replaceAll("");
        if (!tidy.equals(text)) {
          Files.writeString(file, tidy);
        }
      }
    }
    assertThat(linesWith(BLANK_BEFORE_END, extensions)).isEmpty();
    assertThat(linesWith(Pattern.compile("\t"), extensions)).isEmpty();
  }

  @Test
  void linksInDocumentsLeadSomewhere() {
    var problems = new ArrayList<String>();
    for (var file : Sources.withExtension("md")) {
      var links = LINK.matcher(prose(Sources.read(file)));
      while (links.find()) {
        var link = links.group(1);
        if (!link.matches("[a-z][a-z0-9+.-]*:.*") && !leadsSomewhere(file, link)) {
          problems.add(Sources.name(file) + ": " + link);
        }
      }
    }
    assertThat(problems).isEmpty();
  }

  @Test
  void theRulesFindWhatTheyAreFor() throws FormatterException {
    assertThat(format("class A{int  b;}")).isEqualTo("class A {\n  int b;\n}\n");
    assertThat(UNFINISHED.matcher("// TO" + "DO: later").find()).isTrue();
    assertThat(BLANK_BEFORE_END.matcher("a \nb").find()).isTrue();
    var links = LINK.matcher(prose("`[x](code)` [a](b.md#c)\n```\n[x](y)\n```\n"));
    assertThat(links.results().map(found -> found.group(1))).containsExactly("b.md#c");
    assertThat(anchors("# The `up` verb, and more!\n```\n# no\n```\n"))
        .containsExactly("the-up-verb-and-more");
    assertThat(javaFiles()).hasSizeGreaterThan(20);
  }

  private static List<Path> javaFiles() {
    return Sources.withExtension("java");
  }

  private static String format(String text) throws FormatterException {
    var ordered = ImportOrderer.reorderImports(text, JavaFormatterOptions.Style.GOOGLE);
    return new Formatter().formatSource(RemoveUnusedImports.removeUnusedImports(ordered));
  }

  private static List<String> linesWith(Pattern pattern, String... extensions) {
    var found = new ArrayList<String>();
    for (var file : Sources.withExtension(extensions)) {
      var lines = Sources.read(file).lines().toList();
      for (int i = 0; i < lines.size(); i++) {
        if (pattern.matcher(lines.get(i)).find()) {
          found.add(Sources.name(file) + ":" + (i + 1));
        }
      }
    }
    return found;
  }

  private static boolean leadsSomewhere(Path from, String link) {
    int hash = link.indexOf('#');
    var path = hash < 0 ? link : link.substring(0, hash);
    var directory = from.getParent();
    if (directory == null) {
      return false;
    }
    var target = path.isEmpty() ? from : directory.resolve(path).normalize();
    if (!Files.exists(target)) {
      return false;
    }
    boolean anchored = hash >= 0 && target.toString().endsWith(".md");
    return !anchored || anchors(Sources.read(target)).contains(link.substring(hash + 1));
  }

  /** The headings' anchors as the usual renderers make them. */
  private static List<String> anchors(String markdown) {
    return HEADING
        .matcher(FENCED.matcher(markdown).replaceAll(""))
        .results()
        .map(heading -> heading.group(1).toLowerCase(Locale.ROOT))
        .map(heading -> heading.replaceAll("[^\\p{L}\\p{N} _-]", "").replace(' ', '-'))
        .toList();
  }

  private static String prose(String markdown) {
    return CODE.matcher(FENCED.matcher(markdown).replaceAll("")).replaceAll("");
  }
}
