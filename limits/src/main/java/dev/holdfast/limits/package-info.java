/**
 * Everything has a bound, and time is an argument: clocks, deadlines, backoff, rate cells, bounded
 * queues, adaptive limits, sketches.
 *
 * <p>Starting points: {@link dev.holdfast.limits.Time} (the only door to clock, chance and sleep),
 * {@link dev.holdfast.limits.Gcra} (a rate in eight bytes), {@link
 * dev.holdfast.limits.GradientLimit} (what an app can do at once), {@link
 * dev.holdfast.limits.ShedLevel} (what an overloaded node still takes).
 */
@NullMarked
package dev.holdfast.limits;

import org.jspecify.annotations.NullMarked;
