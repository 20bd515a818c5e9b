package dev.troupe.server.lock;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.common.util.concurrent.ListenableFuture;
import com.google.protobuf.util.Durations;
import com.google.protobuf.util.Timestamps;
import dev.troupe.server.grpc.Refusal;
import dev.troupe.v1.AcquireRequest;
import dev.troupe.v1.AcquireResponse;
import dev.troupe.v1.Agent;
import dev.troupe.v1.AgentStateServiceGrpc;
import dev.troupe.v1.DeregisterAgentRequest;
import dev.troupe.v1.ErrorReason;
import dev.troupe.v1.Event;
import dev.troupe.v1.EventStreamServiceGrpc;
import dev.troupe.v1.Fence;
import dev.troupe.v1.ForceReleaseRequest;
import dev.troupe.v1.KeepAliveOutcome;
import dev.troupe.v1.KeepAliveRequest;
import dev.troupe.v1.KeepAliveResponse;
import dev.troupe.v1.LeaseRef;
import dev.troupe.v1.LockLease;
import dev.troupe.v1.LockMode;
import dev.troupe.v1.LockServiceGrpc;
import dev.troupe.v1.PublishRequest;
import dev.troupe.v1.RegisterAgentRequest;
import dev.troupe.v1.ReleaseLockRequest;
import dev.troupe.v1.ReleaseLockResponse;
import dev.troupe.v1.RenewRequest;
import dev.troupe.v1.SessionBinding;
import io.grpc.stub.StreamObserver;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** Who may hold a lock, for how long, and how it is given back. */
interface LockLeaseContract extends LockContract {

  @Test
  default void aFreeLockIsGrantedWithAllThatTheHolderNeeds() {
    LockLease lease = locks().acquire(locks().lock("l", "a").putMetadata("why", "a test"));
    assertThat(lease.getName()).isEqualTo("l");
    assertThat(lease.getOwner()).isEqualTo("a");
    assertThat(lease.getMode()).isEqualTo(LockMode.LOCK_MODE_EXCLUSIVE);
    assertThat(lease.getPermits()).isEqualTo(1);
    assertThat(lease.getHolds()).isEqualTo(1);
    assertThat(lease.getLeaseId()).hasSize(22);
    assertThat(lease.getMetadataMap()).containsEntry("why", "a test");
    assertThat(lease.getFence())
        .isEqualTo(Fence.newBuilder().setName("locks/l").setToken(lease.getFencingToken()).build());
    assertThat(Timestamps.between(lease.getGrantTime(), lease.getExpireTime()))
        .isEqualTo(lease.getTtl())
        .isEqualTo(Durations.fromSeconds(20));
  }

  @Test
  default void aLockThatIsHeldIsRefusedWithItsHolder() {
    LockLease lease = locks().acquire(locks().lock("l", "a"));
    AcquireResponse refused = locks().refuse(locks().lock("l", "b"));
    assertThat(refused.getRefusal()).isEqualTo(dev.troupe.v1.Refusal.REFUSAL_HELD);
    assertThat(refused.getHeldBy()).isEqualTo("a");
    assertThat(refused.getHeldUntil()).isEqualTo(lease.getExpireTime());
    assertThat(refused.getWaitersAhead()).isZero();
  }

  @Test
  default void whatOneServerGrantedAnotherReleasesAndTokensRise() {
    long token = 0;
    for (int i = 0; i < 50; i++) {
      LockLease lease = locks().acquire(locks().lock("l", "a"));
      assertThat(lease.getFencingToken()).isGreaterThan(token);
      token = lease.getFencingToken();
      assertThat(locks().release(lease)).isTrue();
      assertThat(locks().release(lease)).isFalse();
    }
  }

  @Test
  default void aRepeatGetsTheFirstAnswerFromAnyServerAndAfterTheRelease() {
    AcquireRequest.Builder request = locks().lock("l", "a").setRequestId("r");
    LockLease lease = locks().acquire(request);
    assertThat(locks().b().acquire(request.build()).getLease()).isEqualTo(lease);
    assertThat(locks().release(lease)).isTrue();
    assertThat(locks().b().acquire(request.build()).getLease()).isEqualTo(lease);
    assertThat(locks().get("l").getHeld()).as("a repeat acquires nothing").isZero();
    assertThat(Refusal.of(() -> locks().a().acquire(request.clone().setOwner("b").build())).what())
        .isEqualTo("ALREADY_EXISTS REQUEST_ID_REUSED");
  }

