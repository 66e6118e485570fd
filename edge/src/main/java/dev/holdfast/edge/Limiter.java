package dev.holdfast.edge;

/** What may refuse a visitor; each has a mode of its own and counts what it refused. */
public enum Limiter {
  /** Too many descriptors are open: nothing is accepted. */
  DESCRIPTORS,
  /** Memory runs out: no new requests. */
  MEMORY,
  /** Too many connect at once: handshakes wait for their slot. */
  CONNECT,
  /** The request's deadline passed before it was begun. */
  DEADLINE,
  /** The account was found to overload the node and is slowed for a while. */
  THROTTLE,
  /** The account's rate. */
  ACCOUNT_RATE,
  /** The client's rate. */
  CLIENT_RATE,
  /** The account's share of all that is under way. */
  ACCOUNT_SHARE,
  /** The client's share of what is under way at one app. */
  CLIENT_SHARE,
  /** The node is overloaded: the least important and the heaviest go first. */
  NODE,
  /** The app works on as much as it can. */
  APP;

  /** Whether a limiter looks, and whether it acts on what it sees. */
  public enum Mode {
    /** It does not look. */
    OFF,
    /** It counts what it would refuse. */
    OBSERVE,
    /** It refuses. */
    ENFORCE
  }
}
