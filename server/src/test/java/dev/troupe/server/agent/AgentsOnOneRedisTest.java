package dev.troupe.server.agent;

import dev.troupe.server.redis.TestRedis;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;

/** The agents' contract on one Redis, with one partition. */
@SuppressWarnings("NullAway.Init")
final class AgentsOnOneRedisTest
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
    agents = new AgentHarness(TestRedis.single(), 1);
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
