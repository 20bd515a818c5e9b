package dev.troupe.server.agent;

import dev.troupe.server.redis.Partition;

/**
 * Says which server does what one server is enough for. It may err: what is done under it does no
 * harm when several do it, or when nobody does for a while.
 */
interface Election {

  /** Whether this server is the one for the partition. */
  boolean leads(Partition partition);
}
