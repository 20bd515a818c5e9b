package dev.troupe.server.grpc;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import dev.troupe.server.crash.TroupeProcess;
import dev.troupe.v1.AgentStateServiceGrpc;
import dev.troupe.v1.Attempt;
import dev.troupe.v1.AttemptProgress;
import dev.troupe.v1.EnqueueRequest;
import dev.troupe.v1.HeartbeatRequest;
import dev.troupe.v1.ListQueuesRequest;
import dev.troupe.v1.ListTasksRequest;
import dev.troupe.v1.RegisterAgentRequest;
import dev.troupe.v1.SubscribeRequest;
import dev.troupe.v1.TaskQueueServiceGrpc;
import dev.troupe.v1.TaskSpec;
import dev.troupe.v1.TaskState;
import dev.troupe.v1.WatchAgentsRequest;
import dev.troupe.v1.WorkRequest;
import dev.troupe.v1.WorkerHello;
import io.grpc.CallOptions;
import io.grpc.ClientCall;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import io.grpc.health.v1.HealthCheckRequest;
import io.grpc.health.v1.HealthCheckResponse;
import io.grpc.health.v1.HealthGrpc;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Clients that break every rule; after each the server serves others as before. */
@SuppressWarnings("NullAway.Init")
final class HostileClientTest {

  private static final String WORK = "troupe.v1.TaskQueueService/Work";
  private static final String SUBSCRIBE = "troupe.v1.EventStreamService/Subscribe";
  private static final String ENQUEUE = "troupe.v1.TaskQueueService/Enqueue";
  private static final byte[] NO_PROTOBUF = new byte[] {(byte) 0xff, (byte) 0xff, 3, 1, 2};

  private static TroupeProcess server;
  private static ManagedChannel channel;

  @BeforeAll
  static void start() throws Exception {
    server = new TroupeProcess("--grpc.max-message=1MiB");
    channel = server.channel();
  }

  @AfterAll
  static void stop() throws Exception {
    channel.shutdownNow();
    server.close();
  }

  @AfterEach
  void othersAreServedAndNothingIsAFault() {
    assertThat(
            HealthGrpc.newBlockingStub(channel)
                .withDeadlineAfter(60, TimeUnit.SECONDS)
                .check(HealthCheckRequest.getDefaultInstance())
                .getStatus())
        .isEqualTo(HealthCheckResponse.ServingStatus.SERVING);
    enqueue(ByteString.EMPTY);
    assertThat(server.log()).noneMatch(line -> line.contains(" ERROR "));
  }

  @Test
  void aPayloadOverTheLimitIsRefusedWithTheLimit() {
    Refusal refusal = Refusal.of(() -> enqueue(ByteString.copyFrom(new byte[(256 << 10) + 1])));
    assertThat(refusal.what()).isEqualTo("INVALID_ARGUMENT INVALID_FIELD");
    assertThat(refusal.fields())
        .containsEntry("task.payload", "too large: 262145 bytes (at most 262144)");
    enqueue(ByteString.copyFrom(new byte[256 << 10]));
  }

  @Test
  void aMessageOverTheLimitIsRefusedAndItsConnectionGoesOn() {
    for (int i = 0; i < 10; i++) {
      Refusal refusal = Refusal.of(() -> enqueue(ByteString.copyFrom(new byte[2 << 20])));
      assertThat(refusal.code()).isEqualTo(Status.Code.RESOURCE_EXHAUSTED);
    }
    enqueue(ByteString.EMPTY);
    assertThat(server.log())
        .as("what a client could fill the log with")
        .noneMatch(line -> line.contains("exceeds maximum size"))
        .noneMatch(line -> line.contains("StatusRuntimeException"));
  }

