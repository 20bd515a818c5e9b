package dev.troupe.server.lock.history;

import com.google.protobuf.util.Durations;
import dev.troupe.server.grpc.Outage;
import dev.troupe.v1.AcquireRequest;
import dev.troupe.v1.AcquireResponse;
import dev.troupe.v1.Event;
import dev.troupe.v1.EventStreamServiceGrpc;
import dev.troupe.v1.LockLease;
import dev.troupe.v1.LockMode;
import dev.troupe.v1.LockServiceGrpc;
import dev.troupe.v1.PublishRequest;
import dev.troupe.v1.ReleaseLockRequest;
import dev.troupe.v1.RenewRequest;
import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.util.List;
import java.util.Random;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;

/**
 * One client. It acquires, holds, renews and releases; now and then it pauses past its lease and
 * then writes under its fence, or is gone without a word. What fails for now it repeats under the
 * same request id, by any server.
 */
final class Customer implements Runnable {

  private static final int SEMAPHORE = 3;

  /** A wait has to be answered so long after its end, whatever happened. */
  private static final long FORGOTTEN_NANOS = TimeUnit.SECONDS.toNanos(45);

  private final String owner;
  private final String namespace;
  private final List<ManagedChannel> servers;
  private final List<String> locks;
  private final History history;
  private final BooleanSupplier goOn;
  private final Random random;

  Customer(
      int number,
      String namespace,
      List<ManagedChannel> servers,
      List<String> locks,
      History history,
      BooleanSupplier goOn) {
    this.owner = "customer-" + number;
    this.namespace = namespace;
    this.servers = servers;
    this.locks = locks;
    this.history = history;
    this.goOn = goOn;
    this.random = new Random(number);
  }

  @Override
  public void run() {
    while (goOn.getAsBoolean()) {
      try {
        visit();
      } catch (StatusRuntimeException e) {
        if (!passes(e)) {
          history.violation(owner + ": " + e);
          return;
        }
        history.unknown.incrementAndGet();
      } catch (RuntimeException | Error e) {
        history.violation(owner + ": " + e);
        return;
      }
    }
  }

  private void visit() {
    int which = random.nextInt(locks.size());
    String lock = locks.get(which);
    AcquireRequest.Builder request =
        AcquireRequest.newBuilder()
            .setNamespace(namespace)
            .setName(lock)
            .setOwner(owner)
            .setTtl(Durations.fromMillis(1000 + random.nextInt(1000)))
            .setRequestId(UUID.randomUUID().toString());
    switch (which % 4) {
      case 2 -> {
        if (random.nextBoolean()) {
          request.setMode(LockMode.LOCK_MODE_SHARED);
        }
      }
      case 3 ->
          request
              .setMode(LockMode.LOCK_MODE_SEMAPHORE)
              .setLimit(SEMAPHORE)
              .setPermits(1 + random.nextInt(2));
      default -> request.setMode(LockMode.LOCK_MODE_EXCLUSIVE);
    }
    long waitMillis = random.nextInt(3) == 0 ? 0 : 200 + random.nextInt(4000);
    AcquireResponse response = acquire(request, waitMillis);
    if (!response.hasLease()) {
      history.refusals.incrementAndGet();
      return;
    }
    LockLease lease = response.getLease();
    history.granted(lock, lease.getFencingToken());
    // Only a renewal tells how long it lasts by our own clock.
    long heardNanos = System.nanoTime();
    long safeUntil = renew(lease);
    if (safeUntil == 0) {
      return;
    }
    use(lease, heardNanos, safeUntil);
  }

  private AcquireResponse acquire(AcquireRequest.Builder request, long waitMillis) {
    long end = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(waitMillis);
    while (true) {
      long left = Math.max(0, end - System.nanoTime());
      request.setWait(Durations.fromNanos(left));
      history.operations.incrementAndGet();
      try {
        return LockServiceGrpc.newBlockingStub(server())
            .withDeadlineAfter(left + TimeUnit.SECONDS.toNanos(3), TimeUnit.NANOSECONDS)
            .acquire(request.build());
      } catch (StatusRuntimeException e) {
        if (e.getStatus().getCode() == Status.Code.ABORTED) {
          history.deadlocks.incrementAndGet();
          return AcquireResponse.getDefaultInstance();
        }
        if (!passes(e)) {
          throw e;
        }
        if (System.nanoTime() - end > FORGOTTEN_NANOS) {
          history.violation("forgotten: " + request + e);
          throw e;
        }
        pause(20);
      }
    }
  }

