/** Histories of many clients under faults, checked against what locks promise. */
@NullMarked
package dev.troupe.server.lock.history;

import org.jspecify.annotations.NullMarked;
