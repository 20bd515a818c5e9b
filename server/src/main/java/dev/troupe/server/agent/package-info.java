/** The registry of agents: sessions, heartbeats, indexes, and the news of who came and went. */
@NullMarked
package dev.troupe.server.agent;

import org.jspecify.annotations.NullMarked;
