package dev.troupe.server.redis;

import org.redisson.api.RedissonClient;

/** The two clients: one shares few connections among many commands, one gives each wait its own. */
public interface RedisClients {

  /** For commands that are answered at once. */
  RedissonClient commands();

  /** For reads that wait; each holds a connection. */
  RedissonClient blocking();
}
