package dev.troupe.server.lock;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;

/** What the parts of the locks' contract share: a namespace for each test, audited after it. */
interface LockContract {

  LockHarness locks();

  @BeforeEach
  default void beginInOwnNamespace() {
    locks().newNamespace();
  }

  @AfterEach
  default void auditNamespace() {
    locks().audit();
  }
}
