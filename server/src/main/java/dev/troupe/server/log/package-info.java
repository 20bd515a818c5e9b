/** The partition log: what happened, in order, read once per server and handed to every watcher. */
@NullMarked
package dev.troupe.server.log;

import org.jspecify.annotations.NullMarked;
