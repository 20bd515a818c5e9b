package dev.troupe.server.redis;

/** Gives other packages the replicas of a Redis to test on. */
public final class TestReplicas {

  private TestReplicas() {}

  public static Replicas of(RedisClients clients) {
    return new RedissonReplicas(clients);
  }
}
