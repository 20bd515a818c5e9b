package dev.troupe.server.memory;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;

/** What the parts of the memory's contract share: a namespace for each test, audited after it. */
interface MemoryContract {

  MemoryHarness memory();

  @BeforeEach
  default void beginInOwnNamespace() {
    memory().newNamespace();
  }

  @AfterEach
  default void auditNamespace() {
    memory().audit();
  }
}
