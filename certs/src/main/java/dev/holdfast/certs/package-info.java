/**
 * Certificates for every host that leads somewhere, ordered within what the authority allows.
 *
 * <p>Starting points: {@link dev.holdfast.certs.Certificates} (start it, ask it, close it), {@code
 * Order} (the life of one order, which is what the ledger keeps), {@code Drive} (what is done in
 * each state), {@code Steward} (what is due, and on which node), {@code Authority} (the port that
 * the outside stands behind; {@code Acme} is RFC 8555).
 */
@NullMarked
package dev.holdfast.certs;

import org.jspecify.annotations.NullMarked;
