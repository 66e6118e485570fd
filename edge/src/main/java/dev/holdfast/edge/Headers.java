package dev.holdfast.edge;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * The fields of one message in the order and spelling in which they came; one character is one byte
 * (ISO 8859-1), so that what is passed on equals what was received. Confined to its event loop.
 */
final class Headers {
  private final List<String> pairs = new ArrayList<>(32);

  void add(String name, String value) {
    pairs.add(name);
    pairs.add(value);
  }

  int size() {
    return pairs.size() / 2;
  }

  String name(int i) {
    return pairs.get(2 * i);
  }

  String value(int i) {
    return pairs.get(2 * i + 1);
  }

  /** The first value of that name, or null. */
  @Nullable String first(String name) {
    for (int i = 0; i < pairs.size(); i += 2) {
      if (pairs.get(i).equalsIgnoreCase(name)) {
        return pairs.get(i + 1);
      }
    }
    return null;
  }

  int count(String name) {
    int count = 0;
    for (int i = 0; i < pairs.size(); i += 2) {
      if (pairs.get(i).equalsIgnoreCase(name)) {
        count++;
      }
    }
    return count;
  }

  /** All values of that name as one list (RFC 9110 section 5.3), or null when there is none. */
  @Nullable String joined(String name) {
    String joined = null;
    for (int i = 0; i < pairs.size(); i += 2) {
      if (pairs.get(i).equalsIgnoreCase(name)) {
        joined = joined == null ? pairs.get(i + 1) : joined + ", " + pairs.get(i + 1);
      }
    }
    return joined;
  }

  /** The members of the list that all values of that name make, lower case, none of them empty. */
  List<String> tokens(String name) {
    var joined = joined(name);
    if (joined == null) {
      return List.of();
    }
    var tokens = new ArrayList<String>(4);
    for (var token : joined.split(",", -1)) {
      var trimmed = token.strip().toLowerCase(Locale.ROOT);
      if (!trimmed.isEmpty()) {
        tokens.add(trimmed);
      }
    }
    return tokens;
  }
}
