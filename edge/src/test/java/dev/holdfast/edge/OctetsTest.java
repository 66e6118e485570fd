package dev.holdfast.edge;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Locale;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class OctetsTest {
  private static final int ROUNDS = 20_000;
  private static final String OFTEN = "abcXYZ-_09:\r @[`{~!\u007f\u0080\u00ad\u00ff";

  private final Random random = new Random(7);

  @Test
  void findsTheEndOfATokenWhereAByteByByteReaderFindsIt() {
    for (int round = 0; round < ROUNDS; round++) {
      var bytes = bytes(random.nextInt(40));
      int from = bytes.length == 0 ? 0 : random.nextInt(bytes.length);
      int end = from;
      while (end < bytes.length && Octets.token(bytes[end])) {
        end++;
      }
      assertThat(Octets.tokenEnd(bytes, from, bytes.length)).as(show(bytes)).isEqualTo(end);
    }
  }

  @Test
  void findsTheFirstControlByteWhereAByteByByteReaderFindsIt() {
    for (int round = 0; round < ROUNDS; round++) {
      var bytes = bytes(random.nextInt(40));
      int end = 0;
      while (end < bytes.length && (bytes[end] & 0xff) >= 0x20 && bytes[end] != 0x7f) {
        end++;
      }
      assertThat(Octets.control(bytes, 0, bytes.length)).as(show(bytes)).isEqualTo(end);
    }
  }

  static List<Arguments> names() {
    return List.of(
        Arguments.of("host", Name.HOST),
        Arguments.of("connection", Name.CONNECTION),
        Arguments.of("content-length", Name.CONTENT_LENGTH),
        Arguments.of("transfer-encoding", Name.TRANSFER_ENCODING),
        Arguments.of("te", Name.TE),
        Arguments.of("proxy-authorization", Name.PROXY_AUTHORIZATION),
        Arguments.of("x-request-id", Name.REQUEST_ID),
        Arguments.of("retry-attempt", Name.RETRY_ATTEMPT),
        Arguments.of("hos", Name.OTHER),
        Arguments.of("hostt", Name.OTHER),
        Arguments.of("content-lengths", Name.OTHER),
        Arguments.of("x-request-identity-of-somebody-else", Name.OTHER),
        Arguments.of("content_length", Name.OTHER),
        Arguments.of("x_request_id", Name.LOOKALIKE),
        Arguments.of("proxy_authorization", Name.LOOKALIKE));
  }

  @ParameterizedTest
  @MethodSource("names")
  void knowsANameInAnyCaseAndAtAnyPlace(String name, int id) {
    for (int round = 0; round < 100; round++) {
      var before = bytes(random.nextInt(9));
      var after = bytes(random.nextInt(30));
      var bytes = new byte[before.length + name.length() + after.length];
      System.arraycopy(before, 0, bytes, 0, before.length);
      System.arraycopy(mixed(name).getBytes(US_ASCII), 0, bytes, before.length, name.length());
      System.arraycopy(after, 0, bytes, before.length + name.length(), after.length);
      assertThat(Name.of(bytes, before.length, before.length + name.length()))
          .as(show(bytes))
          .isEqualTo(id);
    }
  }

  @Test
  void takesNoNameForAnother() {
    var known = new String[] {"host", "te", "connection", "content-length", "cookie"};
    for (int round = 0; round < ROUNDS; round++) {
      var name = known[random.nextInt(known.length)].getBytes(US_ASCII);
      int at = random.nextInt(name.length);
      int octet;
      do {
        octet = random.nextInt(0x7f);
      } while (!Octets.token(octet) || (octet | 0x20) == name[at]);
      name[at] = (byte) octet;
      int id = Name.of(name, 0, name.length);
      assertThat(id == Name.OTHER || id == Name.LOOKALIKE).as(show(name)).isTrue();
    }
  }

  private String mixed(String name) {
    var mixed = new StringBuilder();
    for (int i = 0; i < name.length(); i++) {
      var letter = name.substring(i, i + 1);
      mixed.append(random.nextBoolean() ? letter.toUpperCase(Locale.ROOT) : letter);
    }
    return mixed.toString();
  }

  private byte[] bytes(int count) {
    var bytes = new byte[count];
    for (int i = 0; i < count; i++) {
      bytes[i] =
          (byte)
              (random.nextInt(8) == 0
                  ? random.nextInt(256)
                  : OFTEN.charAt(random.nextInt(random.nextBoolean() ? 6 : OFTEN.length())));
    }
    return bytes;
  }

  private static String show(byte[] bytes) {
    return java.util.HexFormat.of().formatHex(bytes);
  }
}
