/**
 * Filters in the CloudEvents SQL expression language (CESQL), version 1.0: from text to something
 * that is asked once per event. Knows nothing of subscriptions, envelopes or Redis.
 */
@NullMarked
package dev.troupe.server.event.cesql;

import org.jspecify.annotations.NullMarked;
