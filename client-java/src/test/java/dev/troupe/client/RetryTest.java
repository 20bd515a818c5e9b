package dev.troupe.client;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.google.protobuf.ByteString;
import dev.troupe.v1.Attempt;
import dev.troupe.v1.EnqueueRequest;
import dev.troupe.v1.EnqueueResponse;
import dev.troupe.v1.LeasedTask;
import dev.troupe.v1.ReportKind;
import dev.troupe.v1.ReportOutcome;
import dev.troupe.v1.TaskQueueServiceGrpc;
import dev.troupe.v1.TaskSpec;
import dev.troupe.v1.WorkRequest;
import dev.troupe.v1.WorkResponse;
import dev.troupe.v1.WorkerWelcome;
import io.grpc.ManagedChannel;
import io.grpc.Server;
import io.grpc.Status;
import io.grpc.inprocess.InProcessChannelBuilder;
import io.grpc.inprocess.InProcessServerBuilder;
import io.grpc.stub.StreamObserver;
import java.nio.channels.ClosedChannelException;
import java.time.Duration;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What a server cannot be made to do on purpose: lose its answers one by one. */
@SuppressWarnings("NullAway.Init")
final class RetryTest {

  private final FailingTasks service = new FailingTasks();
  private Server server;
  private ManagedChannel channel;
  private TroupeClient client;

  @BeforeEach
  void start() throws Exception {
    String name = UUID.randomUUID().toString();
    server = InProcessServerBuilder.forName(name).addService(service).build().start();
    channel =
        InProcessChannelBuilder.forName(name)
            .defaultServiceConfig(ServiceConfig.load())
            .enableRetry()
            .build();
    client = TroupeClient.builder("unused").channel(channel).build();
  }

  @AfterEach
  void stop() {
    client.close();
    channel.shutdownNow();
    server.shutdownNow();
  }

  @Test
  void aCallIsRepeatedUnderTheSameRequestIdWhileTheServerIsUnavailable() {
    service.refusals.addAll(List.of(Status.UNAVAILABLE, Status.UNAVAILABLE));
    assertThat(client.blockingTasks().enqueue("q", TaskSpec.getDefaultInstance()).getCreated())
        .isTrue();
    assertThat(service.requestIds).hasSize(3);
    assertThat(service.requestIds.get(0)).isNotEmpty();
    assertThat(service.requestIds).containsOnly(service.requestIds.get(0));
  }

  @Test
  void aCallIsRepeatedWhenItsConnectionBroke() {
    // What grpc-java ends a call with when that happens while it writes.
    service.refusals.add(Status.UNKNOWN.withDescription("channel closed"));
    assertThat(client.blockingTasks().enqueue("q", TaskSpec.getDefaultInstance()).getCreated())
        .isTrue();
    assertThat(service.requestIds).hasSize(2);
  }

  @Test
  void aConnectionThatBrokeIsToldAsUnavailable() {
    Status broken =
        Status.UNKNOWN.withDescription("channel closed").withCause(new ClosedChannelException());
    TroupeClientException failure = TroupeClientException.of(broken.asRuntimeException());
    assertThat(failure.code()).isEqualTo(Status.Code.UNAVAILABLE);
    assertThat(failure.isPassing()).isTrue();
    assertThat(failure).hasMessageContaining("the connection to the server broke");
  }

  @Test
  void twoCallsHaveTwoRequestIds() {
    client.blockingTasks().enqueue("q", TaskSpec.getDefaultInstance());
    client.blockingTasks().enqueue("q", TaskSpec.getDefaultInstance());
    assertThat(service.requestIds).hasSize(2).doesNotHaveDuplicates();
  }

  @Test
  void aRefusalIsNotRepeated() {
    service.refusals.add(Status.INVALID_ARGUMENT.withDescription("no"));
    TroupeClientException refusal =
        catchThrowableOfType(
            TroupeClientException.class,
            () -> client.blockingTasks().enqueue("q", TaskSpec.getDefaultInstance()));
    assertThat(refusal.code()).isEqualTo(Status.Code.INVALID_ARGUMENT);
    assertThat(service.requestIds).hasSize(1);
  }

  @Test
  void aReportWhoseAnswerWasLostIsSentAgainOnTheNextStream() {
    Worker worker = client.worker("q").id("w").start(task -> ByteString.copyFromUtf8("the result"));
    WorkRequest answered = service.answered.orTimeout(20, TimeUnit.SECONDS).join();
    assertThat(answered.getComplete().getResult().toStringUtf8()).isEqualTo("the result");
    assertThat(service.hellos).hasSize(2);
    assertThat(service.hellos.get(0).getHello().getHeldList()).isEmpty();
    assertThat(service.hellos.get(1).getHello().getHeldList())
        .containsExactly(FailingTasks.ATTEMPT);
    worker.stop(Duration.ofSeconds(5)).orTimeout(20, TimeUnit.SECONDS).join();
  }

  private static final class FailingTasks extends TaskQueueServiceGrpc.TaskQueueServiceImplBase {

    static final Attempt ATTEMPT =
        Attempt.newBuilder().setQueue("q").setTaskId("t").setFencingToken(7).build();

    final List<Status> refusals = new CopyOnWriteArrayList<>();
    final List<String> requestIds = new CopyOnWriteArrayList<>();
    final List<WorkRequest> hellos = new CopyOnWriteArrayList<>();
    final CompletableFuture<WorkRequest> answered = new CompletableFuture<>();

    @Override
    public void enqueue(EnqueueRequest request, StreamObserver<EnqueueResponse> answer) {
      requestIds.add(request.getRequestId());
      if (!refusals.isEmpty()) {
        answer.onError(refusals.remove(0).asRuntimeException());
        return;
      }
      answer.onNext(EnqueueResponse.newBuilder().setCreated(true).build());
      answer.onCompleted();
    }

    /** The first stream breaks after the report arrived; the second answers it. */
    @Override
    public StreamObserver<WorkRequest> work(StreamObserver<WorkResponse> down) {
      return new StreamObserver<>() {
        private boolean first;

        @Override
        public void onNext(WorkRequest request) {
          switch (request.getMessageCase()) {
            case HELLO -> {
              hellos.add(request);
              first = hellos.size() == 1;
              down.onNext(
                  WorkResponse.newBuilder()
                      .setWelcome(
                          WorkerWelcome.newBuilder()
                              .setHeartbeatInterval(Durations.of(Duration.ofSeconds(1))))
                      .build());
              if (first) {
                down.onNext(
                    WorkResponse.newBuilder()
                        .setTask(LeasedTask.newBuilder().setAttempt(ATTEMPT))
                        .build());
              }
            }
            case COMPLETE -> {
              if (first) {
                down.onError(Status.UNAVAILABLE.asRuntimeException());
              } else {
                down.onNext(
                    WorkResponse.newBuilder()
                        .setOutcome(
                            ReportOutcome.newBuilder()
                                .setAttempt(ATTEMPT)
                                .setKind(ReportKind.REPORT_KIND_COMPLETE))
                        .build());
                answered.complete(request);
              }
            }
            default -> {}
          }
        }

        @Override
        public void onError(Throwable failure) {}

        @Override
        public void onCompleted() {
          down.onCompleted();
        }
      };
    }
  }
}
