package dev.holdfast.edge;

/**
 * Heroku's codes for what the edge itself answers or notices. Of its table, H16 and H23 are no
 * longer emitted by anybody, and H32, H82 and H83 have no counterpart here.
 */
enum Code {
  H10("App crashed", 503, 30),
  H11("Backlog too deep", 503, 5),
  H12("Request timeout", 503, 0),
  H13("Connection closed without response", 503, 0),
  H14("No web processes running", 503, 0),
  H15("Idle connection", 503, 0),
  /** 502 and not Heroku's 503: it is the app's answer that is bad (RFC 9110 section 15.6.3). */
  H17("Poorly formatted HTTP response", 502, 0),
  H18("Server Request Interrupted", 503, 0),
  H19("Backend connection timeout", 503, 5),
  H20("App boot timeout", 503, 10),
  H21("Backend connection refused", 503, 5),
  H22("Connection limit reached", 503, 5),
  H24("Forced close", 503, 1),
  H25("HTTP restriction", 502, 0),
  H26("Request Error", 400, 0),
  H27("Client Request Interrupted", 499, 0),
  H28("Client Connection Idle", 499, 0),
  /** Its line names the client's agent, since the client is what is to be repaired. */
  H31("Misdirected Request", 421, 0),
  H80("Maintenance mode", 503, 60),
  H81("Blank app", 503, 0),
  H99("Platform error", 503, 5);

  /** How bad it is, in the words of {@code heroku apps:errors}. */
  enum Severity {
    CRITICAL,
    WARNING,
    INFO
  }

  private final String description;
  private final int status;
  private final int retryAfterSeconds;

  Code(String description, int status, int retryAfterSeconds) {
    this.description = description;
    this.status = status;
    this.retryAfterSeconds = retryAfterSeconds;
  }

  String description() {
    return description;
  }

  /** What is logged and, unless a fault says otherwise, answered. */
  int status() {
    return status;
  }

  /** After how many seconds another try makes sense, or 0 when nobody can say. */
  int retryAfterSeconds() {
    return retryAfterSeconds;
  }

  String level() {
    return switch (this) {
      case H27, H28 -> "warning";
      case H80, H81 -> "info";
      case H10, H11, H12, H13, H14, H15, H17, H18, H19, H20, H21, H22, H24, H25, H26, H31, H99 ->
          "error";
    };
  }

  Severity severity() {
    return switch (this) {
      case H15, H28, H80 -> Severity.WARNING;
      case H27, H81 -> Severity.INFO;
      case H10, H11, H12, H13, H14, H17, H18, H19, H20, H21, H22, H24, H25, H26, H31, H99 ->
          Severity.CRITICAL;
    };
  }

  /** Whether it says more about the endpoint than about its app. */
  boolean blamesEndpoint() {
    return this == H13 || this == H17 || this == H18;
  }

  /** Which of the two connections broke, or nothing. */
  String socket() {
    return switch (this) {
      case H18 -> "sock=backend ";
      case H27, H28 -> "sock=client ";
      case H10,
          H11,
          H12,
          H13,
          H14,
          H15,
          H17,
          H19,
          H20,
          H21,
          H22,
          H24,
          H25,
          H26,
          H31,
          H80,
          H81,
          H99 ->
          "";
    };
  }
}
