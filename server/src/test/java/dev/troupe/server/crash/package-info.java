/** What is left after processes were killed in the middle of work. */
@NullMarked
package dev.troupe.server.crash;

import org.jspecify.annotations.NullMarked;
