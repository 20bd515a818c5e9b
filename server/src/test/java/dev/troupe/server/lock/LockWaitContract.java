package dev.troupe.server.lock;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.common.util.concurrent.ListenableFuture;
import com.google.protobuf.util.Durations;
import com.google.protobuf.util.Timestamps;
import dev.troupe.v1.AcquireRequest;
import dev.troupe.v1.AcquireResponse;
import dev.troupe.v1.LockInfo;
import dev.troupe.v1.LockLease;
import dev.troupe.v1.Refusal;
import dev.troupe.v1.Waiter;
import io.grpc.ManagedChannel;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** Waiting: in order, without a server of one's own, and not for nothing. */
interface LockWaitContract extends LockContract {

  @Test
  default void thoseWhoWaitAreServedInOrderOverTwoServers() throws Exception {
    LockLease lease = locks().acquire(locks().lock("l", "first"));
    List<ListenableFuture<AcquireResponse>> calls = new ArrayList<>();
    for (int i = 0; i < 20; i++) {
      ManagedChannel channel = i % 2 == 0 ? locks().channelA() : locks().channelB();
      calls.add(locks().await(channel, locks().lock("l", "w" + i)));
    }
    LockInfo info = locks().get("l");
    assertThat(info.getWaitersList()).extracting(Waiter::getPlace).isSorted().endsWith(20);
    assertThat(info.getWaiters(3).getOwner()).isEqualTo("w3");
    for (ListenableFuture<AcquireResponse> call : calls) {
      assertThat(call.isDone()).isFalse();
      locks().release(lease);
      LockLease next = LockHarness.lease(call);
      assertThat(next.getFencingToken()).isGreaterThan(lease.getFencingToken());
      assertThat(Durations.toMillis(Timestamps.between(next.getGrantTime(), next.getExpireTime())))
          .as("claimed for its whole time")
          .isGreaterThanOrEqualTo(20_000);
      lease = next;
    }
    locks().release(lease);
  }

  @Test
  default void aWaitThatIsInVainSaysForWhomItWaited() throws Exception {
    LockLease lease = locks().acquire(locks().lock("l", "a"));
    ListenableFuture<AcquireResponse> other =
        locks().await(locks().channelA(), locks().lock("l", "b"));
    AcquireResponse response =
        locks().b().acquire(locks().lock("l", "c").setWait(Durations.fromMillis(300)).build());
    assertThat(response.getRefusal()).isEqualTo(Refusal.REFUSAL_TIMED_OUT);
    assertThat(response.getHeldBy()).isEqualTo("a");
    assertThat(response.getHeldUntil()).isEqualTo(lease.getExpireTime());
    assertThat(response.getWaitersAhead()).isEqualTo(1);
    assertThat(locks().get("l").getWaitersList()).extracting(Waiter::getOwner).containsExactly("b");
    AcquireResponse atOnce = locks().refuse(locks().lock("l", "d"));
    assertThat(atOnce.getRefusal()).isEqualTo(Refusal.REFUSAL_QUEUED);
    assertThat(atOnce.getWaitersAhead()).isEqualTo(1);
    locks().release(lease);
    locks().release(LockHarness.lease(other));
  }

  @Test
  default void aWriterIsNotOvertakenByReaders() throws Exception {
    LockLease reader = locks().acquire(locks().shared("l", "r1"));
    ListenableFuture<AcquireResponse> writer =
        locks().await(locks().channelA(), locks().lock("l", "w"));
    ListenableFuture<AcquireResponse> late1 =
        locks().await(locks().channelB(), locks().shared("l", "r2"));
    ListenableFuture<AcquireResponse> late2 =
        locks().await(locks().channelA(), locks().shared("l", "r3"));
    assertThat(locks().refuse(locks().shared("l", "r4")).getRefusal())
        .isEqualTo(Refusal.REFUSAL_QUEUED);
    locks().release(reader);
    LockLease written = LockHarness.lease(writer);
    assertThat(late1.isDone() || late2.isDone()).isFalse();
    locks().release(written);
    LockLease two = LockHarness.lease(late1);
    LockLease three = LockHarness.lease(late2);
    assertThat(locks().get("l").getHeld()).isEqualTo(2);
    locks().release(two);
    locks().release(three);
  }

