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
        "RFC 7541 2.3.3: a literal whose name is beyond the tables",
        wire -> {
          wire.frame(HEADERS, WHOLE, 1, new byte[] {0x0f, (byte) 0xff, 0x01, 1, 'x'});
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
        "RFC 7541 5.2: the symbol for the end of a string",
        wire -> {
          wire.frame(HEADERS, WHOLE, 1, huffman(0x84, 0xff, 0xff, 0xff, 0xff));
        });
    CASES.put(
        "RFC 7541 5.1: a number without end",
        wire -> {
          var block = new byte[12];
          java.util.Arrays.fill(block, (byte) 0xff);
          wire.frame(HEADERS, WHOLE, 1, block);
        });
    CASES.put(
        "RFC 7541 5.2: a string longer than the block",
        wire -> {
          wire.frame(HEADERS, WHOLE, 1, new byte[] {0x00, 0x05, 'a'});
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

  /** GET http://app.test/ whose authority is said as in these bytes. */
  private static byte[] authority(int... said) {
    var block = new java.io.ByteArrayOutputStream();
    block.write(0x82);
    block.write(0x86);
    block.write(0x84);
    for (int octet : said) {
      block.write(octet);
    }
    return block.toByteArray();
  }

  private static int[] said(String prefix, String text) {
    var all =
        java.util.HexFormat.of()
            .parseHex(
                prefix
                    + java.util.HexFormat.of()
                        .formatHex(text.getBytes(java.nio.charset.StandardCharsets.US_ASCII)));
    return java.util.stream.IntStream.range(0, all.length).map(i -> all[i] & 0xff).toArray();
  }

  /** Every way of RFC 7541 section 6 to say the authority. */
  static Map<String, byte[]> ways() {
    var ways = new LinkedHashMap<String, byte[]>();
    ways.put("6.2.1: indexed name, to be indexed", authority(said("4108", "app.test")));
    ways.put(
        "6.2.1: new name, to be indexed",
        authority(said("400a3a617574686f7269747908", "app.test")));
    ways.put("6.2.2: indexed name, not indexed", authority(said("0108", "app.test")));
    ways.put(
        "6.2.2: new name, not indexed", authority(said("000a3a617574686f7269747908", "app.test")));
    ways.put("6.2.3: indexed name, never indexed", authority(said("1108", "app.test")));
    ways.put(
        "6.2.3: new name, never indexed",
        authority(said("100a3a617574686f7269747908", "app.test")));
    ways.put("5.2: in Huffman's code", authority(said("41861d75ae92a13f", "")));
    return ways;
  }

  static Set<String> wayNames() {
    return ways().keySet();
  }

  @ParameterizedTest
  @MethodSource("wayNames")
  void understandsEveryRepresentation(String name) throws IOException {
    try (var backend = Backend.answering(Backend.ok("hello"));
        var rig = new FrontRig(new TestFront()).app(backend);
        var wire = H2Wire.to(rig.edge.address())) {
      wire.frame(HEADERS, WHOLE, 1, java.util.Objects.requireNonNull(ways().get(name)));
      assertThat(wire.answer(1).status()).isEqualTo(200);
    }
  }

  @org.junit.jupiter.api.Test
  void keepsItsTableFromRequestToRequest() throws IOException {
    try (var backend = Backend.answering(Backend.ok("hello"));
        var rig = new FrontRig(new TestFront()).app(backend);
        var wire = H2Wire.to(rig.edge.address())) {
      wire.frame(HEADERS, WHOLE, 1, authority(said("4108", "app.test")));
      assertThat(wire.answer(1).status()).isEqualTo(200);
      wire.frame(HEADERS, WHOLE, 3, authority(0xbe)); // the first of the dynamic table
      assertThat(wire.answer(3).status()).isEqualTo(200);
      var resized = new java.io.ByteArrayOutputStream(); // emptied, and as large as before
      resized.writeBytes(new byte[] {0x20, 0x3f, (byte) 0xe1, 0x1f});
      resized.writeBytes(authority(said("0108", "app.test")));
      wire.frame(HEADERS, WHOLE, 5, resized.toByteArray());
      assertThat(wire.answer(5).status()).isEqualTo(200);
      wire.frame(HEADERS, WHOLE, 7, authority(0xbe));
      assertThat(wire.end()).isEqualTo("goaway 9");
    }
  }
}
