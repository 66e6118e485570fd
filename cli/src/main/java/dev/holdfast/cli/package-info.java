/** One file per verb of the holdfast command. */
@NullMarked
package dev.holdfast.cli;

import org.jspecify.annotations.NullMarked;