  @Test
  default void aRefusalIsRepeatedToo() {
    LockLease lease = locks().acquire(locks().lock("l", "a"));
    AcquireRequest.Builder request = locks().lock("l", "b").setRequestId("r");
    AcquireResponse refused = locks().refuse(request);
    locks().release(lease);
    // The call that was refused must not acquire the lock by a copy that comes late.
    assertThat(locks().refuse(request)).isEqualTo(refused);
    assertThat(locks().get("l").getHeld()).isZero();
  }

  @Test
  default void aReleaseThatIsRepeatedSaysTheSame() {
    LockLease lease = locks().acquire(locks().lock("l", "a"));
    ReleaseLockRequest request =
        ReleaseLockRequest.newBuilder()
            .setNamespace(locks().namespace())
            .setName("l")
            .setLeaseId(lease.getLeaseId())
            .setRequestId("r")
            .build();
    ReleaseLockResponse first = locks().a().releaseLock(request);
    assertThat(first.getReleased()).isTrue();
    assertThat(locks().b().releaseLock(request)).isEqualTo(first);
  }

  @Test
  default void anotherLeaseIdReleasesNothing() {
    LockLease lease = locks().acquire(locks().lock("l", "a"));
    assertThat(locks().release(lease.toBuilder().setLeaseId("another").build())).isFalse();
    assertThat(locks().get("l").getHeld()).isEqualTo(1);
  }

  @Test
  default void aRenewalThroughAnotherServerExtendsAndNeverShortens() {
    LockLease lease = locks().acquire(locks().lock("l", "a"));
    var longer =
        locks().b().renew(locks().renewal(lease, Durations.fromSeconds(100))).getExpireTime();
    assertThat(Timestamps.between(lease.getExpireTime(), longer).getSeconds()).isBetween(79L, 85L);
    assertThat(locks().a().renew(locks().renewal(lease, Durations.fromSeconds(1))).getExpireTime())
        .isEqualTo(longer);
    RenewRequest repeated =
        locks().renewal(lease, Durations.fromSeconds(200)).toBuilder().setRequestId("r").build();
    assertThat(locks().a().renew(repeated)).isEqualTo(locks().b().renew(repeated));
  }

  @Test
  default void aLeaseThatRanOutIsStaleAndItsLockFree() {
    LockLease lease = locks().acquire(locks().lock("l", "a").setTtl(Durations.fromSeconds(1)));
    Awaiting.until(() -> locks().get("l").getHeld() == 0);
    assertThat(
            Refusal.of(() -> locks().a().renew(locks().renewal(lease, Durations.fromSeconds(1))))
                .what())
        .isEqualTo("FAILED_PRECONDITION STALE_LEASE");
    assertThat(locks().release(lease)).isFalse();
    assertThat(locks().acquire(locks().lock("l", "b")).getFencingToken())
        .isGreaterThan(lease.getFencingToken());
  }

  @Test
  default void readersShareAndAWriterDoesNot() {
    LockLease one = locks().acquire(locks().shared("l", "a"));
    LockLease two = locks().acquire(locks().shared("l", "b"));
    assertThat(two.getFencingToken()).isGreaterThan(one.getFencingToken());
    assertThat(locks().refuse(locks().lock("l", "c")).getHeldBy()).isIn("a", "b");
    locks().release(one);
    locks().refuse(locks().lock("l", "c"));
    locks().release(two);
    LockLease writer = locks().acquire(locks().lock("l", "c"));
    locks().refuse(locks().shared("l", "a"));
    locks().release(writer);
  }

