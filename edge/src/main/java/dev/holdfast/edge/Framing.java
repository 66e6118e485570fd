package dev.holdfast.edge;

import org.jspecify.annotations.Nullable;

/** How the end of a body is known (RFC 9112 section 6.3). Immutable. */
sealed interface Framing {
  /** Digits of the largest length that is read; below 2^63. */
  int LENGTH_DIGITS_MAX = 18;

  /** There is no body. */
  record None() implements Framing {}

  /** A counted body. */
  record Length(long bytes) implements Framing {}

  /** A body in chunks. */
  record Chunked() implements Framing {}

  /** A body that ends with its connection; responses only. */
  record UntilClose() implements Framing {}

  /** It cannot be known for sure, so the message is refused. */
  record Unclear(Fault fault) implements Framing {}

  /** The framing of a request. Two ways at once are refused: they are how requests are smuggled. */
  static Framing ofRequest(boolean http11, Headers headers) {
    if (headers.count("transfer-encoding") > 0) {
      var fault = chunkedOnly(http11, headers);
      return fault == null ? new Chunked() : new Unclear(fault);
    }
    if (headers.count("content-length") == 0) {
      return new None();
    }
    long length = length(headers);
    return length < 0 ? new Unclear(Fault.LENGTH) : new Length(length);
  }

  /** The framing of a final response to a request of that method. */
  static Framing ofResponse(String method, int status, boolean http11, Headers headers) {
    boolean bodyless = method.equals("HEAD") || status == 204 || status == 304;
    if (headers.count("transfer-encoding") > 0) {
      var fault = bodyless ? null : chunkedOnly(http11, headers);
      return fault != null ? new Unclear(fault) : bodyless ? new None() : new Chunked();
    }
    long length = headers.count("content-length") == 0 ? 0 : length(headers);
    if (length < 0) {
      return new Unclear(Fault.LENGTH);
    }
    if (bodyless) {
      return new None();
    }
    return headers.count("content-length") == 0 ? new UntilClose() : new Length(length);
  }

  private static @Nullable Fault chunkedOnly(boolean http11, Headers headers) {
    if (headers.count("content-length") > 0) {
      return Fault.LENGTH;
    }
    var coding = headers.first("transfer-encoding");
    if (!http11 || coding == null || headers.count("transfer-encoding") != 1) {
      return Fault.CODING;
    }
    if (coding.equalsIgnoreCase("chunked")) {
      return null;
    }
    for (var token : headers.tokens("transfer-encoding")) {
      if (!token.equals("chunked")) {
        return Fault.CODING_UNKNOWN;
      }
    }
    return Fault.CODING;
  }

  /** The one length that all fields of that name agree on, or -1. */
  private static long length(Headers headers) {
    var text = headers.first("content-length");
    for (int i = 0; i < headers.size(); i++) {
      if (headers.name(i).equalsIgnoreCase("content-length") && !headers.value(i).equals(text)) {
        return -1;
      }
    }
    if (text == null || text.isEmpty() || text.length() > LENGTH_DIGITS_MAX) {
      return -1;
    }
    return text.chars().allMatch(Octets::digit) ? Long.parseLong(text) : -1;
  }
}
