/**
 * Traffic in: listeners, routing, proxying.
 *
 * <p>Starting points: {@link dev.holdfast.edge.Edge} (start it, ask it, close it), {@code
 * ClientConnection} (one client, one request after the other), {@code Exchange} (the life of one
 * request and every way in which it can end), {@code RequestPump} and {@code ResponsePump} (what
 * passes). Everything after {@code accept} is confined to one event loop.
 */
@NullMarked
package dev.holdfast.edge;

import org.jspecify.annotations.NullMarked;