  @Test
  void tokensThatNobodyGaveAreRefusedAsSuch() {
    assertThat(
            Refusal.of(
                    () ->
                        TaskQueueServiceGrpc.newBlockingStub(channel)
                            .listTasks(
                                ListTasksRequest.newBuilder()
                                    .setQueue("q")
                                    .setState(TaskState.TASK_STATE_READY)
                                    .setPageToken("AAAA////")
                                    .build()))
                .reason())
        .isEqualTo("INVALID_PAGE_TOKEN");
    assertThat(
            Refusal.of(
                    () ->
                        dev.troupe.v1.EventStreamServiceGrpc.newBlockingStub(channel)
                            .subscribe(
                                SubscribeRequest.newBuilder()
                                    .addTopics("t")
                                    .setResumeToken("AAAA////")
                                    .build())
                            .hasNext())
                .reason())
        .isEqualTo("INVALID_RESUME_TOKEN");
  }

  @Test
  void bytesThatAreNoMessageEndTheirCallOnly() {
    for (Answer answer :
        List.of(
            rawCall(ENQUEUE, MethodDescriptor.MethodType.UNARY),
            rawCall(SUBSCRIBE, MethodDescriptor.MethodType.SERVER_STREAMING),
            rawCall(WORK, MethodDescriptor.MethodType.BIDI_STREAMING))) {
      assertThat(answer.code()).isEqualTo(Status.Code.INVALID_ARGUMENT);
      assertThat(answer.reason()).isEqualTo("INVALID_FIELD");
    }
    assertThat(rawCall("troupe.v1.Nothing/AtAll", MethodDescriptor.MethodType.UNARY).code())
        .isEqualTo(Status.Code.UNIMPLEMENTED);
  }

  @Test
  void connectionsThatAreNotGrpcAreEnded() throws Exception {
    byte[] garbage = new byte[4096];
    new Random(1).nextBytes(garbage);
    assertThat(endsAfter(garbage)).isTrue();
    assertThat(endsAfter("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n".getBytes(US_ASCII))).isTrue();
    // The preface of HTTP/2, then a frame that claims to be larger than any may be.
    byte[] preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".getBytes(US_ASCII);
    byte[] frame = new byte[preface.length + 9];
    System.arraycopy(preface, 0, frame, 0, preface.length);
    frame[preface.length] = (byte) 0xff;
    assertThat(endsAfter(frame)).isTrue();
  }

  @Test
  void connectionsThatSayNothingOrVanishCostNothing() throws Exception {
    List<Socket> silent = new ArrayList<>();
    for (int i = 0; i < 500; i++) {
      Socket socket = new Socket(InetAddress.getLoopbackAddress(), server.port);
      if (i % 2 == 0) {
        silent.add(socket);
      } else {
        socket.getOutputStream().write("PRI * HT".getBytes(US_ASCII));
        // RST instead of a polite end.
        socket.setSoLinger(true, 0);
        socket.close();
      }
    }
    enqueue(ByteString.EMPTY);
    for (Socket socket : silent) {
      socket.close();
    }
  }

  @Test
  void workersThatNeverReadAreNotReadEither() throws Exception {
    WorkRequest report =
        WorkRequest.newBuilder()
            .setProgress(
                AttemptProgress.newBuilder()
                    .setAttempt(
                        Attempt.newBuilder().setQueue("q").setTaskId("t").setFencingToken(1))
                    .setCheckpoint(ByteString.copyFrom(new byte[32 << 10])))
            .build();
    List<DeafCall<?>> calls = new ArrayList<>();
    for (int i = 0; i < 10; i++) {
      DeafCall<WorkRequest> call =
          new DeafCall<>(server.channel(), TaskQueueServiceGrpc.getWorkMethod());
      call.send(
          WorkRequest.newBuilder()
              .setHello(WorkerHello.newBuilder().setWorkerId("deaf-" + i).addQueues("deaf"))
              .build());
      calls.add(call);
      // 64 MiB each, far more than the server's heap if it took them.
      call.sendUntilStuck(report, 2_000);
    }
    enqueue(ByteString.EMPTY);
    calls.forEach(DeafCall::close);
  }