  @Test
  default void aSemaphoreGrantsItsPermitsAndNoMore() {
    LockLease three = locks().acquire(locks().permits("s", "a", 3, 5));
    LockLease two = locks().acquire(locks().permits("s", "b", 2, 5));
    locks().refuse(locks().permits("s", "c", 1, 5));
    locks().release(two);
    locks().refuse(locks().permits("s", "c", 3, 5));
    assertThat(locks().acquire(locks().permits("s", "c", 2, 5)).getPermits()).isEqualTo(2);
    assertThat(locks().get("s").getHeld()).isEqualTo(5);
    assertThat(three.getPermits()).isEqualTo(3);
  }

  @Test
  default void aSemaphoreIsNoLockWhileItIsInUse() {
    LockLease permit = locks().acquire(locks().permits("s", "a", 1, 2));
    assertThat(Refusal.of(() -> locks().a().acquire(locks().lock("s", "b").build())).what())
        .isEqualTo("FAILED_PRECONDITION LOCK_MODE");
    assertThat(
            Refusal.of(() -> locks().a().acquire(locks().permits("s", "b", 1, 3).build()))
                .metadata())
        .containsEntry("limit", "2");
    locks().release(permit);
    locks().acquire(locks().lock("s", "b"));
  }

  @Test
  default void whoHoldsALeaseHoldsItAsOftenAsItAcquired() {
    LockLease lease = locks().acquire(locks().lock("l", "a"));
    AcquireRequest.Builder again =
        locks().lock("l", "a").setHeldLeaseId(lease.getLeaseId()).setRequestId("again");
    LockLease second = locks().acquire(again);
    assertThat(second.getLeaseId()).isEqualTo(lease.getLeaseId());
    assertThat(second.getFencingToken()).isEqualTo(lease.getFencingToken());
    assertThat(second.getHolds()).isEqualTo(2);
    assertThat(locks().acquire(again).getHolds()).as("a repeat").isEqualTo(2);
    locks().refuse(locks().lock("l", "a"));
    assertThat(locks().release(lease)).isTrue();
    locks().refuse(locks().lock("l", "b"));
    assertThat(locks().release(lease)).isTrue();
    locks().acquire(locks().lock("l", "b"));
  }

  @Test
  default void aLeaseIsHeldAgainOnlyByWhoKnowsItsId() {
    LockLease lease = locks().acquire(locks().shared("l", "a"));
    assertThat(locks().acquire(locks().shared("l", "a")).getLeaseId())
        .as("by the owner's name")
        .isNotEqualTo(lease.getLeaseId());
    AcquireRequest.Builder again = locks().shared("l", "a").setHeldLeaseId(lease.getLeaseId());
    assertThat(locks().acquire(again).getHolds()).isEqualTo(2);
    for (AcquireRequest.Builder other :
        List.of(
            again.clone().setOwner("b"),
            again.clone().setHeldLeaseId("another"),
            again.clone().setName("another"))) {
      assertThat(Refusal.of(() -> locks().a().acquire(other.build())).what())
          .isEqualTo("FAILED_PRECONDITION STALE_LEASE");
    }
    assertThat(
            Refusal.of(
                    () ->
                        locks()
                            .a()
                            .acquire(again.clone().setMode(LockMode.LOCK_MODE_EXCLUSIVE).build()))
                .what())
        .isEqualTo("FAILED_PRECONDITION LOCK_MODE");
  }

  @Test
  default void aForcedReleaseTakesTheLockAwayAndSaysFromWhom() {
    LockLease lease = locks().acquire(locks().shared("l", "a"));
    LockLease other = locks().acquire(locks().shared("l", "b"));
    ForceReleaseRequest.Builder force =
        ForceReleaseRequest.newBuilder()
            .setNamespace(locks().namespace())
            .setName("l")
            .setOwner("a")
            .setReason("it hangs")
            .setRequestId("r");
    var forced = locks().b().forceRelease(force.build());
    assertThat(forced.getReleasedList()).hasSize(1);
    assertThat(forced.getReleased(0).getOwner()).isEqualTo("a");
    assertThat(forced.getReleased(0).getLeaseId()).isEmpty();
    assertThat(forced.getReleased(0).getFencingToken()).isEqualTo(lease.getFencingToken());
    assertThat(locks().a().forceRelease(force.build())).isEqualTo(forced);
    assertThat(
            Refusal.of(() -> locks().a().renew(locks().renewal(lease, Durations.fromSeconds(1))))
                .what())
        .isEqualTo("FAILED_PRECONDITION STALE_LEASE");
    locks().a().renew(locks().renewal(other, Durations.fromSeconds(1)));
    force.clearOwner().clearRequestId();
    assertThat(locks().a().forceRelease(force.build()).getReleasedList()).hasSize(1);
    assertThat(locks().a().forceRelease(force.build()).getReleasedList()).isEmpty();
  }

