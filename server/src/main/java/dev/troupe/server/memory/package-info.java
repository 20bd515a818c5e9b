/** What agents remember: spaces of items that are searched, and conversations. */
@NullMarked
package dev.troupe.server.memory;

import org.jspecify.annotations.NullMarked;
