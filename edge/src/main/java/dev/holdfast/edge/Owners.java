package dev.holdfast.edge;

/**
 * Who knows which processes belong to an endpoint of this machine. A port is only a number: the
 * process that was proven to hold it may be gone, and a stranger there. Implementations are
 * thread-safe and may block.
 */
@FunctionalInterface
public interface Owners {
  /** Knows of no process, so that every listener is believed. */
  Owners NONE = (_, _, _) -> Holder.UNKNOWN;

  /** Whose process it is that listens. */
  enum Holder {
    /** A process of the endpoint. */
    ENDPOINT,
    /** Another one, or nobody. */
    STRANGER,
    /** Nobody here knows the endpoint's processes. */
    UNKNOWN
  }

  /** Whose process would take a connection to that port of the loopback address now. */
  Holder holder(String service, String id, int port);
}