  @Test
  default void permitsGoToTheNextInOrderNotToTheSmallest() throws Exception {
    LockLease all = locks().acquire(locks().permits("s", "a", 4, 4));
    ListenableFuture<AcquireResponse> three =
        locks().await(locks().channelA(), locks().permits("s", "b", 3, 4));
    ListenableFuture<AcquireResponse> two =
        locks().await(locks().channelB(), locks().permits("s", "c", 2, 4));
    ListenableFuture<AcquireResponse> one =
        locks().await(locks().channelB(), locks().permits("s", "d", 1, 4));
    locks().release(all);
    LockLease held = LockHarness.lease(three);
    // One permit is free, but c is next and wants two.
    assertThat(locks().get("s").getWaiterCount()).isEqualTo(2);
    assertThat(one.isDone()).isFalse();
    locks().release(held);
    LockHarness.lease(two);
    LockHarness.lease(one);
  }

  @Test
  default void anExpiryHandsTheLockOn() throws Exception {
    LockLease dead = locks().acquire(locks().lock("l", "a").setTtl(Durations.fromSeconds(1)));
    LockLease next = LockHarness.lease(locks().send(locks().channelB(), locks().lock("l", "b")));
    long late = Durations.toMillis(Timestamps.between(dead.getExpireTime(), next.getGrantTime()));
    assertThat(late).as("milliseconds from expiry to grant").isBetween(0L, 1000L);
  }

  @Test
  default void aCallerWhoIsGoneWithoutARequestIdLosesItsPlace() throws Exception {
    LockLease lease = locks().acquire(locks().lock("l", "a"));
    ManagedChannel gone = locks().newChannelA();
    locks().await(gone, locks().lock("l", "gone"));
    ListenableFuture<AcquireResponse> next =
        locks().await(locks().channelB(), locks().lock("l", "b"));
    gone.shutdownNow();
    Awaiting.until(() -> locks().get("l").getWaiterCount() == 1);
    locks().release(lease);
    assertThat(LockHarness.lease(next).getOwner()).isEqualTo("b");
  }

  @Test
  default void aCallerWhoComesBackByAnotherServerHasKeptItsPlace() throws Exception {
    LockLease lease = locks().acquire(locks().lock("l", "a"));
    ManagedChannel gone = locks().newChannelA();
    AcquireRequest.Builder request = locks().lock("l", "b").setRequestId("b's");
    locks().await(gone, request);
    ListenableFuture<AcquireResponse> behind =
        locks().await(locks().channelA(), locks().lock("l", "c"));
    gone.shutdownNow();
    ListenableFuture<AcquireResponse> back = locks().send(locks().channelB(), request);
    // Longer than a place is kept for one who does not come back.
    long until = System.nanoTime() + 6_000_000_000L;
    Awaiting.until(() -> System.nanoTime() > until);
    assertThat(locks().get("l").getWaitersList())
        .extracting(Waiter::getOwner)
        .containsExactly("b", "c");
    locks().release(lease);
    LockLease second = LockHarness.lease(back);
    assertThat(behind.isDone()).isFalse();
    locks().release(second);
    LockHarness.lease(behind);
  }

  @Test
  default void aCallerWhoIsGoneForGoodHoldsUpTheOthersForFiveSecondsAtMost() throws Exception {
    LockLease lease = locks().acquire(locks().lock("l", "a"));
    ManagedChannel gone = locks().newChannelA();
    locks().await(gone, locks().lock("l", "gone").setRequestId("x"));
    ListenableFuture<AcquireResponse> next =
        locks().await(locks().channelB(), locks().lock("l", "b"));
    gone.shutdownNow();
    locks().release(lease);
    LockLease granted = LockHarness.lease(next);
    assertThat(Durations.toMillis(Timestamps.between(lease.getGrantTime(), granted.getGrantTime())))
        .isLessThan(7000);
  }

  @Test
  default void aRepeatWhileTheFirstCallStillWaitsIsTheSameWait() throws Exception {
    LockLease lease = locks().acquire(locks().lock("l", "a"));
    AcquireRequest.Builder request = locks().lock("l", "b").setRequestId("twice");
    ListenableFuture<AcquireResponse> one = locks().await(locks().channelA(), request);
    ListenableFuture<AcquireResponse> two = locks().send(locks().channelB(), request);
    Awaiting.until(() -> locks().get("l").getWaiterCount() == 1);
    locks().release(lease);
    assertThat(LockHarness.lease(one).getLeaseId()).isEqualTo(LockHarness.lease(two).getLeaseId());
    assertThat(locks().get("l").getHeld()).isEqualTo(1);
  }