  @Test
  default void aStreamRenewsManyLeasesAndTellsWhichAreGone() throws Exception {
    List<LockLease> leases = new ArrayList<>();
    KeepAliveRequest.Builder request =
        KeepAliveRequest.newBuilder().setNamespace(locks().namespace());
    for (int i = 0; i < 200; i++) {
      LockLease lease = locks().acquire(locks().lock("l" + i, "a"));
      leases.add(lease);
      request.addLeases(
          LeaseRef.newBuilder().setName(lease.getName()).setLeaseId(lease.getLeaseId()));
    }
    locks().release(leases.get(7));
    LinkedBlockingQueue<KeepAliveResponse> answers = new LinkedBlockingQueue<>();
    StreamObserver<KeepAliveRequest> stream =
        LockServiceGrpc.newStub(locks().channelB()).keepAlive(new Collect<>(answers));
    for (int round = 0; round < 2; round++) {
      stream.onNext(request.build());
      KeepAliveResponse response = answers.poll(60, TimeUnit.SECONDS);
      assertThat(response.getOutcomesCount()).isEqualTo(200);
      for (int i = 0; i < 200; i++) {
        KeepAliveOutcome outcome = response.getOutcomes(i);
        assertThat(outcome.getLease()).isEqualTo(request.getLeases(i));
        assertThat(outcome.hasError()).isEqualTo(i == 7);
        assertThat(outcome.hasExpireTime()).isEqualTo(i != 7);
      }
    }
    stream.onCompleted();
  }

  @Test
  default void aStreamRenewsNothingUnderAFenceThatIsOver() throws Exception {
    LockLease guard = locks().acquire(locks().lock("guard", "a"));
    LockLease lease = locks().acquire(locks().lock("l", "a"));
    KeepAliveRequest request =
        KeepAliveRequest.newBuilder()
            .setNamespace(locks().namespace())
            .addLeases(LeaseRef.newBuilder().setName("l").setLeaseId(lease.getLeaseId()))
            .setFence(guard.getFence())
            .build();
    LinkedBlockingQueue<KeepAliveResponse> answers = new LinkedBlockingQueue<>();
    StreamObserver<KeepAliveRequest> stream =
        LockServiceGrpc.newStub(locks().channelB()).keepAlive(new Collect<>(answers));
    stream.onNext(request);
    assertThat(answers.poll(60, TimeUnit.SECONDS).getOutcomes(0).hasExpireTime()).isTrue();
    locks().release(guard);
    LockLease next = locks().acquire(locks().lock("guard", "b"));
    locks()
        .a()
        .renew(
            locks().renewal(lease, Durations.fromSeconds(20)).toBuilder()
                .setFence(next.getFence())
                .build());
    stream.onNext(request);
    KeepAliveOutcome refused = answers.poll(60, TimeUnit.SECONDS).getOutcomes(0);
    assertThat(refused.getError().getReason()).isEqualTo(ErrorReason.ERROR_REASON_STALE_FENCE);
    stream.onCompleted();
  }

  /** Keeps what a stream says. */
  record Collect<T>(LinkedBlockingQueue<T> answers) implements StreamObserver<T> {
    @Override
    public void onNext(T value) {
      answers.add(value);
    }

    @Override
    public void onError(Throwable failure) {}

    @Override
    public void onCompleted() {}
  }

