package dev.troupe.server.log;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.common.base.Ticker;
import dev.troupe.server.log.LogReader.Page;
import dev.troupe.server.redis.Partition;
import dev.troupe.server.redis.Script;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

final class PartitionLogsTest {

  private static final Script EMIT = Script.load("test/emit");
  private static ScratchRedis redis;
  private static ScheduledExecutorService executor;

  @BeforeAll
  static void start() throws Exception {
    redis = new ScratchRedis();
    executor = Executors.newScheduledThreadPool(3);
  }

  @AfterAll
  static void stop() throws Exception {
    redis.close();
    executor.shutdownNow();
  }

  private static <T> T get(CompletionStage<T> stage) throws Exception {
    return stage.toCompletableFuture().get(20, TimeUnit.SECONDS);
  }

  /** Reads on and checks at every step that what it gets continues what it had. */
  private static final class Check {
    final LogReader reader;
    final Random random;
    final AtomicLong next;
    final AtomicLong missed = new AtomicLong();
    final CompletableFuture<Void> done = new CompletableFuture<>();
    final AtomicLong until = new AtomicLong(Long.MAX_VALUE);
    final boolean slow;

    Check(LogReader reader, long seed, long from) {
      this.reader = reader;
      this.random = new Random(seed);
      this.next = new AtomicLong(from);
      this.slow = random.nextInt(3) == 0;
      step();
    }

    void step() {
      reader
          .next(1 + random.nextInt(200))
          .whenComplete(
              (page, failure) -> {
                try {
                  if (failure != null) {
                    throw failure;
                  }
                  take(page);
                } catch (Throwable wrong) {
                  done.completeExceptionally(wrong);
                  return;
                }
                if (next.get() > until.get()) {
                  done.complete(null);
                } else if (done.isDone()) {
                  return;
                } else if (slow) {
                  executor.schedule(this::step, random.nextInt(20), TimeUnit.MILLISECONDS);
                } else {
                  executor.execute(this::step);
                }
              });
    }

    void take(Page page) {
      assertThat(page.epochChanged()).isFalse();
      if (page.missed() > 0) {
        missed.addAndGet(page.missed());
        next.addAndGet(page.missed());
        assertThat(page.entries()).isEmpty();
      }
      for (LogEntry entry : page.entries()) {
        assertThat(entry.position().sequence()).isEqualTo(next.get());
        assertThat(entry.data().toString(StandardCharsets.UTF_8)).startsWith("e");
        next.incrementAndGet();
      }
      assertThat(reader.position().sequence()).isIn(next.get() - 1, -1L);
    }
  }

  @Test
  void randomRuns() throws Exception {
    for (int run = 0; run < 200; run++) {
      run(run);
    }
  }

  private void run(int seed) throws Exception {
    Random random = new Random(seed);
    Partition partition = new Partition("r" + seed, 0);
    RedisPartitionLogs logs =
        new RedisPartitionLogs(
            redis.client,
            redis.blocking,
            redis,
            new LogConfig(
                1000, Duration.ofHours(1), new dev.troupe.server.config.DataSize(1 << 16)),
            executor,
            Ticker.systemTicker());
    boolean restart = seed % 10 == 9;
    List<Check> checks = new ArrayList<>();
    int rounds = 20 + random.nextInt(40);
    int restartAt = rounds / 2;
    for (int round = 0; round < rounds; round++) {
      int n = random.nextInt(60);
      if (n > 0) {
        Object[] args = new Object[3 + n];
        args[0] = "t";
        args[1] = "y";
        args[2] = "u";
        for (int i = 0; i < n; i++) {
          args[3 + i] = "e" + "x".repeat(random.nextInt(300));
        }
        get(redis.run(EMIT, partition, args));
      }
      if (random.nextInt(3) == 0) {
        PartitionLogs.LogHead head =
            random.nextBoolean() ? get(logs.head(partition)) : get(logs.before(partition, 0));
        LogPosition position = head.position();
        checks.add(
            new Check(
                logs.open(partition, position, head.epoch()),
                random.nextLong(),
                position.sequence() + 1));
      }
      if (random.nextInt(8) == 0) {
        redis
            .client
            .getStream(new String(partition.logKey()))
            .trim(org.redisson.api.stream.StreamTrimArgs.maxLen(random.nextInt(200)).noLimit());
      }
      if (random.nextInt(4) == 0) {
        TimeUnit.MILLISECONDS.sleep(random.nextInt(15));
      }
      if (restart && round == restartAt) {
        redis.kill();
        redis.start();
        for (int i = 0; ; i++) {
          try {
            get(logs.head(partition));
            break;
          } catch (Exception e) {
            TimeUnit.MILLISECONDS.sleep(50);
            if (i > 100) throw e;
          }
        }
      }
    }
    long last = get(logs.head(partition)).position().sequence();
    for (Check check : checks) {
      check.until.set(last);
    }
    // wakes those who are at the end already
    get(redis.run(EMIT, partition, "t", "y", "u", "e", "e"));
    int i = 0;
    long missed = 0;
    for (Check check : checks) {
      try {
        check.done.get(15, TimeUnit.SECONDS);
      } catch (java.util.concurrent.TimeoutException e) {
        throw new AssertionError(
            "run " + seed + " reader " + i + " at " + check.next + " of " + last, e);
      }
      missed += check.missed.get();
      i++;
      check.reader.close();
    }
    System.out.println(
        "run " + seed + " readers " + checks.size() + " last " + last + " missed " + missed);
  }
}
