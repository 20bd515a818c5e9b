/**
 * The command line: {@code troupe serve} and the commands that talk to a running server.
 *
 * <p>Output goes to stdout, everything else to stderr; the exit status says what became of it.
 */
@NullMarked
package dev.troupe.server.cli;

import org.jspecify.annotations.NullMarked;
