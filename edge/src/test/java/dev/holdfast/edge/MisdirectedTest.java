package dev.holdfast.edge;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** One HTTP/2 connection serves the hosts of one certificate (RFC 9113 section 9.1.1). */
class MisdirectedTest {
  private Backend backend;
  private FrontRig rig;

  @BeforeEach
  void begin() throws IOException {
    backend = Backend.answering(Backend.ok("hello"));
    var keys = Keys.of("app.test", "other.test");
    keys.identities.put("twin.test", Keys.made("app.test"));
    var front = new TestFront();
    front.tls = true;
    rig = new FrontRig(new TestConfig(), front, keys).app(backend);
    rig.route("other.test", backend.port()).route("twin.test", backend.port());
  }

  @AfterEach
  void end() throws IOException {
    rig.close();
    backend.close();
  }

  private H2Wire http2(@Nullable String name) throws IOException {
    var socket = rig.socket(name, List.of("TLSv1.3"), List.of("h2"));
    socket.startHandshake();
    return new H2Wire(socket).preface().frame(H2Wire.SETTINGS, 0, 0, H2Wire.NONE);
  }

  private static int asks(H2Wire wire, int stream, String host) throws IOException {
    var fields =
        new String[] {
          ":method", "GET", ":scheme", "https", ":path", "/", ":authority", host, "user-agent", "ua"
        };
    return wire.headers(stream, H2Wire.WHOLE, fields).answer(stream).status();
  }

  @Test
  void aHostOfAnotherCertificateIsSentToAConnectionOfItsOwn() throws IOException {
    try (var wire = http2("app.test")) {
      assertThat(asks(wire, 1, "app.test")).isEqualTo(200);
      assertThat(asks(wire, 3, "twin.test")).isEqualTo(200);
      assertThat(asks(wire, 5, "OTHER.test:443")).isEqualTo(421);
      assertThat(asks(wire, 7, "nobody.test")).isEqualTo(421);
      assertThat(asks(wire, 9, "app.test")).isEqualTo(200);
    }
    Rig.until(() -> rig.log.stream().anyMatch(line -> line.contains("code=H31")));
    assertThat(rig.log)
        .anyMatch(line -> line.contains("desc=\"Misdirected Request\"") && line.contains("\"ua\""));
  }

  @Test
  void whoNamedNoHostBeforeIsTakenAtItsWord() throws IOException {
    try (var wire = http2(null)) {
      assertThat(asks(wire, 1, "other.test")).isEqualTo(200);
    }
  }

  @Test
  void renewedCertificatesDoNotPartHostsThatShareOne() throws IOException {
    try (var wire = http2("app.test")) {
      assertThat(asks(wire, 1, "twin.test")).isEqualTo(200);
      rig.keys.identities.put("app.test", Keys.made("renewed.test"));
      rig.keys.identities.put("twin.test", Keys.made("renewed.test"));
      assertThat(asks(wire, 3, "twin.test")).isEqualTo(200);
    }
  }
}
