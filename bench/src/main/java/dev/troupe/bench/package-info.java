/** Measures a server from the outside. */
@NullMarked
package dev.troupe.bench;

import org.jspecify.annotations.NullMarked;