  @Test
  void watchersAndHeartbeatsThatNeverReadCostNothing() throws Exception {
    List<DeafCall<?>> calls = new ArrayList<>();
    for (int i = 0; i < 10; i++) {
      DeafCall<WatchAgentsRequest> watch =
          new DeafCall<>(server.channel(), AgentStateServiceGrpc.getWatchAgentsMethod());
      watch.send(WatchAgentsRequest.getDefaultInstance());
      calls.add(watch);
      DeafCall<HeartbeatRequest> heartbeats =
          new DeafCall<>(server.channel(), AgentStateServiceGrpc.getHeartbeatMethod());
      heartbeats.sendUntilStuck(
          HeartbeatRequest.newBuilder().setAgentId("x".repeat(200)).setFencingToken(1).build(),
          100_000);
      calls.add(heartbeats);
    }
    for (int i = 0; i < 200; i++) {
      AgentStateServiceGrpc.newBlockingStub(channel)
          .registerAgent(
              RegisterAgentRequest.newBuilder().setAgentId("a" + i).setType("t").build());
    }
    calls.forEach(DeafCall::close);
  }

  @Test
  void callsThatAreCancelledAtOnceLeaveNothingBehind() {
    for (int i = 0; i < 2_000; i++) {
      TaskQueueServiceGrpc.newFutureStub(channel)
          .listQueues(ListQueuesRequest.getDefaultInstance())
          .cancel(true);
    }
  }

  private static void enqueue(ByteString payload) {
    TaskQueueServiceGrpc.newBlockingStub(channel)
        .withDeadlineAfter(60, TimeUnit.SECONDS)
        .enqueue(
            EnqueueRequest.newBuilder()
                .setQueue("q")
                .setTask(TaskSpec.newBuilder().setPayload(payload))
                .build());
  }

  /** Whether the server ends a connection that begins so. */
  private static boolean endsAfter(byte[] bytes) throws IOException {
    try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), server.port)) {
      socket.setSoTimeout(20_000);
      socket.getOutputStream().write(bytes);
      socket.getOutputStream().flush();
      socket.getInputStream().readAllBytes();
      return true;
    } catch (SocketTimeoutException stillOpen) {
      return false;
    } catch (SocketException reset) {
      return true;
    }
  }

  private static Answer rawCall(String method, MethodDescriptor.MethodType type) {
    ClientCall<byte[], byte[]> call =
        channel.newCall(
            MethodDescriptor.<byte[], byte[]>newBuilder(new RawBytes(), new RawBytes())
                .setType(type)
                .setFullMethodName(method)
                .build(),
            CallOptions.DEFAULT.withDeadlineAfter(60, TimeUnit.SECONDS));
    CompletableFuture<Answer> ended = new CompletableFuture<>();
    call.start(
        new ClientCall.Listener<>() {
          @Override
          public void onClose(Status status, Metadata trailers) {
            ended.complete(Answer.refused(Refusal.of(status.asRuntimeException(trailers))));
          }
        },
        new Metadata());
    call.request(1);
    call.sendMessage(NO_PROTOBUF);
    call.halfClose();
    return ended.orTimeout(30, TimeUnit.SECONDS).join();
  }

  /** A call that asks for no response, on a connection of its own. */
  private static final class DeafCall<Q> {
    private final ManagedChannel own;
    private final ClientCall<Q, ?> call;

    DeafCall(ManagedChannel own, MethodDescriptor<Q, ?> method) {
      this.own = own;
      this.call = start(own, method);
    }

    private static <Q, R> ClientCall<Q, R> start(
        ManagedChannel own, MethodDescriptor<Q, R> method) {
      ClientCall<Q, R> call = own.newCall(method, CallOptions.DEFAULT);
      call.start(new ClientCall.Listener<>() {}, new Metadata());
      return call;
    }

    void send(Q message) {
      call.sendMessage(message);
    }

    /** Ends when the server has not read for a while, as it should, or after so many. */
    void sendUntilStuck(Q message, int most) throws InterruptedException {
      int sent = 0;
      long stuck = System.nanoTime();
      while (sent < most && System.nanoTime() - stuck < TimeUnit.MILLISECONDS.toNanos(300)) {
        if (call.isReady()) {
          call.sendMessage(message);
          sent++;
          stuck = System.nanoTime();
        } else {
          Thread.onSpinWait();
        }
      }
    }

    void close() {
      call.cancel("enough", null);
      own.shutdownNow();
    }
  }
}
