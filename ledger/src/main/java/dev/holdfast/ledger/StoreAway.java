package dev.holdfast.ledger;

/**
 * The store cannot be reached for the moment, or was busy with others for too long. Nothing of what
 * was asked is kept, and the same may be asked again. Immutable.
 */
public final class StoreAway extends StoreException {
  private static final long serialVersionUID = 1L;

  /** With one sentence for the operator. */
  public StoreAway(String message) {
    super(message);
  }

  /** With one sentence for the operator and what lies behind it. */
  public StoreAway(String message, Throwable cause) {
    super(message, cause);
  }
}
