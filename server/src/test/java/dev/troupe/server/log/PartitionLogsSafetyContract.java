package dev.troupe.server.log;

import static dev.troupe.server.log.LogHarness.get;
import static org.assertj.core.api.Assertions.assertThat;

import dev.troupe.server.log.PartitionLogs.LogHead;
import dev.troupe.server.redis.Partition;
import dev.troupe.server.redis.TestRedis;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

/** Whatever happens, what a reader got and what was reported missing cover the log exactly. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@SuppressWarnings("NullAway.Init")
abstract class PartitionLogsSafetyContract {

  private LogHarness harness;

  /** The Redis to test on; closed after the last test. */
  abstract TestRedis redis() throws Exception;

  /** How many random runs. */
  abstract int runs();

  /** Takes Redis away for a moment, if it can be. */
  abstract void disturb() throws Exception;

  @BeforeAll
  void startRedis() throws Exception {
    harness = new LogHarness(redis());
  }

  @AfterAll
  void stopRedis() throws Exception {
    harness.close();
  }

  @Test
  void readersCoverTheLogExactlyWhateverIsTrimmedAndHoweverTheyBegin() throws Exception {
    long missed = 0;
    long received = 0;
    for (int seed = 0; seed < runs(); seed++) {
      for (Audit audit : run(seed, seed % 20 == 19)) {
        missed += audit.missed();
        received += audit.received();
      }
    }
    // The runs would prove nothing if they never got into trouble.
    assertThat(received).isPositive();
    assertThat(missed).isPositive();
  }

  private List<Audit> run(int seed, boolean restart) throws Exception {
    Random random = new Random(seed);
    Partition partition = new Partition("safety" + seed, 0, 1);
    RedisPartitionLogs logs = harness.logs();
    List<Audit> audits = new ArrayList<>();
    int rounds = 20 + random.nextInt(40);
    for (int round = 0; round < rounds; round++) {
      int entries = random.nextInt(60);
      if (entries > 0) {
        harness.append(partition, random.ints(entries, 0, 300).toArray());
      }
      if (random.nextInt(3) == 0) {
        audits.add(begin(logs, partition, random));
      }
      if (random.nextInt(8) == 0) {
        harness.trim(partition, random.nextInt(200));
      }
      if (restart && round == rounds / 2) {
        disturb();
        Awaitility.await().ignoreExceptions().until(() -> get(logs.head(partition)) != null);
      }
    }
    finish(logs, partition, audits, "run " + seed);
    logs.close();
    return audits;
  }

  @Test
  void theSwitchFromHistoryToLiveLosesNothingUnderConstantWrites() throws Exception {
    Partition partition = new Partition("switch", 0, 1);
    RedisPartitionLogs logs = harness.logs();
    harness.append(partition, new int[5_000]);
    AtomicBoolean writing = new AtomicBoolean(true);
    Thread writer =
        new Thread(
            () -> {
              while (writing.get()) {
                try {
                  harness.append(partition, new int[3]);
                } catch (Exception e) {
                  throw new AssertionError(e);
                }
              }
            });
    writer.start();
    List<Audit> audits = new ArrayList<>();
    Random random = new Random(1);
    try {
      for (int i = 0; i < 300; i++) {
        audits.add(begin(logs, partition, random));
      }
    } finally {
      writing.set(false);
      writer.join();
    }
    finish(logs, partition, audits, "switch");
    assertThat(audits).allSatisfy(audit -> assertThat(audit.missed()).isZero());
    logs.close();
  }

  private Audit begin(RedisPartitionLogs logs, Partition partition, Random random)
      throws Exception {
    LogHead from =
        random.nextBoolean() ? get(logs.head(partition)) : get(logs.before(partition, 0));
    return new Audit(
        logs.open(partition, from.position(), from.epoch()),
        from.position().sequence() + 1,
        harness.executor,
        random.nextLong());
  }

  private void finish(RedisPartitionLogs logs, Partition partition, List<Audit> audits, String run)
      throws Exception {
    long last = get(logs.head(partition)).position().sequence();
    audits.forEach(audit -> audit.readUntil(last));
    // Wakes those who had read everything before they were told how far to go.
    harness.append(partition, 0);
    for (Audit audit : audits) {
      try {
        audit.readUntil(last).get(60, TimeUnit.SECONDS);
      } catch (TimeoutException e) {
        throw new AssertionError(run + ": a reader " + audit, e);
      }
    }
  }
}
