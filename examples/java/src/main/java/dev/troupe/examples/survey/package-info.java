/**
 * The survey: agents in three languages count what a directory holds, one task a file, and the sum
 * is checked against a plain count.
 */
@NullMarked
package dev.troupe.examples.survey;

import org.jspecify.annotations.NullMarked;
