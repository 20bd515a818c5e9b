package dev.troupe.server.lock;

import static dev.troupe.server.lock.StreamCaller.acquire;
import static dev.troupe.server.lock.StreamCaller.cancel;
import static dev.troupe.server.lock.StreamCaller.release;
import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.util.Durations;
import dev.troupe.v1.AcquireRequest;
import dev.troupe.v1.ErrorReason;
import dev.troupe.v1.FieldViolation;
import dev.troupe.v1.ItemError;
import dev.troupe.v1.LockLease;
import dev.troupe.v1.LockMode;
import dev.troupe.v1.LockStreamCall;
import dev.troupe.v1.LockStreamRequest;
import dev.troupe.v1.Refusal;
import dev.troupe.v1.ReleaseLockRequest;
import dev.troupe.v1.Waiter;
import io.grpc.ManagedChannel;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.awaitility.core.ConditionTimeoutException;
import org.junit.jupiter.api.Test;

/** Acquiring and giving back over a stream. */
interface LockStreamContract extends LockContract {

  @Test
  default void manyCallsOfOneMessageMeanWhatCallsOfTheirOwnDo() throws Exception {
    StreamCaller stream = new StreamCaller(locks().channelA());
    stream.send(
        IntStream.range(0, 200)
            .mapToObj(i -> acquire(i, locks().lock("l" + i, "a")))
            .toArray(LockStreamCall.Builder[]::new));
    for (int i = 0; i < 200; i++) {
      assertThat(stream.lease(i).getFence().getName()).isEqualTo("locks/l" + i);
    }
    assertThat(stream.lease(7).getFencingToken()).isPositive();
    assertThat(locks().get("l7").getHolders(0).getOwner()).isEqualTo("a");
    assertThat(locks().refuse(locks().lock("l7", "b")).getHeldBy()).isEqualTo("a");
    assertThat(locks().b().renew(locks().renewal(stream.lease(8), Durations.fromSeconds(100))))
        .isNotNull();
    for (int i = 0; i < 200; i++) {
      stream.send(release(1000 + i, locks().namespace(), stream.lease(i)));
    }
    for (int i = 0; i < 200; i++) {
      assertThat(stream.answer(1000 + i).getRelease().getReleased()).isTrue();
    }
    stream.up.onCompleted();
    stream.end.get(60, TimeUnit.SECONDS);
  }

  @Test
  default void callsOfOneMessageThatWantTheSameAreToldApart() throws Exception {
    StreamCaller stream = new StreamCaller(locks().channelA());
    String r = locks().neighbours(2).get(0);
    AcquireRequest.Builder repeated = locks().lock(r, "a").setRequestId("request");
    stream.send(
        acquire(1, locks().lock("l", "a")),
        acquire(2, locks().lock("l", "b")),
        acquire(3, repeated),
        acquire(4, repeated),
        acquire(5, locks().lock(locks().neighbours(2).get(1), "a").setRequestId("request")),
        acquire(6, locks().shared("shared", "a")),
        acquire(7, locks().shared("shared", "b")));
    List<Boolean> granted =
        List.of(stream.answer(1).getAcquire().hasLease(), stream.answer(2).getAcquire().hasLease());
    assertThat(granted).containsExactlyInAnyOrder(true, false);
    assertThat(stream.lease(3)).isEqualTo(stream.lease(4));
    assertThat(stream.answer(5).getError().getReason())
        .isEqualTo(ErrorReason.ERROR_REASON_REQUEST_ID_REUSED);
    assertThat(stream.lease(6).getMode()).isEqualTo(LockMode.LOCK_MODE_SHARED);
    assertThat(stream.lease(7).getMode()).isEqualTo(LockMode.LOCK_MODE_SHARED);
    String namespace = locks().namespace();
    stream.send(
        release(11, namespace, stream.lease(3)),
        release(12, namespace, stream.lease(3)),
        acquire(13, locks().lock(r, "c").setWait(Durations.fromSeconds(20))));
    assertThat(
            Stream.of(stream.answer(11), stream.answer(12))
                .map(answer -> answer.getRelease().getReleased()))
        .containsExactlyInAnyOrder(true, false);
    assertThat(stream.lease(13).getOwner()).isEqualTo("c");
  }