  @Test
  default void aWriteUnderTheFenceOfALostLeaseIsRefused() {
    LockLease lost = locks().acquire(locks().lock("l", "a").setTtl(Durations.fromSeconds(1)));
    publish(lost.getFence());
    Awaiting.until(() -> locks().get("l").getHeld() == 0);
    LockLease current = locks().acquire(locks().lock("l", "b"));
    publish(current.getFence());
    Refusal refusal = Refusal.of(() -> publish(lost.getFence()));
    assertThat(refusal.what()).isEqualTo("FAILED_PRECONDITION STALE_FENCE");
    assertThat(refusal.metadata())
        .containsEntry("highest_token", Long.toString(current.getFencingToken()));
  }

  @Test
  default void whereTheLockLivesItsFencePassesWhileItIsHeldAndNoLonger() {
    LockLease lease = locks().acquire(locks().lock("l", "a"));
    AcquireRequest.Builder fenced = locks().lock("l", "a").setFence(lease.getFence());
    // The same lock is in the same partition, so that this is the exact check.
    locks().refuse(fenced);
    Fence invented =
        lease.getFence().toBuilder().setToken(lease.getFencingToken() + 1_000_000).build();
    assertThat(
            Refusal.of(() -> locks().a().acquire(fenced.clone().setFence(invented).build())).what())
        .isEqualTo("FAILED_PRECONDITION STALE_FENCE");
    locks().release(lease);
    assertThat(Refusal.of(() -> locks().a().acquire(fenced.build())).what())
        .isEqualTo("FAILED_PRECONDITION STALE_FENCE");
  }

  @Test
  default void aLockIsBoundToASessionThatIsCurrent() {
    Agent agent =
        AgentStateServiceGrpc.newBlockingStub(locks().channelA())
            .withDeadlineAfter(60, TimeUnit.SECONDS)
            .registerAgent(
                RegisterAgentRequest.newBuilder()
                    .setNamespace(locks().namespace())
                    .setAgentId("agent")
                    .setType("coder")
                    .build())
            .getAgent();
    SessionBinding.Builder session =
        SessionBinding.newBuilder().setAgentId("agent").setFencingToken(agent.getFencingToken());
    LockLease lease = locks().acquire(locks().lock("l", "a").setSession(session));
    assertThat(lease.getAgentId()).isEqualTo("agent");
    AcquireRequest.Builder stale =
        locks()
            .lock("m", "a")
            .setSession(session.clone().setFencingToken(agent.getFencingToken() - 1));
    assertThat(Refusal.of(() -> locks().a().acquire(stale.build())).what())
        .isEqualTo("FAILED_PRECONDITION STALE_SESSION");
    assertThat(
            Refusal.of(() -> locks().a().acquire(stale.setSession(session.setAgentId("x")).build()))
                .what())
        .isEqualTo("FAILED_PRECONDITION STALE_SESSION");
  }

  @Test
  default void whatIsBoundToASessionEndsWithIt() throws Exception {
    AgentStateServiceGrpc.AgentStateServiceBlockingStub agents =
        AgentStateServiceGrpc.newBlockingStub(locks().channelA())
            .withDeadlineAfter(60, TimeUnit.SECONDS);
    Agent agent =
        agents
            .registerAgent(
                RegisterAgentRequest.newBuilder()
                    .setNamespace(locks().namespace())
                    .setAgentId("agent")
                    .setType("coder")
                    .build())
            .getAgent();
    SessionBinding session =
        SessionBinding.newBuilder()
            .setAgentId("agent")
            .setFencingToken(agent.getFencingToken())
            .build();
    for (int i = 0; i < 100; i++) {
      locks().acquire(locks().lock("l" + i, "a").setSession(session));
    }
    LockLease unbound = locks().acquire(locks().lock("unbound", "a"));
    ListenableFuture<AcquireResponse> waits =
        locks().await(locks().channelA(), locks().lock("unbound", "b").setSession(session));
    ListenableFuture<AcquireResponse> next =
        locks().await(locks().channelB(), locks().lock("l7", "c"));
    agents.deregisterAgent(
        DeregisterAgentRequest.newBuilder()
            .setNamespace(locks().namespace())
            .setAgentId("agent")
            .build());
    assertThat(LockHarness.lease(next).getOwner()).isEqualTo("c");
    assertThat(Refusal.of(waits).what()).isEqualTo("FAILED_PRECONDITION STALE_SESSION");
    for (int i = 0; i < 100; i++) {
      String name = "l" + i;
      int held = i == 7 ? 1 : 0;
      Awaiting.until(() -> locks().get(name).getHeld() == held);
    }
    assertThat(locks().release(unbound)).isTrue();
  }

