package dev.troupe.server.crash;

import com.google.protobuf.ByteString;
import dev.troupe.v1.Attempt;
import dev.troupe.v1.AttemptComplete;
import dev.troupe.v1.DeliveryAck;
import dev.troupe.v1.LeasedTask;
import dev.troupe.v1.TaskQueueServiceGrpc;
import dev.troupe.v1.WorkRequest;
import dev.troupe.v1.WorkResponse;
import dev.troupe.v1.WorkerHeartbeat;
import dev.troupe.v1.WorkerHello;
import io.grpc.ManagedChannel;
import io.grpc.netty.NettyChannelBuilder;
import io.grpc.stub.StreamObserver;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * A worker that completes whatever it gets after a moment, comes back when its stream breaks, and
 * reports again what got no outcome. Everything it does is on one thread.
 */
final class CrashWorker implements AutoCloseable {

  private final ManagedChannel channel;
  private final String id;
  private final String queue;
  private final int slots;
  private final long workMillis;
  private final ScheduledExecutorService thread = Executors.newSingleThreadScheduledExecutor();
  private final Map<Attempt, Boolean> finishedByAttempt = new HashMap<>();
  private @Nullable StreamObserver<WorkRequest> stream;
  private int streams;

  CrashWorker(int port, String id, String queue, int slots, long workMillis) {
    this.channel = NettyChannelBuilder.forAddress("127.0.0.1", port).usePlaintext().build();
    this.id = id;
    this.queue = queue;
    this.slots = slots;
    this.workMillis = workMillis;
    thread.execute(this::connect);
    thread.scheduleWithFixedDelay(this::heartbeat, 1, 1, TimeUnit.SECONDS);
  }

  /** For a process of its own: port, worker id, queue, slots, milliseconds per task. */
  public static void main(String[] arguments) {
    new CrashWorker(
        Integer.parseInt(arguments[0]),
        arguments[1],
        arguments[2],
        Integer.parseInt(arguments[3]),
        Long.parseLong(arguments[4]));
    System.out.println("working");
  }

  private void connect() {
    int number = ++streams;
    StreamObserver<WorkRequest> opened =
        TaskQueueServiceGrpc.newStub(channel)
            .work(
                new StreamObserver<>() {
                  @Override
                  public void onNext(WorkResponse response) {
                    thread.execute(() -> heard(response));
                  }

                  @Override
                  public void onError(Throwable failure) {
                    again(number);
                  }

                  @Override
                  public void onCompleted() {
                    again(number);
                  }
                });
    WorkerHello.Builder hello =
        WorkerHello.newBuilder().setWorkerId(id).addQueues(queue).setSlots(slots);
    hello.addAllHeld(finishedByAttempt.keySet());
    stream = opened;
    send(WorkRequest.newBuilder().setHello(hello).build());
  }

  private void again(int number) {
    thread.schedule(
        () -> {
          if (number == streams) {
            connect();
          }
        },
        100,
        TimeUnit.MILLISECONDS);
  }

  private void heard(WorkResponse response) {
    switch (response.getMessageCase()) {
      case WELCOME ->
          finishedByAttempt.forEach(
              (attempt, finished) -> {
                if (finished) {
                  report(attempt);
                }
              });
      case TASK -> begin(response.getTask());
      case OUTCOME -> {
        switch (response.getOutcome().getError().getReason()) {
          // Not known to be done: the same report again is harmless.
          case ERROR_REASON_STORE_UNAVAILABLE,
              ERROR_REASON_OUTCOME_UNKNOWN,
              ERROR_REASON_INTERNAL ->
              thread.schedule(
                  () -> report(response.getOutcome().getAttempt()), 100, TimeUnit.MILLISECONDS);
          default -> finishedByAttempt.remove(response.getOutcome().getAttempt());
        }
      }
      case STOP -> finishedByAttempt.remove(response.getStop().getAttempt());
      default -> {
        // A drain is followed by the end of the stream.
      }
    }
  }

  private void begin(LeasedTask task) {
    Attempt attempt = task.getAttempt();
    finishedByAttempt.put(attempt, false);
    send(
        WorkRequest.newBuilder()
            .setDeliveryAck(DeliveryAck.newBuilder().addAttempts(attempt))
            .build());
    thread.schedule(
        () -> {
          if (finishedByAttempt.replace(attempt, true) != null) {
            report(attempt);
          }
        },
        workMillis,
        TimeUnit.MILLISECONDS);
  }

  private void report(Attempt attempt) {
    if (finishedByAttempt.containsKey(attempt)) {
      send(
          WorkRequest.newBuilder()
              .setComplete(
                  AttemptComplete.newBuilder()
                      .setAttempt(attempt)
                      .setResult(ByteString.copyFromUtf8("done by " + id)))
              .build());
    }
  }

  private void heartbeat() {
    send(WorkRequest.newBuilder().setHeartbeat(WorkerHeartbeat.getDefaultInstance()).build());
  }

  private void send(WorkRequest request) {
    StreamObserver<WorkRequest> open = stream;
    if (open == null) {
      return;
    }
    try {
      open.onNext(request);
    } catch (IllegalStateException e) {
      // The stream is over; the next one repeats what matters.
    }
  }

  @Override
  public void close() throws InterruptedException {
    thread.shutdownNow();
    channel.shutdownNow().awaitTermination(5, TimeUnit.SECONDS);
  }
}
