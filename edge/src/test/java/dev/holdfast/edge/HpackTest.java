package dev.holdfast.edge;

import static dev.holdfast.edge.H2Wire.HEADERS;
import static dev.holdfast.edge.H2Wire.WHOLE;
import static dev.holdfast.edge.H2Wire.block;
import static dev.holdfast.edge.H2Wire.request;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What RFC 7541 calls a decoding error ends the connection. */
class HpackTest {
  private static final Map<String, Http2ConformanceTest.Script> CASES = new LinkedHashMap<>();

  static {
    CASES.put(
        "RFC 7541 2.3.3: an index beyond the tables",
        wire -> {
          wire.frame(HEADERS, WHOLE, 1, new byte[] {(byte) 0xff, (byte) 0x80, 0x01});
        });
    CASES.put(
        "RFC 7541 4.2: a table size after fields",
        wire -> {
          var block = new java.io.ByteArrayOutputStream();
          block.writeBytes(block(request("GET", "/")));
          block.write(0x20);
          wire.frame(HEADERS, WHOLE, 1, block.toByteArray());
        });
    CASES.put(
        "RFC 7541 5.2: padding longer than 7 bits",
        wire -> {
          wire.frame(HEADERS, WHOLE, 1, huffman(0x82, 0x1c, 0x64, 0xff, 0xff));
        });
    CASES.put(
        "RFC 7541 5.2: padding with zeros",
        wire -> {
          wire.frame(HEADERS, WHOLE, 1, huffman(0x81, 0x18));
        });
    CASES.put(
        "RFC 7541 6.1: index 0",
        wire -> {
          wire.frame(HEADERS, WHOLE, 1, new byte[] {(byte) 0x80});
        });
    CASES.put(
        "RFC 7541 6.3: a table larger than announced",
        wire -> {
          wire.frame(HEADERS, WHOLE, 1, new byte[] {0x3f, (byte) 0xe2, 0x1f});
        });
  }

  /** A good request, then a field whose value is these bytes, the first of them its length. */
  private static byte[] huffman(int... value) {
    var block = new java.io.ByteArrayOutputStream();
    block.writeBytes(block(request("GET", "/")));
    block.write(0);
    block.write(1);
    block.write('x');
    block.write(value.length - 1 | 0x80);
    for (int i = 1; i < value.length; i++) {
      block.write(value[i]);
    }
    return block.toByteArray();
  }

  static Set<String> cases() {
    return CASES.keySet();
  }

  @ParameterizedTest
  @MethodSource("cases")
  void endsConnectionsThatCannotBeDecoded(String name) throws IOException {
    try (var rig = new FrontRig(new TestFront());
        var wire = H2Wire.to(rig.edge.address())) {
      var script = CASES.get(name);
      if (script == null) {
        throw new AssertionError(name);
      }
      script.run(wire);
      assertThat(wire.end()).isIn("goaway 9", "closed");
    }
  }
}
