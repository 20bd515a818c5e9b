package dev.troupe.server.event;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;

/** What the contracts of groups have in common; after each test the whole keyspace is checked. */
interface GroupContract {

  GroupHarness groups();

  @BeforeEach
  default void newNamespace() {
    groups().newNamespace();
  }

  @AfterEach
  default void audit() {
    groups().audit();
  }
}
