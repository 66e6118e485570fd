package dev.holdfast.ledger;

/**
 * The store was lost while it committed and could not be asked afterwards: whether the batch is
 * kept is not known. Nothing of it was acknowledged. Immutable.
 */
public final class StoreInDoubt extends StoreException {
  private static final long serialVersionUID = 1L;

  /** With one sentence for the operator and what lies behind it. */
  public StoreInDoubt(String message, Throwable cause) {
    super(message, cause);
  }
}
