/** The search index of a space against what looking at every item gives. */
@NullMarked
package dev.troupe.server.memory.search;

import org.jspecify.annotations.NullMarked;
