package dev.troupe.server.lock;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.common.util.concurrent.ListenableFuture;
import dev.troupe.server.grpc.Refusal;
import dev.troupe.v1.AcquireResponse;
import dev.troupe.v1.LockLease;
import io.grpc.ManagedChannel;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Circles of owners are found at the wait that closes them, and opened there. */
interface LockDeadlockContract extends LockContract {

  @Test
  default void theWaitThatClosesACircleOfTwoIsRefusedWithTheCircle() throws Exception {
    LockLease x = locks().acquire(locks().lock("x", "a"));
    LockLease y = locks().acquire(locks().lock("y", "b"));
    ListenableFuture<AcquireResponse> aWaits =
        locks().await(locks().channelA(), locks().lock("y", "a"));
    Refusal refusal = Refusal.of(locks().send(locks().channelB(), locks().lock("x", "b")));
    assertThat(refusal.what()).isEqualTo("ABORTED DEADLOCK");
    assertThat(refusal.metadata().get("circle"))
        .contains("b waits for x behind a", "a waits for y behind b");
    assertThat(aWaits.isDone()).isFalse();
    locks().release(y);
    LockHarness.lease(aWaits);
    locks().release(x);
  }

  @Test
  default void aCircleOfTenOverTwoServersIsFound() throws Exception {
    int size = 10;
    List<LockLease> held = new ArrayList<>();
    for (int i = 0; i < size; i++) {
      held.add(locks().acquire(locks().lock("l" + i, "o" + i)));
    }
    List<ListenableFuture<AcquireResponse>> waits = new ArrayList<>();
    for (int i = 0; i < size - 1; i++) {
      ManagedChannel channel = i % 2 == 0 ? locks().channelA() : locks().channelB();
      waits.add(locks().await(channel, locks().lock("l" + (i + 1), "o" + i)));
    }
    Refusal refusal =
        Refusal.of(locks().send(locks().channelA(), locks().lock("l0", "o" + (size - 1))));
    assertThat(refusal.what()).isEqualTo("ABORTED DEADLOCK");
    // The refused owner gives up what it has, and all the others get on.
    locks().release(held.get(size - 1));
    for (int i = size - 2; i >= 0; i--) {
      LockLease lease = LockHarness.lease(waits.get(i));
      locks().release(lease);
      locks().release(held.get(i));
    }
  }

  @Test
  default void twoReadersWhoBothWantToWriteAreACircle() throws Exception {
    LockLease a = locks().acquire(locks().shared("l", "a"));
    LockLease b = locks().acquire(locks().shared("l", "b"));
    ListenableFuture<AcquireResponse> first =
        locks().await(locks().channelA(), locks().lock("l", "a"));
    Refusal refusal = Refusal.of(locks().send(locks().channelB(), locks().lock("l", "b")));
    assertThat(refusal.what()).isEqualTo("ABORTED DEADLOCK");
    locks().release(b);
    locks().release(a);
    LockHarness.lease(first);
  }

  @Test
  default void aWriterWhoWaitsBetweenTwoReadersIsPartOfTheCircle() throws Exception {
    LockLease x = locks().acquire(locks().shared("x", "reader"));
    LockLease y = locks().acquire(locks().lock("y", "late"));
    ListenableFuture<AcquireResponse> writer =
        locks().await(locks().channelA(), locks().lock("x", "writer"));
    ListenableFuture<AcquireResponse> reader =
        locks().await(locks().channelB(), locks().lock("y", "reader"));
    // Behind the writer, who waits for the reader, who waits for us.
    Refusal refusal = Refusal.of(locks().send(locks().channelB(), locks().shared("x", "late")));
    assertThat(refusal.what()).isEqualTo("ABORTED DEADLOCK");
    locks().release(y);
    locks().release(LockHarness.lease(reader));
    locks().release(x);
    LockHarness.lease(writer);
  }

  @Test
  default void circlesThatCloseFromTwoSidesAtOnceLoseOneWaitOnly() throws Exception {
    for (int round = 0; round < 20; round++) {
      String x = "x" + round;
      String y = "y" + round;
      LockLease heldX = locks().acquire(locks().lock(x, "a"));
      LockLease heldY = locks().acquire(locks().lock(y, "b"));
      ListenableFuture<AcquireResponse> a = locks().send(locks().channelA(), locks().lock(y, "a"));
      ListenableFuture<AcquireResponse> b = locks().send(locks().channelB(), locks().lock(x, "b"));
      Awaiting.until(() -> a.isDone() || b.isDone());
      boolean aRefused = a.isDone();
      assertThat(Refusal.of(aRefused ? a : b).what()).isEqualTo("ABORTED DEADLOCK");
      locks().release(aRefused ? heldX : heldY);
      locks().release(LockHarness.lease(aRefused ? b : a));
      locks().release(aRefused ? heldY : heldX);
    }
  }

  @Test
  default void aChainIsNoCircle() throws Exception {
    LockLease x = locks().acquire(locks().lock("x", "a"));
    LockLease y = locks().acquire(locks().lock("y", "b"));
    ListenableFuture<AcquireResponse> b = locks().await(locks().channelA(), locks().lock("x", "b"));
    ListenableFuture<AcquireResponse> c = locks().await(locks().channelB(), locks().lock("y", "c"));
    assertThat(b.isDone() || c.isDone()).isFalse();
    locks().release(x);
    locks().release(LockHarness.lease(b));
    locks().release(y);
    LockHarness.lease(c);
  }

  @Test
  default void aCircleOfLongNamesIsToldAsFarAsItFits() throws Exception {
    int size = 4;
    List<LockLease> held = new ArrayList<>();
    List<ListenableFuture<AcquireResponse>> waits = new ArrayList<>();
    for (int i = 0; i < size; i++) {
      held.add(locks().acquire(locks().lock(longName("l", i), longName("o", i))));
    }
    for (int i = 0; i < size - 1; i++) {
      waits.add(
          locks().await(locks().channelA(), locks().lock(longName("l", i + 1), longName("o", i))));
    }
    Refusal refusal =
        Refusal.of(
            locks()
                .send(locks().channelB(), locks().lock(longName("l", 0), longName("o", size - 1))));
    assertThat(refusal.what()).isEqualTo("ABORTED DEADLOCK");
    assertThat(refusal.metadata().get("circle")).contains("waits for").endsWith("and so on");
    for (int i = size - 1; i > 0; i--) {
      locks().release(held.get(i));
      locks().release(LockHarness.lease(waits.get(i - 1)));
    }
  }

  /** As long as a name may be, of characters that take three bytes. */
  private static String longName(String what, int i) {
    return what + i + "\u20ac".repeat(84);
  }
}
