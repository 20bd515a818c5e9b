package dev.troupe.server.crash;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.google.protobuf.util.Durations;
import dev.troupe.v1.AcquireRequest;
import dev.troupe.v1.AcquireResponse;
import dev.troupe.v1.LockServiceGrpc;
import dev.troupe.v1.LockServiceGrpc.LockServiceBlockingStub;
import dev.troupe.v1.ReleaseLockRequest;
import io.grpc.ManagedChannel;
import io.grpc.Status.Code;
import io.grpc.StatusRuntimeException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;

/** Masters of a Redis Cluster that stand still until their replicas have taken over. */
final class ClusterFailoverTest {

  private static final int NAMES = 48;
  private static final int CALLERS = 64;

  @Test
  void aServerFindsItsWayAfterEachMasterWasReplacedAndCameBackAsReplica() throws Exception {
    try (RedisCluster cluster = new RedisCluster(Duration.ofSeconds(1));
        TroupeProcess server =
            new TroupeProcess("--redis.url=" + cluster.url(), "--redis.partitions=16")) {
      ManagedChannel channel = server.channel();
      ExecutorService callers = Executors.newCachedThreadPool();
      AtomicBoolean over = new AtomicBoolean();
      Map<Integer, Long> granted = new ConcurrentHashMap<>();
      List<Future<?>> calling = new ArrayList<>();
      try {
        for (int i = 0; i < CALLERS; i++) {
          int first = i;
          calling.add(
              callers.submit(
                  () -> {
                    for (int k = first; !over.get(); k++) {
                      try {
                        if (lockAndUnlock(channel, k % NAMES)) {
                          granted.put(k % NAMES, System.nanoTime());
                        }
                      } catch (StatusRuntimeException e) {
                        // Nobody is at home, an answer was lost, or the lease ran out meanwhile.
                        assertThat(e.getStatus().getCode())
                            .isIn(
                                Code.UNAVAILABLE,
                                Code.DEADLINE_EXCEEDED,
                                Code.FAILED_PRECONDITION,
                                Code.NOT_FOUND);
                      }
                    }
                  }));
        }
        await().until(() -> granted.size() == NAMES);
        for (int i = 0; i < 3; i++) {
          cluster.replaceMaster(i);
          long since = System.nanoTime();
          await()
              .untilAsserted(
                  () ->
                      assertThat(granted.values().stream().filter(at -> at < since).count())
                          .isZero());
        }
      } finally {
        over.set(true);
        for (Future<?> caller : calling) {
          caller.get(60, TimeUnit.SECONDS);
        }
        callers.shutdown();
        channel.shutdownNow();
      }
    }
  }

  private static boolean lockAndUnlock(ManagedChannel channel, int name) {
    LockServiceBlockingStub locks =
        LockServiceGrpc.newBlockingStub(channel).withDeadlineAfter(10, TimeUnit.SECONDS);
    AcquireResponse response =
        locks.acquire(
            AcquireRequest.newBuilder()
                .setName("l" + name)
                .setOwner("o")
                .setTtl(Durations.fromSeconds(2))
                .setWait(Durations.fromSeconds(8))
                .setRequestId(UUID.randomUUID().toString())
                .build());
    if (response.hasLease()) {
      locks.releaseLock(
          ReleaseLockRequest.newBuilder()
              .setName("l" + name)
              .setLeaseId(response.getLease().getLeaseId())
              .build());
    }
    return response.hasLease();
  }
}
