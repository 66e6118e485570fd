package dev.holdfast.ledger;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class HostNameTest {

  @ParameterizedTest
  @CsvSource({
    "www.example.org, www.example.org",
    "WWW.Example.ORG, www.example.org",
    "www.example.org., www.example.org",
    "a, a",
    "bücher.example, xn--bcher-kva.example",
    "BÜCHER.example, xn--bcher-kva.example",
    "web.localhost, web.localhost",
    "127.0.0.1, 127.0.0.1",
    "a--b.example, a--b.example",
  })
  void isLookedUpInOneForm(String host, String name) {
    assertThat(HostName.of(host)).isEqualTo(name);
    assertThat(HostName.of(name)).isEqualTo(name);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        ".",
        "..",
        "a..b",
        "-a.example",
        "a-.example",
        "a_b.example",
        "a b",
        "a/b",
        "a:80",
        "[::1]",
        "a\r\nb",
        "*.example.org",
        "user@host",
        "\u3002",
        ".a",
        "\uD800"
      })
  void refusesWhatIsNoHost(String host) {
    assertThatThrownBy(() -> HostName.of(host))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageStartingWith("host: ");
  }

  @Test
  void boundsLabelAndName() {
    var label = "a".repeat(63);
    assertThat(HostName.of(label + ".b")).isEqualTo(label + ".b");
    assertThatThrownBy(() -> HostName.of(label + "a.b"))
        .isInstanceOf(IllegalArgumentException.class);
    var longest = (label + ".").repeat(3) + "a".repeat(61);
    assertThat(HostName.of(longest)).hasSize(HostName.CHARS_MAX);
    assertThatThrownBy(() -> HostName.of(longest + "a"))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void anythingElseIsRefusedAndNotThrown() {
    var random = new Random(7);
    for (int i = 0; i < 20_000; i++) {
      var text = new StringBuilder();
      for (int n = random.nextInt(12); n > 0; n--) {
        text.append((char) random.nextInt(random.nextBoolean() ? 128 : 0x10000));
      }
      try {
        assertThat(HostName.of(HostName.of(text.toString()))).isNotEmpty();
      } catch (IllegalArgumentException e) {
        assertThat(e).hasMessageStartingWith("host: ");
      }
    }
  }

  @Test
  void aLabelIsTakenAsItIs() {
    assertThat(HostName.label("app", "web-1")).isEqualTo("web-1");
    for (var name : new String[] {"", "Web", "a.b", "-a", "a-", "a".repeat(64), "a\n"}) {
      assertThatThrownBy(() -> HostName.label("app", name))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageStartingWith("app: ");
    }
  }
}
