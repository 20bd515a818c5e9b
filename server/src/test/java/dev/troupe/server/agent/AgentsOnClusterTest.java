package dev.troupe.server.agent;

import dev.troupe.server.redis.TestRedis;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;

/** The agents' contract on a Redis Cluster of six processes, with 16 partitions. */
@SuppressWarnings("NullAway.Init")
final class AgentsOnClusterTest
    implements AgentSessionContract,
        AgentLivenessContract,
        AgentUpdateContract,
        AgentMetricsContract,
        AgentListingContract,
        AgentEndingsContract,
        AgentPortsContract,
        AgentCommandsContract,
        AgentFiguresContract,
        AgentWatchContract,
        AgentSnapshotContract,
        AgentChecksContract {

  private static AgentHarness agents;

  @BeforeAll
  static void start() throws Exception {
    agents = new AgentHarness(TestRedis.cluster(), 16);
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
