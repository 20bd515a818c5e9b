package dev.troupe.server.agent;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;

/** What the parts of the agents' contract share: a namespace for each test, audited after it. */
interface AgentContract {

  AgentHarness agents();

  @BeforeEach
  default void beginInOwnNamespace() {
    agents().newNamespace();
  }

  @AfterEach
  default void auditNamespace() {
    agents().audit();
  }
}
