package dev.troupe.client;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.awaitility.Awaitility.await;

import com.google.protobuf.util.Durations;
import dev.troupe.server.crash.TroupeProcess;
import dev.troupe.v1.AcquireRequest;
import dev.troupe.v1.ErrorReason;
import dev.troupe.v1.Event;
import dev.troupe.v1.ForceReleaseRequest;
import dev.troupe.v1.PublishRequest;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

@SuppressWarnings("NullAway.Init")
final class LockClientTest {

  private static TroupeProcess server;
  private static TroupeClient client;
  private final String name = "l-" + UUID.randomUUID();

  @BeforeAll
  static void start() throws Exception {
    server = new TroupeProcess();
    client = TroupeClient.connect("127.0.0.1:" + server.port);
  }

  @AfterAll
  static void stop() throws Exception {
    client.close();
    server.close();
  }

  private AcquireRequest request(String owner, int ttlSeconds, int waitSeconds) {
    return AcquireRequest.newBuilder()
        .setName(name)
        .setOwner(owner)
        .setTtl(Durations.fromSeconds(ttlSeconds))
        .setWait(Durations.fromSeconds(waitSeconds))
        .build();
  }

  private static LockHandle held(CompletableFuture<Optional<LockHandle>> call) throws Exception {
    return call.get(60, TimeUnit.SECONDS).orElseThrow();
  }

  @Test
  void aHandleIsRenewedFarBeyondItsLeaseUntilItIsReleased() throws Exception {
    LockHandle handle = held(client.locks().acquire(request("a", 1, 0)));
    long end = System.nanoTime() + 3_500_000_000L;
    await()
        .until(
            () -> {
              assertThat(handle.isHeld()).isTrue();
              assertThat(handle.lost()).isNotDone();
              return System.nanoTime() > end;
            });
    assertThat(client.blockingLocks().acquire(request("b", 1, 0))).isEmpty();
    assertThat(handle.release().get(60, TimeUnit.SECONDS)).isTrue();
    assertThat(handle.isHeld()).isFalse();
    assertThat(handle.lost()).isNotDone();
    held(client.locks().acquire(request("b", 1, 0))).close();
  }

  @Test
  void aHundredHandlesAreRenewedTogether() throws Exception {
    List<LockHandle> handles = new ArrayList<>();
    for (int i = 0; i < 100; i++) {
      handles.add(
          held(client.locks().acquire(request("a", 2, 0).toBuilder().setName(name + i).build())));
    }
    long end = System.nanoTime() + 5_000_000_000L;
    await().until(() -> System.nanoTime() > end);
    assertThat(handles).allMatch(LockHandle::isHeld);
    handles.forEach(LockHandle::close);
  }

  @Test
  void theHolderIsToldBeforeItsLeaseIsUnsafe() throws Exception {
    LockHandle handle = held(client.locks().acquire(request("a", 2, 0)));
    server.holdRedis(true);
    try {
      long stalled = System.nanoTime();
      handle.lost().get(60, TimeUnit.SECONDS);
      // A renewal was at most 2/3 of a second old, and a tenth of the lease is kept in hand.
      assertThat(Duration.ofNanos(System.nanoTime() - stalled)).isLessThan(Duration.ofMillis(1950));
      assertThat(handle.isHeld()).isFalse();
    } finally {
      server.holdRedis(false);
    }
  }

  @Test
  void anAnswerFromBeforeIsNotTakenForALeaseFromNow() throws Exception {
    AcquireRequest request = request("a", 20, 0).toBuilder().setRequestId(name).build();
    held(client.locks().acquire(request)).close();
    // What it is told is the first answer again, of a lease that was given back.
    assertThat(client.locks().acquire(request))
        .failsWithin(Duration.ofSeconds(20))
        .withThrowableThat()
        .withMessageContaining("the lease ran out or was taken away");
  }

