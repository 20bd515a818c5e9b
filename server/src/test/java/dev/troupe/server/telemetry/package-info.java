@NullMarked
package dev.troupe.server.telemetry;

import org.jspecify.annotations.NullMarked;
