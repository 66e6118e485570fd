/** Ledger rows on an embedded SQLite file. */
@NullMarked
package dev.holdfast.store;

import org.jspecify.annotations.NullMarked;
