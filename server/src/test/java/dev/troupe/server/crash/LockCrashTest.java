package dev.troupe.server.crash;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.google.common.util.concurrent.ListenableFuture;
import com.google.protobuf.util.Durations;
import com.google.protobuf.util.Timestamps;
import dev.troupe.v1.AcquireRequest;
import dev.troupe.v1.AcquireResponse;
import dev.troupe.v1.GetLockRequest;
import dev.troupe.v1.LockInfo;
import dev.troupe.v1.LockLease;
import dev.troupe.v1.LockServiceGrpc;
import dev.troupe.v1.ReleaseLockRequest;
import dev.troupe.v1.RenewRequest;
import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** Locks when what they depend on goes away. */
final class LockCrashTest {

  private static AcquireRequest.Builder wish(String owner) {
    return AcquireRequest.newBuilder()
        .setName("l")
        .setOwner(owner)
        .setTtl(Durations.fromSeconds(30))
        .setWait(Durations.fromSeconds(60))
        .setRequestId(UUID.randomUUID().toString());
  }

  private static ListenableFuture<AcquireResponse> send(
      ManagedChannel channel, AcquireRequest.Builder wish) {
    return LockServiceGrpc.newFutureStub(channel)
        .withDeadlineAfter(90, TimeUnit.SECONDS)
        .acquire(wish.build());
  }

  private static LockLease acquire(ManagedChannel channel, String owner) throws Exception {
    return send(channel, wish(owner)).get(60, TimeUnit.SECONDS).getLease();
  }

  private static LockInfo get(ManagedChannel channel) {
    return LockServiceGrpc.newBlockingStub(channel)
        .withDeadlineAfter(10, TimeUnit.SECONDS)
        .getLock(GetLockRequest.newBuilder().setName("l").build())
        .getLock();
  }

  private static void release(ManagedChannel channel, LockLease lease) {
    LockServiceGrpc.newBlockingStub(channel)
        .withDeadlineAfter(10, TimeUnit.SECONDS)
        .releaseLock(
            ReleaseLockRequest.newBuilder().setName("l").setLeaseId(lease.getLeaseId()).build());
  }

  @Test
  void callersWhoDiedWithTheirServerHoldUpTheOthersForOneGrantOnly() throws Exception {
    try (RedisProcess redis = RedisProcess.redis();
        TroupeProcess one = new TroupeProcess("--redis.url=redis://127.0.0.1:" + redis.port);
        TroupeProcess two = new TroupeProcess("--redis.url=redis://127.0.0.1:" + redis.port)) {
      ManagedChannel dying = one.channel();
      ManagedChannel living = two.channel();
      try {
        LockLease lease = acquire(living, "holder");
        List<ListenableFuture<AcquireResponse>> dead = new ArrayList<>();
        for (int i = 0; i < 20; i++) {
          dead.add(send(dying, wish("dead-" + i)));
        }
        await().until(() -> get(living).getWaiterCount() == 20);
        ListenableFuture<AcquireResponse> next = send(living, wish("living"));
        await().until(() -> get(living).getWaiterCount() == 21);
        one.killAndRestart();
        dying.shutdownNow();
        release(living, lease);
        LockLease granted = next.get(60, TimeUnit.SECONDS).getLease();
        assertThat(granted.getOwner()).isEqualTo("living");
        assertThat(get(living).getWaiterCount()).isZero();
        assertThat(dead).allMatch(ListenableFuture::isDone);
      } finally {
        dying.shutdownNow();
        living.shutdownNow();
      }
    }
  }

  @Test
  void tokensRiseAndNobodyIsForgottenThoughRedisLosesEverything() throws Exception {
    try (RedisProcess redis = RedisProcess.redis();
        TroupeProcess server = new TroupeProcess("--redis.url=redis://127.0.0.1:" + redis.port)) {
      ManagedChannel channel = server.channel();
      try {
        LockLease lost = acquire(channel, "holder");
        List<ListenableFuture<AcquireResponse>> waiting = new ArrayList<>();
        for (int i = 0; i < 10; i++) {
          waiting.add(send(channel, wish("w" + i)));
        }
        await().until(() -> get(channel).getWaiterCount() == 10);
        assertThat(redis.ask("FLUSHALL")).startsWith("+OK");
        long token = lost.getFencingToken();
        while (!waiting.isEmpty()) {
          await().until(() -> waiting.stream().anyMatch(ListenableFuture::isDone));
          ListenableFuture<AcquireResponse> done =
              waiting.stream().filter(ListenableFuture::isDone).findFirst().orElseThrow();
          waiting.remove(done);
          LockLease next = done.get().getLease();
          assertThat(next.getFencingToken()).isGreaterThan(token);
          token = next.getFencingToken();
          release(channel, next);
        }
        StatusRuntimeException refusal =
            org.assertj.core.api.Assertions.catchThrowableOfType(
                StatusRuntimeException.class,
                () ->
                    LockServiceGrpc.newBlockingStub(channel)
                        .withDeadlineAfter(10, TimeUnit.SECONDS)
                        .renew(
                            RenewRequest.newBuilder()
                                .setName("l")
                                .setLeaseId(lost.getLeaseId())
                                .build()));
        assertThat(refusal.getStatus().getCode()).isEqualTo(Status.Code.FAILED_PRECONDITION);
      } finally {
        channel.shutdownNow();
      }
    }
  }

  @Test
  void aGrantIsHandedOnWithinMillisecondsOfItsExpiry() throws Exception {
    try (TroupeProcess server = new TroupeProcess()) {
      ManagedChannel channel = server.channel();
      try {
        for (int i = 0; i < 5; i++) {
          LockLease dead =
              send(channel, wish("dead").setTtl(Durations.fromSeconds(1)))
                  .get(60, TimeUnit.SECONDS)
                  .getLease();
          LockLease next = acquire(channel, "next");
          assertThat(
                  Durations.toMillis(Timestamps.between(dead.getExpireTime(), next.getGrantTime())))
              .isBetween(0L, 1500L);
          release(channel, next);
        }
      } finally {
        channel.shutdownNow();
      }
    }
  }
}
