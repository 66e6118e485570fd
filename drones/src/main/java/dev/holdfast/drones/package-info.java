/** A pool of slots that run processes, each held by at most one app; releases. */
@NullMarked
package dev.holdfast.drones;

import org.jspecify.annotations.NullMarked;
