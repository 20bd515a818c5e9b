package dev.troupe.server.lock;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.common.util.concurrent.ListenableFuture;
import com.google.protobuf.util.Durations;
import dev.troupe.v1.AcquireAllRequest;
import dev.troupe.v1.AcquireAllResponse;
import dev.troupe.v1.AcquireResponse;
import dev.troupe.v1.LockLease;
import dev.troupe.v1.LockServiceGrpc;
import dev.troupe.v1.LockTarget;
import dev.troupe.v1.Refusal;
import io.grpc.ManagedChannel;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** Several locks: all or none, whatever partitions they are in. */
interface LockSetContract extends LockContract {

  private AcquireAllRequest.Builder all(String owner, String... names) {
    AcquireAllRequest.Builder request =
        AcquireAllRequest.newBuilder()
            .setNamespace(locks().namespace())
            .setOwner(owner)
            .setTtl(Durations.fromSeconds(20));
    for (String name : names) {
      request.addLocks(LockTarget.newBuilder().setName(name));
    }
    return request;
  }

  private static ListenableFuture<AcquireAllResponse> send(
      ManagedChannel channel, AcquireAllRequest.Builder request) {
    return LockServiceGrpc.newFutureStub(channel)
        .withDeadlineAfter(60, TimeUnit.SECONDS)
        .acquireAll(request.setWait(Durations.fromSeconds(40)).build());
  }

  @Test
  default void allAreGrantedInTheOrderOfTheRequest() {
    AcquireAllRequest request = all("a", "z", "y", "x", "w", "v").setRequestId("r").build();
    AcquireAllResponse response = locks().a().acquireAll(request);
    assertThat(response.getLeasesList())
        .extracting(LockLease::getName)
        .containsExactly("z", "y", "x", "w", "v");
    assertThat(locks().b().acquireAll(request).getLeasesList())
        .extracting(LockLease::getLeaseId)
        .isEqualTo(response.getLeasesList().stream().map(LockLease::getLeaseId).toList());
    response.getLeasesList().forEach(lease -> assertThat(locks().release(lease)).isTrue());
  }

  @Test
  default void noneIsGrantedWhenOneIsHeld() {
    locks().acquire(locks().lock("y", "other"));
    AcquireAllResponse response = locks().b().acquireAll(all("a", "x", "y", "z", "v", "w").build());
    assertThat(response.getLeasesList()).isEmpty();
    assertThat(response.getRefusal()).isEqualTo(Refusal.REFUSAL_HELD);
    assertThat(response.getHeldName()).isEqualTo("y");
    assertThat(response.getHeldBy()).isEqualTo("other");
    for (String name : List.of("x", "z", "v", "w")) {
      Awaiting.until(() -> locks().get(name).getHeld() == 0);
    }
  }

  @Test
  default void aSetIsGrantedWhenItsLastLockIsFree() throws Exception {
    LockLease x = locks().acquire(locks().lock("x", "one"));
    LockLease y = locks().acquire(locks().lock("y", "two"));
    ListenableFuture<AcquireAllResponse> set = send(locks().channelB(), all("a", "x", "y"));
    Awaiting.until(() -> locks().get("x").getWaiterCount() + locks().get("y").getWaiterCount() > 0);
    locks().release(x);
    assertThat(set.isDone()).isFalse();
    locks().release(y);
    assertThat(set.get(60, TimeUnit.SECONDS).getLeasesList()).hasSize(2);
  }

  @Test
  default void setsThatOverlapAreAllServed() throws Exception {
    Random random = new Random(7);
    List<ListenableFuture<AcquireAllResponse>> calls = new ArrayList<>();
    int[] holders = new int[8];
    for (int i = 0; i < 60; i++) {
      List<String> names = new ArrayList<>();
      while (names.size() < 3) {
        String name = "l" + random.nextInt(holders.length);
        if (!names.contains(name)) {
          names.add(name);
        }
      }
      calls.add(
          send(
              i % 2 == 0 ? locks().channelA() : locks().channelB(),
              all("o" + i, names.toArray(String[]::new))));
    }
    List<ListenableFuture<AcquireAllResponse>> open = new ArrayList<>(calls);
    while (!open.isEmpty()) {
      Awaiting.until(() -> open.stream().anyMatch(ListenableFuture::isDone));
      ListenableFuture<AcquireAllResponse> done =
          open.stream().filter(ListenableFuture::isDone).findFirst().orElseThrow();
      open.remove(done);
      AcquireAllResponse response = done.get();
      assertThat(response.getLeasesList()).hasSize(3);
      for (LockLease lease : response.getLeasesList()) {
        assertThat(locks().get(lease.getName()).getHolders(0).getOwner())
            .isEqualTo(lease.getOwner());
        locks().release(lease);
      }
    }
  }

  @Test
  default void whoeverWaitsBehindASetThatGaveUpIsServedInOrderAndAlone() throws Exception {
    List<String> names = locks().neighbours(3);
    String a = names.get(0);
    String b = names.get(1);
    String c = names.get(2);
    LockLease held = locks().acquire(locks().lock(c, "holder"));
    ListenableFuture<AcquireAllResponse> first =
        LockServiceGrpc.newFutureStub(locks().channelA())
            .withDeadlineAfter(60, TimeUnit.SECONDS)
            .acquireAll(all("first", a, b, c).setWait(Durations.fromSeconds(2)).build());
    Awaiting.until(() -> locks().get(a).getWaiterCount() == 1);
    ListenableFuture<AcquireAllResponse> second = send(locks().channelB(), all("second", a, b));
    Awaiting.until(() -> locks().get(a).getWaiterCount() == 2);
    ListenableFuture<AcquireResponse> lateA =
        locks().await(locks().channelA(), locks().lock(a, "late a"));
    ListenableFuture<AcquireResponse> lateB =
        locks().await(locks().channelA(), locks().lock(b, "late b"));
    assertThat(first.get(60, TimeUnit.SECONDS).getRefusal()).isEqualTo(Refusal.REFUSAL_TIMED_OUT);
    List<LockLease> leases = second.get(60, TimeUnit.SECONDS).getLeasesList();
    assertThat(leases).hasSize(2);
    assertThat(locks().get(a).getHeld()).isEqualTo(1);
    assertThat(locks().get(b).getHeld()).isEqualTo(1);
    assertThat(lateA.isDone() || lateB.isDone()).isFalse();
    leases.forEach(lease -> locks().release(lease));
    locks().release(LockHarness.lease(lateA));
    locks().release(LockHarness.lease(lateB));
    locks().release(held);
  }
}
