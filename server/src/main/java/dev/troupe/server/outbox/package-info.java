/**
 * The outbox: events that a change of any feature publishes in one step with itself. The feature
 * writes them in its own partition; whoever knows topics carries them on.
 */
@NullMarked
package dev.troupe.server.outbox;

import org.jspecify.annotations.NullMarked;
