package dev.holdfast.ledger;

/** The store could not do it now: disk full, broken I/O, closed. Nothing of it is kept. */
public sealed class StoreException extends Exception permits HistoryGone, StoreAway, StoreInDoubt {
  private static final long serialVersionUID = 1L;

  /** With one sentence for the operator. */
  public StoreException(String message) {
    super(message);
  }

  /** With one sentence for the operator and what lies behind it. */
  public StoreException(String message, Throwable cause) {
    super(message, cause);
  }
}