  @Test
  default void whatASessionWaitsForIsNotGrantedByItsEnd() throws Exception {
    SessionBinding session = register("agent");
    List<ListenableFuture<AcquireResponse>> waits = new ArrayList<>();
    for (int i = 0; i < 20; i++) {
      locks().acquire(locks().lock("l" + i, "a").setSession(session));
      waits.add(locks().await(locks().channelB(), locks().lock("l" + i, "b").setSession(session)));
    }
    deregister("agent");
    for (ListenableFuture<AcquireResponse> wait : waits) {
      assertThat(Refusal.of(wait).what()).isEqualTo("FAILED_PRECONDITION STALE_SESSION");
    }
    for (int i = 0; i < 20; i++) {
      assertThat(locks().get("l" + i).getHeld()).isZero();
    }
  }

  @Test
  default void aLeaseOfAnotherSessionIsNotHeldAgain() throws Exception {
    SessionBinding session = register("agent");
    LockLease unbound = locks().acquire(locks().lock("l", "a"));
    AcquireRequest.Builder bound = locks().lock("l", "a").setSession(session);
    // It would outlive the session.
    assertThat(
            Refusal.of(
                    () ->
                        locks()
                            .a()
                            .acquire(bound.clone().setHeldLeaseId(unbound.getLeaseId()).build()))
                .what())
        .isEqualTo("FAILED_PRECONDITION STALE_LEASE");
    locks().release(unbound);
    LockLease lease = locks().acquire(bound);
    bound.setHeldLeaseId(lease.getLeaseId());
    assertThat(locks().acquire(bound).getHolds()).isEqualTo(2);
    assertThat(lease.getAgentId()).isEqualTo("agent");
    deregister("agent");
    Awaiting.until(() -> locks().get("l").getHeld() == 0);
  }

  private SessionBinding register(String agent) {
    return SessionBinding.newBuilder()
        .setAgentId(agent)
        .setFencingToken(
            AgentStateServiceGrpc.newBlockingStub(locks().channelA())
                .withDeadlineAfter(60, TimeUnit.SECONDS)
                .registerAgent(
                    RegisterAgentRequest.newBuilder()
                        .setNamespace(locks().namespace())
                        .setAgentId(agent)
                        .setType("coder")
                        .build())
                .getAgent()
                .getFencingToken())
        .build();
  }

  private void deregister(String agent) {
    AgentStateServiceGrpc.newBlockingStub(locks().channelA())
        .withDeadlineAfter(60, TimeUnit.SECONDS)
        .deregisterAgent(
            DeregisterAgentRequest.newBuilder()
                .setNamespace(locks().namespace())
                .setAgentId(agent)
                .build());
  }

  private void publish(Fence fence) {
    EventStreamServiceGrpc.newBlockingStub(locks().channelA())
        .withDeadlineAfter(60, TimeUnit.SECONDS)
        .publish(
            PublishRequest.newBuilder()
                .setNamespace(locks().namespace())
                .setTopic("t")
                .setEvent(Event.newBuilder().setType("written"))
                .setFence(fence)
                .build());
  }

  @Test
  default void aLockWaitsForNobodyElse() throws Exception {
    Set<Long> tokens = new HashSet<>();
    List<LockLease> leases = new ArrayList<>();
    for (int i = 0; i < 300; i++) {
      leases.add(locks().acquire(locks().lock("many-" + i, "a").setTtl(Durations.fromSeconds(3))));
    }
    leases.forEach(lease -> tokens.add(lease.getFencingToken()));
    assertThat(tokens.size()).isGreaterThan(200);
    // More run out at once than one sweep ends.
    org.awaitility.Awaitility.await()
        .until(
            () -> leases.stream().allMatch(lease -> locks().get(lease.getName()).getHeld() == 0));
  }
}
