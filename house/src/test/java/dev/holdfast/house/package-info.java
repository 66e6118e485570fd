/** The house rules as ordinary tests: what the code may look like and who may use whom. */
@NullMarked
package dev.holdfast.house;

import org.jspecify.annotations.NullMarked;
