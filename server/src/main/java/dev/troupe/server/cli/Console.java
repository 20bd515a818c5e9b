package dev.troupe.server.cli;

import java.io.InputStream;
import java.io.PrintWriter;

/**
 * Where commands read and write.
 *
 * @param out what was asked for
 * @param err everything else
 * @param in answers to questions, and data given as {@code -}
 */
public record Console(PrintWriter out, PrintWriter err, InputStream in) {}
