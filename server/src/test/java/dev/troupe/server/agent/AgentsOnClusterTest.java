package dev.troupe.server.agent;

import dev.troupe.server.crash.RedisCluster;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;

/** The agents' contract on a Redis Cluster of six processes, with 16 partitions. */
@SuppressWarnings("NullAway.Init")
final class AgentsOnClusterTest
    implements AgentSessionContract,
        AgentLivenessContract,
        AgentUpdateContract,
        AgentListingContract,
        AgentWatchContract,
        AgentChecksContract {

  private static AgentHarness agents;

  @BeforeAll
  static void start() throws Exception {
    RedisCluster cluster = new RedisCluster();
    agents = new AgentHarness(cluster, cluster.url(), cluster.masters(), 16);
  }

  @AfterAll
  static void stop() throws Exception {
    agents.close();
  }

  @Override
  public AgentHarness agents() {
    return agents;
  }
}