  @Test
  default void aWaitOfTheStreamIsGrantedByAReleaseBehindIt() throws Exception {
    StreamCaller stream = new StreamCaller(locks().channelA());
    stream.send(acquire(1, locks().lock("l", "a")));
    LockLease lease = stream.lease(1);
    stream.send(acquire(2, locks().lock("l", "b").setWait(Durations.fromSeconds(20))));
    Awaiting.until(() -> locks().get("l").getWaiterCount() == 1);
    stream.send(release(3, locks().namespace(), lease));
    assertThat(stream.lease(2).getFencingToken()).isGreaterThan(lease.getFencingToken());
    assertThat(stream.answer(3).getRelease().getReleased()).isTrue();
  }

  @Test
  default void waitsOfOneMessageStandInItsOrder() throws Exception {
    LockLease lease = locks().acquire(locks().lock("l", "a"));
    StreamCaller stream = new StreamCaller(locks().channelA());
    List<String> owners = IntStream.range(0, 50).mapToObj(i -> "w" + i).toList();
    stream.send(
        IntStream.range(0, 50)
            .mapToObj(
                i ->
                    acquire(i, locks().lock("l", owners.get(i)).setWait(Durations.fromSeconds(30))))
            .toArray(LockStreamCall.Builder[]::new));
    Awaiting.until(() -> locks().get("l").getWaiterCount() == 50);
    assertThat(locks().get("l").getWaitersList())
        .extracting(Waiter::getOwner)
        .containsExactlyElementsOf(owners);
    locks().release(lease);
    for (int i = 0; i < 50; i++) {
      locks().release(stream.lease(i));
    }
  }

  @Test
  default void aBadCallIsRefusedAndTheStreamGoesOn() throws Exception {
    StreamCaller stream = new StreamCaller(locks().channelA());
    stream.send(
        acquire(1, AcquireRequest.newBuilder().setLimit(-1)),
        LockStreamCall.newBuilder().setCallId(2),
        acquire(3, locks().lock("l", "a")));
    ItemError error = stream.answer(1).getError();
    assertThat(error.getReason()).isEqualTo(ErrorReason.ERROR_REASON_INVALID_FIELD);
    assertThat(error.getViolationsList())
        .extracting(FieldViolation::getField)
        .contains("name", "owner", "limit");
    assertThat(stream.answer(2).getError().getViolations(0).getField()).isEqualTo("call");
    stream.send(acquire(4, locks().lock("l", "b").setWait(Durations.fromSeconds(20))));
    Awaiting.until(() -> locks().get("l").getWaiterCount() == 1);
    stream.send(acquire(4, locks().lock("m", "b")));
    assertThat(stream.answer(4).getError().getViolations(0).getField()).isEqualTo("call_id");
    stream.send(release(5, locks().namespace(), stream.lease(3)));
    assertThat(stream.answer(5).getRelease().getReleased()).isTrue();
  }

  @Test
  default void anAcquireThatIsGivenUpLosesItsPlace() throws Exception {
    LockLease lease = locks().acquire(locks().lock("l", "a"));
    StreamCaller stream = new StreamCaller(locks().channelB());
    stream.send(acquire(1, locks().lock("l", "b").setWait(Durations.fromSeconds(20))));
    Awaiting.until(() -> locks().get("l").getWaiterCount() == 1);
    stream.send(cancel(1), cancel(2));
    assertThat(stream.answer(1).getAcquire().getRefusal()).isEqualTo(Refusal.REFUSAL_TIMED_OUT);
    Awaiting.until(() -> locks().get("l").getWaiterCount() == 0);
    locks().release(lease);
    assertThat(locks().get("l").getHeld()).isZero();
  }

  @Test
  default void aStreamThatBreaksKeepsOnlyThePlacesThatCanBeAskedForAgain() throws Exception {
    LockLease lease = locks().acquire(locks().lock("l", "a"));
    ManagedChannel channel = locks().newChannelA();
    StreamCaller stream = new StreamCaller(channel);
    AcquireRequest.Builder again =
        locks().lock("l", "b").setRequestId("again").setWait(Durations.fromSeconds(20));
    stream.send(acquire(1, again));
    Awaiting.until(() -> locks().get("l").getWaiterCount() == 1);
    stream.send(acquire(2, locks().lock("l", "c").setWait(Durations.fromSeconds(20))));
    Awaiting.until(() -> locks().get("l").getWaiterCount() == 2);
    channel.shutdownNow();
    Awaiting.until(() -> locks().get("l").getWaiterCount() == 1);
    assertThat(locks().get("l").getWaiters(0).getOwner()).isEqualTo("b");
    var repeat = locks().send(locks().channelB(), again);
    locks().release(lease);
    assertThat(LockHarness.lease(repeat).getOwner()).isEqualTo("b");
  }

