package dev.troupe.server.lock;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import com.google.protobuf.util.Durations;
import dev.troupe.server.error.TroupeException;
import dev.troupe.server.redis.Namespaces;
import dev.troupe.server.redis.Partition;
import dev.troupe.server.redis.Script;
import dev.troupe.server.redis.TestRedis;
import dev.troupe.v1.AcquireRequest;
import java.io.IOException;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;

final class DeadlocksTest {

  private static final Partition PARTITION = new Partition("n", 0, 1);

  /** Of one partition. */
  private static final class OnePartition implements Namespaces {
    @Override
    public CompletionStage<Partition> locate(String given, String name) {
      return CompletableFuture.completedFuture(PARTITION);
    }

    @Override
    public CompletionStage<List<Partition>> partitions(String given) {
      return CompletableFuture.completedFuture(List.of(PARTITION));
    }

    @Override
    public CompletionStage<List<String>> known() {
      return CompletableFuture.completedFuture(List.of("n"));
    }
  }

  /** Nothing but this search would ever look at the circle: both waits are written. */
  @Test
  void aCircleThatClosesWhileTheStoreIsAwayIsFoundWhenItIsBack() throws Exception {
    ScheduledExecutorService timers = Executors.newSingleThreadScheduledExecutor();
    AtomicBoolean away = new AtomicBoolean(true);
    Queue<String> answered = new ConcurrentLinkedQueue<>();
    try (TestRedis redis = TestRedis.single()) {
      LockStore store =
          new LockStore(
              (script, partition, arguments) -> {
                if (away.get() && isOfASearch(script)) {
                  return CompletableFuture.failedFuture(
                      TroupeException.outcomeUnknown(new IOException("away")));
                }
                answered.add(script.name());
                return redis.run(script, partition, arguments);
              },
              new OnePartition(),
              new LockConfig(1000));
      Deadlocks deadlocks = new Deadlocks(store, new OnePartition(), timers);
      Wishes wishes = new Wishes();
      ask(store, wishes.of(wait("x", "a")));
      ask(store, wishes.of(wait("y", "b")));
      ask(store, wishes.of(wait("y", "a")));
      Wish closing = wishes.of(wait("x", "b"));
      LockAnswer.Waiting waiting = (LockAnswer.Waiting) ask(store, closing);
      assertThat(waiting.entangled()).isTrue();
      deadlocks.look(PARTITION, closing, true);
      assertThat(answered).doesNotContain("lock/blockers", "lock/refuse");
      away.set(false);
      await().until(() -> answered.contains("lock/refuse"));
      assertThatThrownBy(() -> ask(store, closing.again(-20_000_000)))
          .hasMessageContaining("owners wait for each other in a circle");
    } finally {
      timers.shutdownNow();
    }
  }

  private static boolean isOfASearch(Script script) {
    return script.name().equals("lock/blockers") || script.name().equals("lock/has_more");
  }

  private static AcquireRequest wait(String name, String owner) {
    return AcquireRequest.newBuilder()
        .setName(name)
        .setOwner(owner)
        .setTtl(Durations.fromSeconds(60))
        .setWait(Durations.fromSeconds(60))
        .build();
  }

  private static LockAnswer ask(LockStore store, Wish wish) throws Exception {
    return store.acquire(PARTITION, wish).toCompletableFuture().get(60, TimeUnit.SECONDS);
  }
}