  @Test
  default void aFirstCallWhoseTimeIsUpEndsNotTheWaitOfItsRepeat() throws Exception {
    LockLease lease = locks().acquire(locks().lock("l", "a"));
    AcquireRequest.Builder request = locks().lock("l", "b").setRequestId("r");
    ListenableFuture<AcquireResponse> one =
        locks().await(locks().channelA(), request.setWait(Durations.fromSeconds(2)));
    ListenableFuture<AcquireResponse> two =
        locks().send(locks().channelB(), request.clone().setWait(Durations.fromSeconds(30)));
    assertThat(one.get(60, TimeUnit.SECONDS).getRefusal()).isEqualTo(Refusal.REFUSAL_TIMED_OUT);
    assertThat(locks().get("l").getWaiterCount()).isEqualTo(1);
    locks().release(lease);
    locks().release(LockHarness.lease(two));
  }

  @Test
  default void aWaitThatItsRepeatGaveUpIsOverForTheFirstCallToo() throws Exception {
    LockLease lease = locks().acquire(locks().lock("l", "a"));
    AcquireRequest.Builder request = locks().lock("l", "b").setRequestId("r");
    ListenableFuture<AcquireResponse> one = locks().await(locks().channelA(), request);
    AcquireResponse gaveUp = locks().b().acquire(request.clone().clearWait().build());
    assertThat(gaveUp.getRefusal()).isEqualTo(Refusal.REFUSAL_TIMED_OUT);
    assertThat(one.get(60, TimeUnit.SECONDS).getRefusal()).isEqualTo(Refusal.REFUSAL_TIMED_OUT);
    assertThat(locks().get("l").getWaiterCount()).isZero();
    locks().release(lease);
  }

  @Test
  default void aRepeatOfAWaitInVainGetsTheSameRefusal() throws Exception {
    LockLease lease = locks().acquire(locks().lock("l", "a"));
    List<AcquireRequest.Builder> requests = new ArrayList<>();
    List<ListenableFuture<AcquireResponse>> calls = new ArrayList<>();
    for (int i = 0; i < 30; i++) {
      requests.add(
          locks()
              .lock("l", "b" + i)
              .setRequestId("r" + i)
              .setWait(Durations.fromMillis(300 + 7 * i)));
      calls.add(locks().send(locks().channelA(), requests.get(i)));
    }
    for (int i = 0; i < 30; i++) {
      AcquireResponse first = calls.get(i).get(60, TimeUnit.SECONDS);
      assertThat(first.getRefusal()).isEqualTo(Refusal.REFUSAL_TIMED_OUT);
      assertThat(locks().b().acquire(requests.get(i).build())).isEqualTo(first);
    }
    locks().release(lease);
  }

  @Test
  default void aThousandReadersAreLetInAtOnce() throws Exception {
    LockLease writer = locks().acquire(locks().lock("l", "w"));
    List<ListenableFuture<AcquireResponse>> calls = new ArrayList<>();
    for (int i = 0; i < 1000; i++) {
      calls.add(
          locks()
              .send(
                  i % 2 == 0 ? locks().channelA() : locks().channelB(),
                  locks().shared("l", "r" + i)));
    }
    Awaiting.until(() -> locks().get("l").getWaiterCount() == 1000);
    locks().release(writer);
    for (ListenableFuture<AcquireResponse> call : calls) {
      LockHarness.lease(call);
    }
    assertThat(locks().get("l").getHeld()).isEqualTo(1000);
    for (ListenableFuture<AcquireResponse> call : calls) {
      locks().release(call.get().getLease());
    }
  }

  @Test
  default void fiveThousandWaitForOneLockAndAllAreServedInOrder() throws Exception {
    LockLease lease = locks().acquire(locks().lock("l", "first"));
    BlockingQueue<ListenableFuture<AcquireResponse>> answered = new LinkedBlockingQueue<>();
    for (int i = 0; i < 5000; i++) {
      ListenableFuture<AcquireResponse> call =
          locks()
              .send(
                  i % 2 == 0 ? locks().channelA() : locks().channelB(),
                  locks().lock("l", "w" + i).setWait(Durations.fromSeconds(600)));
      call.addListener(() -> answered.add(call), Runnable::run);
    }
    Awaiting.until(() -> locks().get("l").getWaiterCount() == 5000);
    long last = lease.getFencingToken();
    locks().release(lease);
    List<LockLease> granted = new ArrayList<>();
    for (int served = 0; served < 5000; served++) {
      ListenableFuture<AcquireResponse> call = answered.poll(60, TimeUnit.SECONDS);
      assertThat(call).as("the one after %s", served).isNotNull();
      LockLease next = LockHarness.lease(call);
      assertThat(next.getFencingToken()).isGreaterThan(last);
      last = next.getFencingToken();
      granted.add(next);
      // Whoever is next hears of it only now.
      assertThat(answered).isEmpty();
      locks().release(next);
    }
    assertThat(granted).extracting(LockLease::getOwner).doesNotHaveDuplicates().hasSize(5000);
  }
}
