package dev.holdfast.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ListenTest {
  @Test
  void readsAnAddressAndAPort() {
    assertThat(Listen.parse("http", "127.0.0.1:8080")).isEqualTo(new Listen("127.0.0.1", 8080));
    assertThat(Listen.parse("http", "localhost:0")).isEqualTo(new Listen("localhost", 0));
    assertThat(Listen.parse("http", "[::1]:65535")).isEqualTo(new Listen("::1", 65535));
  }

  @Test
  void isWrittenAsItIsRead() {
    for (var text : new String[] {"127.0.0.1:8080", "[::1]:7070", "0.0.0.0:0"}) {
      assertThat(Listen.parse("http", text)).hasToString(text);
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "", ":", "8080", ":8080", "[]:80", "a:b", "a:", "a:-1", "a:65536", "::1:80", "a:1:2"
      })
  void refusesWhatIsNoAddressWithThePlaceItCameFrom(String text) {
    assertThatThrownBy(() -> Listen.parse("api", text))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("api: " + text + " (expected: ADDR:PORT, such as 127.0.0.1:8080)");
  }

  @Test
  void aHostThatNobodyKnowsIsNamed() {
    var listen = Listen.parse("api", "no-such-host.invalid:80");
    assertThatThrownBy(listen::socket)
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("address: no-such-host.invalid (expected: an address of this machine)");
  }

  @Test
  void theUrlIsOneThatThisMachineCanOpen() {
    assertThat(url("0.0.0.0:8080")).isEqualTo("http://127.0.0.1:8080");
    assertThat(url("127.0.0.1:1")).isEqualTo("http://127.0.0.1:1");
    assertThat(url("[::1]:7070")).isEqualTo("http://[0:0:0:0:0:0:0:1]:7070");
  }

  private static String url(String text) {
    return Listen.url(Listen.parse("http", text).socket());
  }
}
