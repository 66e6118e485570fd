package dev.holdfast.drones;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ProcfileTest {

  @Test
  void keepsTheOrderOfTheFile() {
    var procfile = Procfile.parse("# apps\r\nworker: w\r\n\r\n// more\r\nweb: a b\r\nrelease: r");
    assertThat(procfile.types().keySet()).containsExactly("worker", "web", "release");
    assertThat(procfile.types()).containsEntry("web", "a b");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "web: node app.js # why | node app.js",
        "web: node app.js // why | node app.js",
        "web:node app.js | node app.js",
        "web: curl http://x/y | curl http://x/y",
        "web: a#b | a#b",
        "web: echo 'a # b' // c | echo 'a # b'",
        "web: echo \"a // b\" | echo \"a // b\"",
        "web: echo \"a \\\" # b\" # c | echo \"a \\\" # b\"",
        "web: echo \\' # c | echo \\'",
        "web: a\t# c | a",
        "web: a && b; c | a && b; c",
      })
  void cutsOnlyWhatIsAComment(String line, String command) {
    assertThat(Procfile.parse(line).types()).containsEntry("web", command);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "web: a\nweb: b",
        "web: a\n<<<<<<< HEAD",
        "web: a\n=======",
        "web: a\nweb2:",
        "web: a\nx: # nothing",
        "web: a\n web: b",
        "web: a\nWeb: b",
        "web: a\na_b: c",
        "web: a\n-a: c",
        "web: a\nb : c",
        "web: a\nb: c\0d",
      })
  void namesTheLineThatIsWrong(String text) {
    assertThatThrownBy(() -> Procfile.parse(text))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("Procfile line 2")
        .hasMessageContaining("(expected: ");
  }

  @Test
  void hasBounds() {
    assertThatThrownBy(() -> Procfile.parse("# nothing\n")).hasMessageContaining("no process type");
    assertThatThrownBy(() -> Procfile.parse("a".repeat(64) + ": b")).hasMessageContaining("line 1");
    assertThat(Procfile.parse("a".repeat(63) + ": b").types()).hasSize(1);
    var many = new StringBuilder();
    for (int i = 0; i < 64; i++) {
      many.append("t").append(i).append(": c\n");
    }
    assertThat(Procfile.parse(many.toString()).types()).hasSize(64);
    assertThatThrownBy(() -> Procfile.parse(many + "one-more: c")).hasMessageContaining("line 65");
    assertThatThrownBy(() -> Procfile.parse("web: c\n" + "#".repeat(64 * 1024)))
        .hasMessageContaining("Procfile bytes");
    assertThatThrownBy(() -> Procfile.parse("web: " + "c".repeat(16 * 1024 + 1)))
        .hasMessageContaining("line 1");
  }
}