  @Test
  default void whoeverClosesItsSideGetsTheAnswersThatAreLeft() throws Exception {
    LockLease lease = locks().acquire(locks().lock("l", "a"));
    StreamCaller stream = new StreamCaller(locks().channelA());
    stream.send(acquire(1, locks().lock("l", "b").setWait(Durations.fromSeconds(20))));
    stream.up.onCompleted();
    Awaiting.until(() -> locks().get("l").getWaiterCount() == 1);
    assertThat(stream.end.isDone()).isFalse();
    locks().release(lease);
    LockLease next = stream.lease(1);
    stream.end.get(60, TimeUnit.SECONDS);
    assertThat(locks().release(next)).as("the lease is not the stream's").isTrue();
  }

  @Test
  default void aRepeatOverTheStreamGetsTheAnswerOfACall() throws Exception {
    AcquireRequest.Builder request = locks().lock("l", "a").setRequestId("r");
    LockLease lease = locks().acquire(request);
    StreamCaller stream = new StreamCaller(locks().channelB());
    ReleaseLockRequest.Builder back =
        ReleaseLockRequest.newBuilder()
            .setNamespace(locks().namespace())
            .setName("l")
            .setLeaseId(lease.getLeaseId())
            .setRequestId("back");
    stream.send(acquire(1, request));
    assertThat(stream.lease(1)).isEqualTo(lease);
    stream.send(LockStreamCall.newBuilder().setCallId(2).setRelease(back));
    assertThat(stream.answer(2).getRelease().getReleased()).isTrue();
    assertThat(locks().a().releaseLock(back.build()).getReleased()).isTrue();
  }

  @Test
  default void theRequestIdOfAWaitIsNotTakenForAnotherLock() throws Exception {
    LockLease lease = locks().acquire(locks().lock(locks().neighbours(2).get(0), "a"));
    StreamCaller stream = new StreamCaller(locks().channelA());
    AcquireRequest.Builder waits =
        locks().lock(lease.getName(), "b").setRequestId("r").setWait(Durations.fromSeconds(20));
    stream.send(acquire(1, waits));
    Awaiting.until(() -> locks().get(lease.getName()).getWaiterCount() == 1);
    stream.send(acquire(2, locks().lock(locks().neighbours(2).get(1), "b").setRequestId("r")));
    assertThat(stream.answer(2).getError().getReason())
        .isEqualTo(ErrorReason.ERROR_REASON_REQUEST_ID_REUSED);
    locks().release(lease);
    locks().release(stream.lease(1));
  }

  @Test
  default void aClientThatDoesNotReadIsNotReadFrom() throws Exception {
    ManagedChannel channel = locks().newChannelA();
    StreamCaller stream = new StreamCaller(channel, false);
    LockStreamRequest.Builder request = LockStreamRequest.newBuilder();
    for (int i = 0; i < 100; i++) {
      request.addCalls(
          LockStreamCall.newBuilder()
              .setRelease(
                  ReleaseLockRequest.newBuilder()
                      .setNamespace(locks().namespace())
                      .setName("no lease id".repeat(20))));
    }
    int sent = 0;
    while (becomesReady(stream)) {
      // The server would have read all of this, were it not for the answers.
      assertThat(sent).isLessThan(200_000);
      stream.up.onNext(request.build());
      sent += 100;
    }
    int all = sent;
    assertThat(stream.answered.get()).isZero();
    stream.up.request(Integer.MAX_VALUE);
    Awaiting.until(() -> stream.answered.get() == all);
    channel.shutdownNow();
  }

  private static boolean becomesReady(StreamCaller stream) {
    try {
      Awaitility.await()
          .atMost(Duration.ofSeconds(2))
          .pollDelay(Duration.ZERO)
          .pollInterval(Duration.ofMillis(10))
          .until(() -> stream.up.isReady());
      return true;
    } catch (ConditionTimeoutException full) {
      return false;
    }
  }
}
