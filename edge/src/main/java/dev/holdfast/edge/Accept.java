package dev.holdfast.edge;

import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * Which form a client wants an answer in (RFC 9110 section 12.5.1): the one of highest weight, then
 * the one that is named most exactly, then the one that is named first. Stateless.
 */
final class Accept {
  /** The forms that the edge speaks. */
  enum Form {
    HTML("text/html; charset=utf-8"),
    JSON("application/problem+json"),
    TEXT("text/plain; charset=utf-8");

    private final String contentType;

    Form(String contentType) {
      this.contentType = contentType;
    }

    String contentType() {
      return contentType;
    }
  }

  /** Ranges beyond are not looked at. */
  private static final int RANGES_MAX = 32;

  private static final int WEIGHT_MAX = 1000;

  private Accept() {}

  /** How well a form is wanted: -1 where nothing speaks of it. */
  private static final class Wish {
    int weight = -1;
    int exactness;
    int place = RANGES_MAX;

    void take(int newWeight, int newExactness, int newPlace) {
      if (newExactness > exactness || (newExactness == exactness && newWeight > weight)) {
        weight = newWeight;
        exactness = newExactness;
        place = newPlace;
      }
    }

    boolean beats(Wish other) {
      if (weight != other.weight) {
        return weight > other.weight;
      }
      return exactness != other.exactness ? exactness > other.exactness : place < other.place;
    }
  }

  private record Wishes(Wish html, Wish json, Wish text) {
    Wish of(Form form) {
      return switch (form) {
        case HTML -> html;
        case JSON -> json;
        case TEXT -> text;
      };
    }
  }

  /**
   * The form.
   *
   * @param accept the field, or null when there is none
   * @param page whether there is a page that was written for people, which they get in doubt;
   *     otherwise who does not say what it wants, such as curl, gets text
   */
  static Form pick(@Nullable String accept, boolean page) {
    var doubt = page ? Form.HTML : Form.TEXT;
    if (accept == null || accept.isBlank()) {
      return doubt;
    }
    var wishes = new Wishes(new Wish(), new Wish(), new Wish());
    var ranges = accept.toLowerCase(Locale.ROOT).split(",", RANGES_MAX);
    for (int place = 0; place < ranges.length; place++) {
      read(ranges[place], place, wishes);
    }
    var best = doubt;
    for (var form : Form.values()) {
      if (wishes.of(form).beats(wishes.of(best))) {
        best = form;
      }
    }
    return wishes.of(best).weight > 0 ? best : Form.TEXT;
  }

  private static void read(String range, int place, Wishes wishes) {
    var parts = range.split(";", -1);
    var type = parts[0].strip();
    int weight = weight(parts);
    switch (type) {
      case "*/*" -> {
        wishes.html().take(weight, 1, RANGES_MAX);
        wishes.json().take(weight, 1, RANGES_MAX);
        wishes.text().take(weight, 1, RANGES_MAX);
      }
      case "text/*" -> {
        wishes.html().take(weight, 2, RANGES_MAX);
        wishes.text().take(weight, 2, RANGES_MAX);
      }
      case "application/*" -> wishes.json().take(weight, 2, RANGES_MAX);
      case "text/html", "application/xhtml+xml" -> wishes.html().take(weight, 3, place);
      case "text/plain" -> wishes.text().take(weight, 3, place);
      default -> {
        if (type.equals("application/json") || type.endsWith("+json")) {
          wishes.json().take(weight, 3, place);
        }
      }
    }
  }

  /** The weight in thousandths; one that cannot be read is as none. */
  private static int weight(String[] parts) {
    for (int i = 1; i < parts.length; i++) {
      var parameter = parts[i].strip();
      if (parameter.startsWith("q=")) {
        try {
          double q = Double.parseDouble(parameter.substring(2));
          return q >= 0 && q <= 1 ? (int) (WEIGHT_MAX * q) : WEIGHT_MAX;
        } catch (NumberFormatException e) {
          return WEIGHT_MAX; // what a client meant by it, nobody knows
        }
      }
    }
    return WEIGHT_MAX;
  }
}
