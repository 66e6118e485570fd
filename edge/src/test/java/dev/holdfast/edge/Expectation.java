package dev.holdfast.edge;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One way in which a case may end, as its table says it: words with a blank between them.
 *
 * <ul>
 *   <li>{@code b=} body, {@code has=Name:value} a field, {@code not=name} no such field, {@code
 *       one=name} exactly one, {@code tr=Name:value} a trailer;
 *   <li>of a request: {@code m=} method, {@code t=} target, {@code h=} host as the app gets them,
 *       {@code fwd} X-Forwarded-For has grown, {@code more=} the next target that the app gets,
 *       {@code then=} the status of the answer after that;
 *   <li>{@code close} the connection ends after the answer.
 * </ul>
 */
record Expectation(List<String> words) {

  /** The ways in which the case may end: {@code one or another}. */
  static List<Expectation> of(CaseTable.Row row) {
    var verdicts = new ArrayList<Expectation>();
    for (var way : row.verdict().split(" or ", -1)) {
      verdicts.add(new Expectation(List.of(way.strip().split(" ", -1))));
    }
    return verdicts;
  }

  boolean has(String word) {
    return words.contains(word);
  }

  List<String> all(String key) {
    return words.stream()
        .filter(word -> word.startsWith(key + "="))
        .map(word -> CaseTable.decode(word.substring(key.length() + 1)))
        .toList();
  }

  @Nullable String get(String key) {
    var all = all(key);
    return all.isEmpty() ? null : all.getFirst();
  }

  String get(String key, String otherwise) {
    var value = get(key);
    return value == null ? otherwise : value;
  }

  /** The statuses of {@code 400/431}, perhaps with that prefix. */
  List<Integer> statuses(String prefix) {
    for (var word : words) {
      if (word.matches(prefix + "[1-5][0-9][0-9](/[1-5][0-9][0-9])*")) {
        return List.of(word.substring(prefix.length()).split("/", -1)).stream()
            .map(Integer::valueOf)
            .toList();
      }
    }
    return List.of();
  }

  /** What the words say about fields, trailers and body. */
  void checkMessage(StrictReader.Seen seen) {
    for (var field : all("has")) {
      assertThat(seen.fields()).as("fields").contains(spaced(field));
    }
    for (var name : all("not")) {
      assertThat(seen.values(name)).as(name).isEmpty();
      assertThat(seen.trailers().toString().toLowerCase(java.util.Locale.ROOT))
          .doesNotContain(name + ":");
    }
    for (var name : all("one")) {
      assertThat(seen.values(name)).as(name).hasSize(1);
    }
    assertThat(seen.trailers())
        .as("trailers")
        .containsAll(all("tr").stream().map(Expectation::spaced).toList());
    assertThat(seen.body()).as("body").isEqualTo(get("b", ""));
  }

  private static String spaced(String field) {
    int colon = field.indexOf(':');
    var value = field.substring(colon + 1);
    return field.substring(0, colon) + ":" + (value.isEmpty() ? "" : " " + value);
  }

  /** Passes when one of the ways fits. */
  static void check(List<Expectation> ways, java.util.function.Consumer<Expectation> check) {
    AssertionError first = null;
    for (var way : ways) {
      try {
        check.accept(way);
        return;
      } catch (AssertionError e) {
        if (first == null) {
          first = e;
        } else {
          first.addSuppressed(e);
        }
      }
    }
    if (first != null) {
      throw first;
    }
  }
}
