/** The client against a real server in a process of its own, which is killed where that matters. */
@NullMarked
package dev.troupe.client;

import org.jspecify.annotations.NullMarked;
