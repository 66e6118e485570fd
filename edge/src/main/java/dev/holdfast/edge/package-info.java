/** Traffic in: listeners, routing, proxying. */
@NullMarked
package dev.holdfast.edge;

import org.jspecify.annotations.NullMarked;
