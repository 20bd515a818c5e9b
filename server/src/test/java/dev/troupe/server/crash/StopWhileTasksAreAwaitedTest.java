package dev.troupe.server.crash;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.common.util.concurrent.ListenableFuture;
import com.google.protobuf.util.Durations;
import dev.troupe.server.grpc.Refusal;
import dev.troupe.v1.EnqueueRequest;
import dev.troupe.v1.GetTaskRequest;
import dev.troupe.v1.LeaseRequest;
import dev.troupe.v1.TaskQueueServiceGrpc;
import dev.troupe.v1.TaskQueueServiceGrpc.TaskQueueServiceFutureStub;
import dev.troupe.v1.TaskSpec;
import dev.troupe.v1.WaitTaskRequest;
import io.grpc.ManagedChannel;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** Who waits for a task, or for the end of one, on a server that is told to stop. */
final class StopWhileTasksAreAwaitedTest {

  @Test
  void waitingCallsAreToldToWaitElsewhere() throws Exception {
    ManagedChannel channel;
    List<ListenableFuture<?>> waiting;
    try (TroupeProcess server = new TroupeProcess()) {
      channel = server.channel();
      TaskQueueServiceFutureStub tasks =
          TaskQueueServiceGrpc.newFutureStub(channel).withDeadlineAfter(60, TimeUnit.SECONDS);
      TaskSpec spec =
          TaskSpec.newBuilder().setTaskId("t").setDelay(Durations.fromSeconds(600)).build();
      tasks.enqueue(EnqueueRequest.newBuilder().setQueue("q").setTask(spec).build()).get();
      waiting =
          List.of(
              tasks.lease(
                  LeaseRequest.newBuilder()
                      .setQueue("q")
                      .setWorkerId("w")
                      .setWait(Durations.fromSeconds(50))
                      .build()),
              tasks.waitTask(
                  WaitTaskRequest.newBuilder()
                      .setQueue("q")
                      .setTaskId("t")
                      .setTimeout(Durations.fromSeconds(50))
                      .build()));
      // What comes behind them on the connection is answered when they have arrived.
      tasks.getTask(GetTaskRequest.newBuilder().setQueue("q").setTaskId("t").build()).get();
    }
    for (ListenableFuture<?> call : waiting) {
      Refusal refusal = Refusal.of(call);
      assertThat(refusal.what()).isEqualTo("UNAVAILABLE SHUTTING_DOWN");
      assertThat(refusal.saysWhenToRetry()).isTrue();
    }
    channel.shutdownNow();
  }
}
