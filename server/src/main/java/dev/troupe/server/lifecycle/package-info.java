/** Start and stop in order, and work that is done again and again. */
@NullMarked
package dev.troupe.server.lifecycle;

import org.jspecify.annotations.NullMarked;
