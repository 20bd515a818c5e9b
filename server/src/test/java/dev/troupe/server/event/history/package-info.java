/** Random runs of publishers, subscriptions and groups, and the check of what they saw. */
@org.jspecify.annotations.NullMarked
package dev.troupe.server.event.history;
