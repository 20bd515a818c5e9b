/**
 * Settings: declared on records, read from file, environment and flags, checked before anything
 * starts.
 */
@NullMarked
package dev.troupe.server.config;

import org.jspecify.annotations.NullMarked;
