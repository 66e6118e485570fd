package dev.holdfast.ledger;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class RouteTextTest {
  private static final Kind<Route> CODEC = Kind.open("route", 1, Route.class);
  private static final String[] HOSTS = {
    "a.example", "www.example.org", "WWW.Example.org.", "a b", "", "-a.example", "bücher.example",
    "a..b", "a.example.", "\\u0061.example", "xn--bcher-kva.example", "1", "a\u0000b", "a/b",
  };
  private static final String[] TARGETS = {
    "web",
    "http://127.0.0.1:3000",
    "http://127.0.0.1:3000/",
    "http://[::1]:80",
    "https://a:1",
    "http://a",
    "",
    "127.0.0.1:80",
    "http://a:65536",
    "w\\u0065b",
    "\\/",
    "é",
    "http://A:1",
  };
  private static final String[] OTHERS = {
    "null", "1", "true", "{}", "[]", "[\"web\"]", "\"", "{\"host\":1}", "nul", "-1.5e3",
  };
  private static final String[] BITS = {
    " ",
    ",",
    "}",
    "{",
    "\"",
    ":",
    "\n",
    "null",
    "\\",
    "[",
    "]",
    "\u0000",
    "\"x\":1,",
    "/**/",
    "\uFEFF",
  };

  static LongStream seeds() {
    var replay = Long.getLong("seed");
    return replay != null ? LongStream.of(replay) : new Random().longs(20);
  }

  @ParameterizedTest(name = "seed {0}")
  @MethodSource("seeds")
  void readsAndRefusesWhatTheCodecDoes(long seed) {
    var random = new Random(seed);
    int plain = 0;
    for (int i = 0; i < 2_000; i++) {
      var text = payload(random);
      assertSame(text.getBytes(UTF_8), text);
      plain += RouteText.read(Payload.of(text).shared()) != null ? 1 : 0;
    }
    assertThat(plain).as("of 2000 that are plain").isBetween(20, 1_500);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{\"address\":\"http://127.0.0.1:1\",\"host\":\"a.example\",\"service\":null}",
        "{\"host\":\"a.example\",\"service\":\"web\"}",
        "{\"service\":\"web\",\"host\":\"a.example\",\"address\":null}",
      })
  void isNotLeftToTheCodecWhenItIsPlain(String text) {
    assertThat(RouteText.read(Payload.of(text).shared())).isEqualTo(CODEC.decode(entry(text)));
  }

  @Test
  void whatIsWrittenHereIsPlain() {
    for (var route :
        List.of(Route.toService("a.example", "web"), Route.toAddress("b.example", "http://c:1"))) {
      assertThat(RouteText.read(Route.KIND.encode(route).shared())).isEqualTo(route);
    }
  }

  @Test
  void bytesThatAreNoTextAreLeftToTheCodec() {
    byte[] bytes = "{\"host\":\"a.example\",\"service\":\"wXb\"}".getBytes(UTF_8);
    int at = new String(bytes, UTF_8).indexOf('X');
    for (int b = 0; b < 256; b++) {
      bytes[at] = (byte) b;
      assertSame(bytes, "byte " + b);
    }
  }

  @Test
  void aPayloadIsReadOnceForAllWhoAskForTheSameType() {
    var entry = entry("{\"host\":\"a.example\",\"service\":\"web\"}");
    Route.KIND.readAhead(entry);
    assertThat(Route.KIND.decode(entry)).isSameAs(Route.KIND.decode(entry));
    var other = entry("{\"name\":\"web\"}");
    Route.KIND.readAhead(other);
    assertThat(other.payload().known(Route.class)).isNull();
  }

  private static String payload(Random random) {
    var fields = new ArrayList<String>();
    if (random.nextInt(10) > 0) {
      fields.add("\"host\":" + value(random, HOSTS));
    }
    if (random.nextInt(4) > 0) {
      fields.add("\"service\":" + (random.nextBoolean() ? "null" : value(random, TARGETS)));
    }
    if (random.nextInt(4) > 0) {
      fields.add("\"address\":" + (random.nextBoolean() ? "null" : value(random, TARGETS)));
    }
    if (random.nextInt(8) == 0) {
      fields.add(random.nextBoolean() ? "\"colour\":\"red\"" : "\"host\":\"b.example\"");
    }
    Collections.shuffle(fields, random);
    var text = new StringBuilder("{" + String.join(",", fields) + "}");
    for (int i = random.nextInt(6) / 4; i > 0; i--) {
      int at = random.nextInt(text.length() + 1);
      if (random.nextBoolean()) {
        text.insert(at, any(random, BITS));
      } else {
        text.delete(at, Math.min(text.length(), at + 1 + random.nextInt(3)));
      }
    }
    return text.toString();
  }

  private static String value(Random random, String[] texts) {
    return random.nextInt(8) == 0 ? any(random, OTHERS) : '"' + any(random, texts) + '"';
  }

  private static String any(Random random, String[] of) {
    return of[random.nextInt(random.nextBoolean() ? Math.min(3, of.length) : of.length)];
  }

  private static void assertSame(byte[] payload, String what) {
    assertThat(outcome(Route.KIND, payload)).as(what).isEqualTo(outcome(CODEC, payload));
  }

  /** The value, or the sentence with which it is refused. */
  private static Object outcome(Kind<Route> kind, byte[] payload) {
    try {
      return kind.decode(entry(Payload.of(payload)));
    } catch (IllegalArgumentException e) {
      return String.valueOf(e.getMessage());
    }
  }

  private static Entry entry(String payload) {
    return entry(Payload.of(payload));
  }

  private static Entry entry(Payload payload) {
    return new Entry(1, "route/a.example", "route", 1, 1, Instant.EPOCH, "test", false, payload);
  }
}
