/**
 * The ordered truth: one gap-free sequence of entries, the followers that fold it into views, and
 * the leases that say who may act.
 *
 * <p>Starting points: {@link dev.holdfast.ledger.Ledger} (append and read), {@link
 * dev.holdfast.ledger.Follower} (fold), {@link dev.holdfast.ledger.Store} (the port below), and the
 * routing vocabulary {@link dev.holdfast.ledger.Route}, {@link dev.holdfast.ledger.Service}, {@link
 * dev.holdfast.ledger.Endpoint}.
 */
@NullMarked
package dev.holdfast.ledger;

import org.jspecify.annotations.NullMarked;
