/**
 * The holdfast command, one file per verb; it knows the platform only through its HTTP API.
 *
 * <p>Starting points: {@link dev.holdfast.cli.Main} (the table of verbs), {@code Api} (how the
 * platform is asked), {@code Deploy} (the longest verb).
 */
@NullMarked
package dev.holdfast.cli;

import org.jspecify.annotations.NullMarked;
