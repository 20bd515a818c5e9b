package dev.troupe.server.task;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.google.protobuf.ByteString;
import com.google.protobuf.util.Durations;
import dev.troupe.server.crash.TroupeOnRedis;
import dev.troupe.server.crash.TroupeProcess;
import dev.troupe.server.grpc.Refusal;
import dev.troupe.v1.AttemptComplete;
import dev.troupe.v1.CompleteRequest;
import dev.troupe.v1.EnqueueRequest;
import dev.troupe.v1.ErrorReason;
import dev.troupe.v1.Event;
import dev.troupe.v1.EventDelivery;
import dev.troupe.v1.EventStreamServiceGrpc;
import dev.troupe.v1.EventStreamServiceGrpc.EventStreamServiceBlockingStub;
import dev.troupe.v1.Fence;
import dev.troupe.v1.FieldViolation;
import dev.troupe.v1.GetTaskRequest;
import dev.troupe.v1.LeaseRequest;
import dev.troupe.v1.LeasedTask;
import dev.troupe.v1.ListEventsRequest;
import dev.troupe.v1.OutboxEvent;
import dev.troupe.v1.PublishRequest;
import dev.troupe.v1.ReleaseRequest;
import dev.troupe.v1.ReportOutcome;
import dev.troupe.v1.TaskQueueServiceGrpc;
import dev.troupe.v1.TaskQueueServiceGrpc.TaskQueueServiceBlockingStub;
import dev.troupe.v1.TaskSpec;
import dev.troupe.v1.TaskState;
import dev.troupe.v1.WorkRequest;
import dev.troupe.v1.WorkResponse;
import dev.troupe.v1.WorkerHello;
import io.grpc.ManagedChannel;
import io.grpc.Status.Code;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.StreamObserver;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

/** What becomes of the events that come with a completion, against a real server. */
@SuppressWarnings("NullAway.Init")
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
abstract class OutboxContract {

  private final TroupeOnRedis fixture;
  private ManagedChannel channel;
  private TaskQueueServiceBlockingStub tasks;
  private EventStreamServiceBlockingStub events;
  private String queue;
  private String topic;

  OutboxContract(TroupeOnRedis fixture) {
    this.fixture = fixture;
  }

  @BeforeAll
  void start() throws Exception {
    TroupeProcess server = fixture.start();
    channel = server.channel();
    tasks = TaskQueueServiceGrpc.newBlockingStub(channel);
    events = EventStreamServiceGrpc.newBlockingStub(channel);
  }

  @BeforeEach
  void ownNames() {
    queue = "q-" + UUID.randomUUID();
    topic = "t-" + UUID.randomUUID();
  }

  @AfterAll
  void stop() throws Exception {
    channel.shutdownNow();
    fixture.close();
  }

  @Test
  void theEventsOfACompletionAreInTheirTopicsInTheirOrder() {
    for (int i = 0; i < 20; i++) {
      CompleteRequest.Builder completion = completion(leased("task-" + i));
      for (int part = 0; part < 16; part++) {
        completion.addEvents(event(topic + "-" + part % 4, i + "." + part));
      }
      tasks.complete(completion.build());
    }
    for (int t = 0; t < 4; t++) {
      List<String> expected = new ArrayList<>();
      for (int i = 0; i < 20; i++) {
        for (int part = t; part < 16; part += 4) {
          expected.add(i + "." + part);
        }
      }
      String name = topic + "-" + t;
      await().untilAsserted(() -> assertThat(texts(kept(name))).isEqualTo(expected));
    }
  }

