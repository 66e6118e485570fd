/** Configuration, wiring, HTTP API: the one process an operator starts. */
@NullMarked
package dev.holdfast.server;

import org.jspecify.annotations.NullMarked;
