package dev.holdfast.edge;

/**
 * What is wrong with a message that came in, as a value. Immutable.
 *
 * @param status what a client that sent it is answered
 * @param cause short and without any byte of the message
 */
record Fault(int status, String cause) {
  static final Fault LINE = new Fault(400, "bad request line");
  static final Fault FIELD = new Fault(400, "bad header");
  static final Fault CHUNK = new Fault(400, "bad chunk");
  static final Fault LENGTH = new Fault(400, "invalid content length");
  static final Fault CODING = new Fault(400, "bad transfer coding");
  static final Fault CODING_UNKNOWN = new Fault(501, "unknown transfer coding");
  static final Fault HOST = new Fault(400, "bad host");
  static final Fault VERSION = new Fault(505, "unsupported version");
  static final Fault METHOD = new Fault(405, "method refused");
  static final Fault EXPECT = new Fault(417, "unsupported expect header value");
  static final Fault LINE_LONG = new Fault(414, "oversized request line");
  static final Fault FIELDS_LARGE = new Fault(431, "oversized header");
  static final Fault STATUS_LINE = new Fault(502, "bad status line");
  static final Fault STATUS_LINE_LONG = new Fault(502, "oversized status line");
  static final Fault COOKIE_LARGE = new Fault(502, "oversized cookie");

  /** Whether a response with this fault is a risk (H25) rather than merely unreadable (H17). */
  boolean restriction() {
    return equals(LENGTH)
        || equals(FIELDS_LARGE)
        || equals(STATUS_LINE_LONG)
        || equals(COOKIE_LARGE);
  }
}
