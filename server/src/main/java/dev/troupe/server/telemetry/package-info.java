/** Metrics and traces of calls and of the process; off, and without cost, unless configured. */
@NullMarked
package dev.troupe.server.telemetry;

import org.jspecify.annotations.NullMarked;
