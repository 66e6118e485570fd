/**
 * Everything has a bound, and time is an argument: clocks, deadlines, backoff, rate cells, bounded
 * queues.
 *
 * <p>Starting points: {@link dev.holdfast.limits.Time} (the only door to clock, chance and sleep),
 * {@link dev.holdfast.limits.Gcra} (a rate in eight bytes).
 */
@NullMarked
package dev.holdfast.limits;

import org.jspecify.annotations.NullMarked;
