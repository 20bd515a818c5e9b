@NullMarked
package dev.troupe.server.cli;

import org.jspecify.annotations.NullMarked;