  @Test
  void whatAnEventDoesNotSayIsFilledIn() {
    LeasedTask task = leased("t1");
    tasks.complete(
        completion(task)
            .addEvents(event(topic, "bare"))
            .addEvents(
                event(topic, "full").toBuilder()
                    .setId("my-id")
                    .setSource("my-source")
                    .setSubject("subject")
                    .setCorrelationId("mine")
                    .setActor("me")
                    .setKey("key")
                    .setDatacontenttype("text/plain")
                    .putAttributes("a", "b"))
            .build());
    await().until(() -> kept(topic).size() == 2);
    Event bare = kept(topic).get(0).getEvent();
    assertThat(bare.getId()).isNotEmpty();
    assertThat(bare.getSource()).isEqualTo("tasks/t1");
    assertThat(bare.getCorrelationId()).isEqualTo("t1");
    assertThat(bare.getActor()).isEqualTo("w");
    assertThat(bare.hasTime()).isTrue();
    Event full = kept(topic).get(1).getEvent();
    assertThat(full.toBuilder().clearTime().build())
        .isEqualTo(
            Event.newBuilder()
                .setId("my-id")
                .setSource("my-source")
                .setType("built")
                .setSubject("subject")
                .setCorrelationId("mine")
                .setActor("me")
                .setKey("key")
                .setDatacontenttype("text/plain")
                .putAttributes("a", "b")
                .setTextData("full")
                .build());
  }

  @Test
  void aRefusedCompletionPublishesNothingAndARepeatedOneNothingMore() {
    LeasedTask overtaken = leased("t1");
    tasks.release(ReleaseRequest.newBuilder().setAttempt(overtaken.getAttempt()).build());
    LeasedTask current = lease();
    Fence fence = Fence.newBuilder().setName("f").setToken(9).build();
    events.publish(
        PublishRequest.newBuilder()
            .setTopic(topic)
            .setEvent(Event.newBuilder().setType("built").setTextData("first"))
            .build());
    assertThat(
            Refusal.of(
                    () ->
                        tasks.complete(
                            completion(overtaken).addEvents(event(topic, "overtaken")).build()))
                .reason())
        .isEqualTo("RESULT_CONFLICT");
    tasks.complete(
        completion(leased("fences")).setFence(fence).addEvents(event(topic, "fenced")).build());
    CompleteRequest.Builder completion =
        completion(current).addEvents(event(topic, "right").toBuilder().setId("x"));
    assertThat(
            Refusal.of(
                    () ->
                        tasks.complete(
                            completion.clone().setFence(fence.toBuilder().setToken(8)).build()))
                .reason())
        .isEqualTo("STALE_FENCE");
    tasks.complete(completion.build());
    tasks.complete(completion.build());
    tasks.complete(completion.addEvents(event(topic, "one more")).build());
    tasks.complete(completion(leased("last")).addEvents(event(topic, "last")).build());
    await().until(() -> texts(kept(topic)).contains("last"));
    assertThat(texts(kept(topic))).containsExactly("first", "fenced", "right", "last");
  }

  @Test
  void badEventsAreRefusedWithAllViolationsAndTheTaskIsNotCompleted() throws Exception {
    LeasedTask task = leased("t1");
    CompleteRequest.Builder bad =
        completion(task)
            .addEvents(OutboxEvent.newBuilder().setTopic("troupe.*"))
            .addEvents(
                OutboxEvent.newBuilder()
                    .setType("t\n")
                    .setId("i".repeat(257))
                    .setSource("s".repeat(257))
                    .setSubject("s".repeat(1025))
                    .setDatacontenttype("d".repeat(257))
                    .setCorrelationId("c".repeat(257))
                    .setActor("a".repeat(257))
                    .setKey("k".repeat(257))
                    .putAttributes("k".repeat(65), "v")
                    .setBinaryData(ByteString.copyFrom(new byte[256 << 10])));
    String[] fields = {
      "events[0].topic",
      "events[0].type",
      "events[1].topic",
      "events[1].id",
      "events[1].source",
      "events[1].type",
      "events[1].subject",
      "events[1].datacontenttype",
      "events[1].correlation_id",
      "events[1].actor",
      "events[1].key",
      "events[1].attributes key",
      "events"
    };
    Refusal refusal = Refusal.of(() -> tasks.complete(bad.build()));
    assertThat(refusal.code()).isEqualTo(Code.INVALID_ARGUMENT);
    assertThat(refusal.fields().keySet()).containsExactlyInAnyOrder(fields);
    CompleteRequest.Builder many = completion(task);
    for (int i = 0; i < 17; i++) {
      many.addEvents(event(topic, "" + i));
    }
    assertThat(Refusal.of(() -> tasks.complete(many.build())).fields().keySet())
        .containsExactly("events");
    assertThat(state("t1")).isEqualTo(TaskState.TASK_STATE_LEASED);
    tasks.release(ReleaseRequest.newBuilder().setAttempt(task.getAttempt()).build());

    try (Worker worker = new Worker()) {
      LeasedTask streamed = worker.task();
      ReportOutcome outcome =
          worker.complete(
              AttemptComplete.newBuilder()
                  .setAttempt(streamed.getAttempt())
                  .addEvents(OutboxEvent.newBuilder().setType("x")));
      assertThat(outcome.getError().getReason()).isEqualTo(ErrorReason.ERROR_REASON_INVALID_FIELD);
      assertThat(outcome.getError().getViolationsList())
          .extracting(FieldViolation::getField)
          .containsExactly("complete.events[0].topic");
      assertThat(state("t1")).isEqualTo(TaskState.TASK_STATE_LEASED);
      outcome =
          worker.complete(
              AttemptComplete.newBuilder()
                  .setAttempt(streamed.getAttempt())
                  .addEvents(event(topic, "by stream"))
                  .addEvents(event(topic, "too")));
      assertThat(outcome.hasError()).isFalse();
      await().until(() -> texts(kept(topic)).equals(List.of("by stream", "too")));
      assertThat(kept(topic).get(0).getEvent().getActor()).isEqualTo("streamer");
    }
  }

