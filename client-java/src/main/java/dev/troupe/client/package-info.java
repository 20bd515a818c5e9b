/**
 * The Java client of Troupe: tasks, agents and events, asynchronous first, blocking where it suits.
 *
 * <p>{@link dev.troupe.client.TroupeClient} is the way in. Every call carries a deadline and, where
 * the contract has one, a request id, so that it is safe to repeat; calls that find no server, or
 * whose connection breaks, are repeated by the policy in {@code service_config.json}. Streams (a
 * worker's, an agent's heartbeats, a subscription) reconnect by themselves and go on where they
 * were.
 */
@NullMarked
package dev.troupe.client;

import org.jspecify.annotations.NullMarked;
