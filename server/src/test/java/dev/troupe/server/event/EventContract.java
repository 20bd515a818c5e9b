package dev.troupe.server.event;

import dev.troupe.server.redis.TestRedis;
import java.util.UUID;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.TestInstance;

/** Tests on whatever Redis: one for all tests of a class, and a namespace for each test. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@SuppressWarnings("NullAway.Init")
abstract class EventContract {

  TestRedis redis;
  String namespace;

  /** The Redis to test on; closed after the last test. */
  abstract TestRedis redis() throws Exception;

  @BeforeAll
  void startRedis() throws Exception {
    redis = redis();
  }

  @AfterAll
  void stopRedis() throws Exception {
    redis.close();
  }

  @BeforeEach
  void takeNamespace() {
    namespace = "t" + UUID.randomUUID();
  }
}