  @Test
  void aLockThatWasTakenAwayIsLost() throws Exception {
    LockHandle handle = held(client.locks().acquire(request("a", 1, 0)));
    client
        .blockingLocks()
        .forceRelease(ForceReleaseRequest.newBuilder().setName(name).setReason("test").build());
    assertThat(handle.lost().get(60, TimeUnit.SECONDS)).contains("taken away");
    LockHandle next = held(client.locks().acquire(request("b", 5, 0)));
    TroupeClientException refusal =
        catchThrowableOfType(
            TroupeClientException.class,
            () ->
                Blocking.await(
                    client
                        .events()
                        .publish(
                            PublishRequest.newBuilder()
                                .setTopic("t")
                                .setEvent(Event.newBuilder().setType("late"))
                                .setFence(handle.fence())
                                .build())));
    assertThat(refusal.reason()).isEqualTo(ErrorReason.ERROR_REASON_STALE_FENCE);
    next.close();
  }

  @Test
  void aWaitOutlastsTheServerAndKeepsItsPlace() throws Exception {
    LockHandle first = held(client.locks().acquire(request("a", 20, 0)));
    List<CompletableFuture<Optional<LockHandle>>> waits = new ArrayList<>();
    for (int i = 0; i < 5; i++) {
      waits.add(client.locks().acquire(request("w" + i, 20, 60)));
      int wanted = i + 1;
      await().until(() -> client.blockingLocks().get(name).getWaiterCount() == wanted);
    }
    server.killAndRestart();
    await().until(() -> client.blockingLocks().get(name).getWaiterCount() == 5);
    assertThat(first.release().get(60, TimeUnit.SECONDS)).isTrue();
    long token = first.fencingToken();
    for (CompletableFuture<Optional<LockHandle>> wait : waits) {
      LockHandle next = held(wait);
      assertThat(next.fencingToken()).isGreaterThan(token);
      token = next.fencingToken();
      next.close();
    }
  }

  @Test
  void aWaitThatIsCancelledLeavesTheQueueAtOnce() throws Exception {
    LockHandle first = held(client.locks().acquire(request("a", 20, 0)));
    CompletableFuture<Optional<LockHandle>> cancelled =
        client.locks().acquire(request("b", 20, 60));
    await().until(() -> client.blockingLocks().get(name).getWaiterCount() == 1);
    cancelled.cancel(true);
    await()
        .atMost(Duration.ofSeconds(3))
        .until(() -> client.blockingLocks().get(name).getWaiterCount() == 0);
    first.close();
  }

  @Test
  void oneCandidateLeadsAndTheNextFollowsInOrder() throws Exception {
    Election election = client.locks().election(name);
    List<Optional<Election.Leader>> seen = new CopyOnWriteArrayList<>();
    LockHandle one = election.campaign("one").get(60, TimeUnit.SECONDS);
    try (Subscription observed = election.observe(seen::add)) {
      await().until(() -> seen.size() == 1);
      CompletableFuture<LockHandle> two = election.campaign("two");
      await().until(() -> client.blockingLocks().get("elections/" + name).getWaiterCount() == 1);
      CompletableFuture<LockHandle> three = election.campaign("three");
      await().until(() -> client.blockingLocks().get("elections/" + name).getWaiterCount() == 2);
      assertThat(election.leader().get(60, TimeUnit.SECONDS).orElseThrow())
          .isEqualTo(new Election.Leader("one", one.fencingToken()));
      one.close();
      LockHandle second = two.get(60, TimeUnit.SECONDS);
      assertThat(second.fencingToken()).isGreaterThan(one.fencingToken());
      assertThat(three).isNotDone();
      second.close();
      three.get(60, TimeUnit.SECONDS).close();
      await().until(() -> seen.get(seen.size() - 1).isEmpty());
    }
    List<String> leaders =
        seen.stream().flatMap(Optional::stream).map(Election.Leader::candidate).toList();
    assertThat(leaders).containsExactly("one", "two", "three");
  }
}
