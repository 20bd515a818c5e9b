package dev.troupe.bench;

import com.google.protobuf.ByteString;
import dev.troupe.v1.AttemptComplete;
import dev.troupe.v1.DeliveryAck;
import dev.troupe.v1.EnqueueRequest;
import dev.troupe.v1.TaskQueueServiceGrpc;
import dev.troupe.v1.TaskSpec;
import dev.troupe.v1.WorkRequest;
import dev.troupe.v1.WorkResponse;
import dev.troupe.v1.WorkerHello;
import io.grpc.ManagedChannel;
import io.grpc.stub.StreamObserver;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import org.jspecify.annotations.Nullable;

/**
 * What a task costs through gRPC, beside an empty call to the same server. Every run does each load
 * in turn, so that ratios within a run hold on a noisy machine.
 */
final class TaskCosts {

  private static final int CALLS = 40_000;
  private static final int IN_FLIGHT = 64;
  private static final int CHANNELS = 4;
  private static final int DISPATCHES = 2000;
  private static final ByteString PAYLOAD = ByteString.copyFrom(new byte[100]);

  private final ServerUnderTest server;
  private final List<ManagedChannel> channels;

  private TaskCosts(ServerUnderTest server) {
    this.server = server;
    this.channels = ClosedLoop.channels(server.port, CHANNELS);
  }

  /** Prints a table row per load and run. */
  static void measure(Path jar, String fsync, int runs) throws Exception {
    System.out.printf("fsync %s, %d calls, %d in flight%n", fsync, CALLS, IN_FLIGHT);
    System.out.println("| run | load | per second | server CPU µs each | Redis CPU µs each |");
    System.out.println("|---|---|---|---|---|");
    try (ServerUnderTest server = new ServerUnderTest(jar, "--redis.fsync=" + fsync)) {
      TaskCosts bench = new TaskCosts(server);
      try {
        for (int warmUp = 0; warmUp < 2; warmUp++) {
          bench.measure(null, "", bench::echo);
          bench.measure(null, "", bench::enqueue);
          bench.measure(null, "", bench::work);
        }
        for (int run = 1; run <= runs; run++) {
          bench.measure(run, "empty call (health check)", bench::echo);
          bench.measure(run, "enqueue", bench::enqueue);
          bench.measure(run, "lease, acknowledge, complete", bench::work);
          bench.dispatch(run);
        }
      } finally {
        bench.channels.forEach(ManagedChannel::shutdownNow);
      }
    }
  }

  private interface Load {
    void run() throws InterruptedException;
  }

  private void measure(@Nullable Integer run, String name, Load load) throws InterruptedException {
    Duration serverBefore = server.serverCpu();
    Duration redisBefore = server.redisCpu();
    long begin = System.nanoTime();
    load.run();
    double seconds = (System.nanoTime() - begin) / 1e9;
    if (run != null) {
      System.out.printf(
          "| %d | %s | %.0f | %.1f | %.1f |%n",
          run,
          name,
          CALLS / seconds,
          server.serverCpu().minus(serverBefore).toNanos() / 1e3 / CALLS,
          server.redisCpu().minus(redisBefore).toNanos() / 1e3 / CALLS);
    }
  }

  private void echo() throws InterruptedException {
    ClosedLoop.run(channels, CALLS, IN_FLIGHT, UnaryCall.EMPTY);
  }

  private void enqueue() throws InterruptedException {
    ClosedLoop.run(channels, CALLS, IN_FLIGHT, UnaryCall.ENQUEUE);
  }

  /** Works off what {@link #enqueue} left, with one worker per channel. */
  private void work() throws InterruptedException {
    CountDownLatch all = new CountDownLatch(CALLS);
    List<Worker> workers = new ArrayList<>();
    for (int i = 0; i < CHANNELS; i++) {
      workers.add(
          new Worker(
              channels.get(i), "worker-" + i, "bench", IN_FLIGHT / CHANNELS, all::countDown));
    }
    all.await();
    workers.forEach(Worker::close);
  }

  /** From the call of enqueue to the task's arrival at a waiting worker, one at a time. */
  private void dispatch(int run) throws InterruptedException {
    LinkedBlockingQueue<Long> arrivals = new LinkedBlockingQueue<>();
    double[] micros = new double[DISPATCHES];
    Worker worker =
        new Worker(
            channels.get(0), "waiting", "dispatch", 1, () -> arrivals.add(System.nanoTime()));
    EnqueueRequest request =
        EnqueueRequest.newBuilder()
            .setQueue("dispatch")
            .setTask(TaskSpec.newBuilder().setPayload(PAYLOAD))
            .build();
    for (int i = 0; i < DISPATCHES; i++) {
      long begin = System.nanoTime();
      TaskQueueServiceGrpc.newBlockingStub(channels.get(1)).enqueue(request);
      micros[i] = (arrivals.take() - begin) / 1e3;
    }
    worker.close();
    Arrays.sort(micros);
    System.out.printf(
        "| %d | dispatch: enqueue to completed at an idle worker, µs | p50 %.0f, p99 %.0f | | |%n",
        run, micros[DISPATCHES / 2], micros[DISPATCHES * 99 / 100]);
  }

  /** Completes whatever it gets at once. */
  private static final class Worker {
    private final StreamObserver<WorkRequest> up;

    Worker(ManagedChannel channel, String id, String queue, int slots, Runnable completed) {
      Relay relay = new Relay(completed);
      up = TaskQueueServiceGrpc.newStub(channel).work(relay);
      relay.up = up;
      up.onNext(
          WorkRequest.newBuilder()
              .setHello(WorkerHello.newBuilder().setWorkerId(id).addQueues(queue).setSlots(slots))
              .build());
    }

    void close() {
      up.onCompleted();
    }
  }

  private static final class Relay implements StreamObserver<WorkResponse> {
    private final Runnable completed;
    volatile @Nullable StreamObserver<WorkRequest> up;

    Relay(Runnable completed) {
      this.completed = completed;
    }

    @Override
    public void onNext(WorkResponse response) {
      StreamObserver<WorkRequest> stream = up;
      if (response.hasOutcome()) {
        completed.run();
      } else if (response.hasTask() && stream != null) {
        synchronized (this) {
          stream.onNext(
              WorkRequest.newBuilder()
                  .setDeliveryAck(
                      DeliveryAck.newBuilder().addAttempts(response.getTask().getAttempt()))
                  .build());
          stream.onNext(
              WorkRequest.newBuilder()
                  .setComplete(
                      AttemptComplete.newBuilder().setAttempt(response.getTask().getAttempt()))
                  .build());
        }
      }
    }

    @Override
    public void onError(Throwable failure) {
      throw new IllegalStateException("the worker's stream broke", failure);
    }

    @Override
    public void onCompleted() {}
  }
}
