package dev.troupe.server.lock.history;

import static org.assertj.core.api.Assertions.assertThat;

import dev.troupe.v1.AcquireRequest;
import dev.troupe.v1.EventDelivery;
import dev.troupe.v1.EventStreamServiceGrpc;
import dev.troupe.v1.GetLockRequest;
import dev.troupe.v1.LockChange;
import dev.troupe.v1.LockInfo;
import dev.troupe.v1.LockServiceGrpc;
import dev.troupe.v1.StartPosition;
import dev.troupe.v1.SubscribeRequest;
import dev.troupe.v1.SubscribeResponse;
import io.grpc.ManagedChannel;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.stream.IntStream;
import org.awaitility.Awaitility;

/** A run of many clients, first without faults, then under them, and the check of its history. */
public final class HistoryRun {

  /** Something that goes wrong. */
  public interface Fault {
    void happen() throws Exception;
  }

  private static final int SEMAPHORE = 3;

  private final String namespace = "history-" + UUID.randomUUID();
  private final List<ManagedChannel> servers;
  private final int clients;
  private final List<String> locks;
  private final History history = new History();
  private final long begunNanos = System.nanoTime();
  private long quietOperations;

  /** Prepares clients on some servers that share some locks. */
  public HistoryRun(List<ManagedChannel> servers, int clients, int locks) {
    this.servers = servers;
    this.clients = clients;
    this.locks = IntStream.range(0, locks).mapToObj(i -> "lock-" + i).toList();
  }

  /** Runs so many operations while nothing goes wrong. */
  public void quiet(long operations) throws Exception {
    List<Thread> threads = begin(() -> history.operations.get() < operations);
    for (Thread thread : threads) {
      thread.join();
    }
    quietOperations = history.operations.get();
    assertThat(history.unknown).as("calls that failed without a fault").hasValue(0);
  }

  /** Runs so many operations while one thing after the other goes wrong; says how many did. */
  public int underFaults(long operations, Fault fault) throws Exception {
    long end = history.operations.get() + operations;
    AtomicBoolean broken = new AtomicBoolean();
    List<Thread> threads = begin(() -> history.operations.get() < end && !broken.get());
    int faults = 0;
    while (threads.stream().anyMatch(Thread::isAlive)) {
      pause(700);
      if (history.operations.get() < end) {
        try {
          fault.happen();
        } catch (Exception e) {
          broken.set(true);
          throw e;
        }
        faults++;
      }
    }
    return faults;
  }

  private List<Thread> begin(BooleanSupplier goOn) {
    List<Thread> threads = new ArrayList<>();
    for (int i = 0; i < clients; i++) {
      Thread thread =
          new Thread(new Customer(i, namespace, servers, locks, history, goOn), "customer-" + i);
      thread.setDaemon(true);
      thread.start();
      threads.add(thread);
    }
    return threads;
  }

  private static void pause(long millis) {
    long end = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(millis);
    while (System.nanoTime() < end) {
      LockSupport.parkNanos(end - System.nanoTime());
    }
  }

  /** Fails if any promise was broken, and says what the run was. */
  public void check(int faults) {
    // Whoever was forgotten would still be there: all leases run out, and so do all waits.
    for (String lock : locks) {
      Awaitility.await()
          .ignoreExceptions()
          .untilAsserted(
              () -> {
                LockInfo left = get(lock);
                assertThat(left.getHoldersList()).as("holders of %s", lock).isEmpty();
                assertThat(left.getWaitersList()).as("waiters for %s", lock).isEmpty();
              });
    }
    List<LockChange> changes = changes();
    HistoryCheck check = new HistoryCheck(SEMAPHORE);
    check.tenures(history.tenures());
    check.log(changes, history.tenures());
    System.out.printf(
        "lock history: %d operations (%d without faults), %d faults, %d grants, %d refused, %d late"
            + " writes refused, %d outcomes unknown, %d log entries, %d s%n",
        history.operations.get(),
        quietOperations,
        faults,
        history.grants.get(),
        history.refusals.get(),
        history.lateWritesRefused.get(),
        history.unknown.get(),
        changes.size(),
        (System.nanoTime() - begunNanos) / 1_000_000_000);
    assertThat(history.violations()).as("what clients saw").isEmpty();
    assertThat(check.violations()).as("what does not fit together").isEmpty();
    assertThat(history.grants.get()).as("grants").isGreaterThan(history.operations.get() / 20);
  }

  private LockInfo get(String lock) {
    return LockServiceGrpc.newBlockingStub(servers.get(0))
        .withDeadlineAfter(3, TimeUnit.SECONDS)
        .getLock(GetLockRequest.newBuilder().setNamespace(namespace).setName(lock).build())
        .getLock();
  }

  private List<LockChange> changes() {
    // The last entry that is sure to come: this one.
    LockServiceGrpc.newBlockingStub(servers.get(0))
        .withDeadlineAfter(10, TimeUnit.SECONDS)
        .acquire(
            AcquireRequest.newBuilder()
                .setNamespace(namespace)
                .setName("the end")
                .setOwner("check")
                .build());
    Iterator<SubscribeResponse> stream =
        EventStreamServiceGrpc.newBlockingStub(servers.get(0))
            .withDeadlineAfter(120, TimeUnit.SECONDS)
            .subscribe(
                SubscribeRequest.newBuilder()
                    .setNamespace(namespace)
                    .addTopics("troupe.locks")
                    .setStart(StartPosition.START_POSITION_BEGINNING)
                    .build());
    List<LockChange> changes = new ArrayList<>();
    while (true) {
      SubscribeResponse response = stream.next();
      assertThat(response.hasGap()).as("%s", response).isFalse();
      for (EventDelivery delivery : response.getBatch().getDeliveriesList()) {
        LockChange change = delivery.getEvent().getLock();
        if (change.getName().equals("the end")) {
          return changes;
        }
        changes.add(change);
      }
    }
  }
}