  private LeasedTask leased(String id) {
    tasks.enqueue(
        EnqueueRequest.newBuilder()
            .setQueue(queue)
            .setTask(TaskSpec.newBuilder().setTaskId(id))
            .build());
    return lease();
  }

  private LeasedTask lease() {
    return tasks
        .lease(
            LeaseRequest.newBuilder()
                .setQueue(queue)
                .setWorkerId("w")
                .setMaxTasks(1)
                .setWait(Durations.fromSeconds(5))
                .build())
        .getTasks(0);
  }

  private static CompleteRequest.Builder completion(LeasedTask task) {
    return CompleteRequest.newBuilder().setAttempt(task.getAttempt());
  }

  private static OutboxEvent event(String topic, String text) {
    return OutboxEvent.newBuilder().setTopic(topic).setType("built").setTextData(text).build();
  }

  private TaskState state(String id) {
    return tasks
        .getTask(GetTaskRequest.newBuilder().setQueue(queue).setTaskId(id).build())
        .getTask()
        .getState();
  }

  private List<EventDelivery> kept(String name) {
    try {
      return events
          .listEvents(ListEventsRequest.newBuilder().setTopic(name).setPageSize(500).build())
          .getDeliveriesList();
    } catch (StatusRuntimeException notYet) {
      assertThat(notYet.getStatus().getCode()).isEqualTo(Code.NOT_FOUND);
      return List.of();
    }
  }

  private static List<String> texts(List<EventDelivery> deliveries) {
    return deliveries.stream().map(delivery -> delivery.getEvent().getTextData()).toList();
  }

  /** A worker's stream with one slot. */
  private final class Worker implements StreamObserver<WorkResponse>, AutoCloseable {
    private final LinkedBlockingQueue<WorkResponse> heard = new LinkedBlockingQueue<>();
    private final StreamObserver<WorkRequest> up;

    Worker() {
      up = TaskQueueServiceGrpc.newStub(channel).work(this);
      up.onNext(
          WorkRequest.newBuilder()
              .setHello(
                  WorkerHello.newBuilder().setWorkerId("streamer").addQueues(queue).setSlots(1))
              .build());
    }

    LeasedTask task() throws InterruptedException {
      WorkResponse next = next();
      return next.hasWelcome() ? next().getTask() : next.getTask();
    }

    ReportOutcome complete(AttemptComplete.Builder report) throws InterruptedException {
      up.onNext(WorkRequest.newBuilder().setComplete(report).build());
      return next().getOutcome();
    }

    private WorkResponse next() throws InterruptedException {
      WorkResponse response = heard.poll(60, TimeUnit.SECONDS);
      if (response == null) {
        throw new AssertionError("the server says nothing");
      }
      return response;
    }

    @Override
    public void onNext(WorkResponse response) {
      heard.add(response);
    }

    @Override
    public void onError(Throwable failure) {}

    @Override
    public void onCompleted() {}

    @Override
    public void close() {
      up.onCompleted();
    }
  }
}
