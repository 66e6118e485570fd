/**
 * The one process that an operator starts: configuration, the object graph, the HTTP API.
 *
 * <p>Starting points: {@link dev.holdfast.server.Main}, then {@link dev.holdfast.server.Platform},
 * in which every long-lived object is made.
 */
@NullMarked
package dev.holdfast.server;

import org.jspecify.annotations.NullMarked;
