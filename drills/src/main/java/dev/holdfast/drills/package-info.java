/**
 * Scripted harm with a list of promises and an oracle that is not the system itself. A drill starts
 * the platform as a user does, as a process of its own, and speaks to it over HTTP only.
 */
@NullMarked
package dev.holdfast.drills;

import org.jspecify.annotations.NullMarked;