  /** Until when the lease is sure to last; 0 when it is over or nobody knows. */
  private long renew(LockLease lease) {
    long asked = System.nanoTime();
    try {
      call(
          () ->
              LockServiceGrpc.newBlockingStub(server())
                  .withDeadlineAfter(3, TimeUnit.SECONDS)
                  .renew(
                      RenewRequest.newBuilder()
                          .setNamespace(namespace)
                          .setName(lease.getName())
                          .setLeaseId(lease.getLeaseId())
                          .build()));
      return asked + Durations.toNanos(lease.getTtl());
    } catch (StatusRuntimeException e) {
      if (passes(e) || e.getStatus().getCode() == Status.Code.FAILED_PRECONDITION) {
        return 0;
      }
      throw e;
    }
  }

  private void use(LockLease lease, long from, long safeUntil) {
    long until = safeUntil;
    int fate = random.nextInt(100);
    if (fate < 3) {
      hold(lease, from, until);
      // Gone without a word.
      return;
    }
    if (fate < 6) {
      hold(lease, from, until);
      pause(Durations.toMillis(lease.getTtl()) + 300);
      writeLate(lease);
      return;
    }
    if (fate < 20) {
      for (int i = 0; i < 3; i++) {
        pause(random.nextInt(60));
        long longer = renew(lease);
        if (longer == 0) {
          hold(lease, from, until);
          return;
        }
        until = longer;
      }
    } else {
      pause(random.nextInt(3));
    }
    long released = System.nanoTime();
    hold(lease, from, Math.min(until, released));
    call(
        () ->
            LockServiceGrpc.newBlockingStub(server())
                .withDeadlineAfter(3, TimeUnit.SECONDS)
                .releaseLock(
                    ReleaseLockRequest.newBuilder()
                        .setNamespace(namespace)
                        .setName(lease.getName())
                        .setLeaseId(lease.getLeaseId())
                        .setRequestId(UUID.randomUUID().toString())
                        .build()));
  }

  private void hold(LockLease lease, long from, long until) {
    if (until > from) {
      history.held(
          new Tenure(
              lease.getName(),
              lease.getMode(),
              lease.getPermits(),
              owner,
              lease.getFencingToken(),
              from,
              until));
    }
  }

  /** A zombie's write has to be refused once somebody else has the lock. */
  private void writeLate(LockLease lease) {
    boolean overtaken = history.highest(lease.getName()) > lease.getFencingToken();
    try {
      call(
          () ->
              EventStreamServiceGrpc.newBlockingStub(server())
                  .withDeadlineAfter(3, TimeUnit.SECONDS)
                  .publish(
                      PublishRequest.newBuilder()
                          .setNamespace(namespace)
                          .setTopic("late")
                          .setEvent(Event.newBuilder().setType("late").setSource(owner))
                          .setFence(lease.getFence())
                          .build()));
      // The topic is in the lock's partition, so that nobody need have written before.
      history.violation("a late write passed, overtaken: " + overtaken + " " + lease);
    } catch (StatusRuntimeException e) {
      if (e.getStatus().getCode() == Status.Code.FAILED_PRECONDITION) {
        history.lateWritesRefused.incrementAndGet();
      } else if (!passes(e)) {
        throw e;
      }
    }
  }

  private <T> T call(Supplier<T> call) {
    history.operations.incrementAndGet();
    return call.get();
  }

  private ManagedChannel server() {
    return servers.get(random.nextInt(servers.size()));
  }

  private static boolean passes(StatusRuntimeException failure) {
    return switch (failure.getStatus().getCode()) {
      case DEADLINE_EXCEEDED, CANCELLED -> true;
      default -> Outage.explains(failure);
    };
  }

  /** What a client does between its calls takes its time. */
  private static void pause(long millis) {
    long end = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(millis);
    while (System.nanoTime() < end) {
      LockSupport.parkNanos(end - System.nanoTime());
    }
  }
}
