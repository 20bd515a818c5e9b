package dev.troupe.server.agent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.google.protobuf.util.Durations;
import com.google.protobuf.util.Timestamps;
import dev.troupe.v1.Agent;
import dev.troupe.v1.AgentChange;
import dev.troupe.v1.AgentChangeKind;
import dev.troupe.v1.Attempt;
import dev.troupe.v1.CompleteRequest;
import dev.troupe.v1.DeliveryAck;
import dev.troupe.v1.DeregisterAgentRequest;
import dev.troupe.v1.EnqueueRequest;
import dev.troupe.v1.EventDelivery;
import dev.troupe.v1.EventStreamServiceGrpc;
import dev.troupe.v1.GetTaskRequest;
import dev.troupe.v1.LeaseRequest;
import dev.troupe.v1.LeasedTask;
import dev.troupe.v1.StartPosition;
import dev.troupe.v1.SubscribeRequest;
import dev.troupe.v1.SubscribeResponse;
import dev.troupe.v1.Task;
import dev.troupe.v1.TaskQueueServiceGrpc;
import dev.troupe.v1.TaskQueueServiceGrpc.TaskQueueServiceBlockingStub;
import dev.troupe.v1.TaskSpec;
import dev.troupe.v1.TaskState;
import dev.troupe.v1.WorkRequest;
import dev.troupe.v1.WorkResponse;
import dev.troupe.v1.WorkerHello;
import io.grpc.stub.StreamObserver;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** What a session held is given back when it is over. */
interface AgentEndingsContract extends AgentContract {

  int QUEUES = 5;

  private TaskQueueServiceBlockingStub tasks() {
    return TaskQueueServiceGrpc.newBlockingStub(agents().channelB())
        .withDeadlineAfter(60, TimeUnit.SECONDS);
  }

  /** One task in each of some queues, which lie in several partitions if there are any. */
  private void enqueue() {
    for (int i = 0; i < QUEUES; i++) {
      tasks()
          .enqueue(
              EnqueueRequest.newBuilder()
                  .setNamespace(agents().namespace())
                  .setQueue("q" + i)
                  .setTask(TaskSpec.newBuilder().setTaskId("t"))
                  .build());
    }
  }

  private List<LeasedTask> lease(String worker) {
    List<LeasedTask> leased = new ArrayList<>();
    for (int i = 0; i < QUEUES; i++) {
      leased.addAll(
          tasks()
              .lease(
                  LeaseRequest.newBuilder()
                      .setNamespace(agents().namespace())
                      .setQueue("q" + i)
                      .setWorkerId(worker)
                      .build())
              .getTasksList());
    }
    return leased;
  }

  private List<Task> all() {
    List<Task> all = new ArrayList<>();
    for (int i = 0; i < QUEUES; i++) {
      all.add(
          tasks()
              .getTask(
                  GetTaskRequest.newBuilder()
                      .setNamespace(agents().namespace())
                      .setQueue("q" + i)
                      .setTaskId("t")
                      .build())
              .getTask());
    }
    return all;
  }

  private void awaitAll(TaskState state) {
    await()
        .pollInterval(Duration.ofMillis(20))
        .untilAsserted(() -> assertThat(all()).extracting(Task::getState).containsOnly(state));
  }

  @Test
  default void theTasksOfALostAgentRunElsewhereAtOnceAndCountAsLost() throws Exception {
    enqueue();
    agents().register(agents().agent("w").setLeaseDuration(Durations.fromSeconds(1)));
    assertThat(lease("w")).hasSize(QUEUES);
    // Their leases would last for half a minute.
    awaitAll(TaskState.TASK_STATE_READY);
    assertThat(all()).allMatch(task -> task.getLosses() == 1 && task.getReleases() == 0);
    List<String> told = new ArrayList<>();
    Iterator<SubscribeResponse> events =
        EventStreamServiceGrpc.newBlockingStub(agents().channelA())
            .subscribe(
                SubscribeRequest.newBuilder()
                    .setNamespace(agents().namespace())
                    .addTopics("troupe.*")
                    .setStart(StartPosition.START_POSITION_BEGINNING)
                    .build());
    long lost = 0;
    List<Long> expired = new ArrayList<>();
    while (events.hasNext()) {
      SubscribeResponse response = events.next();
      for (EventDelivery delivery : response.getBatch().getDeliveriesList()) {
        String type = delivery.getEvent().getType();
        told.add(type);
        long micros = Timestamps.toMicros(delivery.getEvent().getTime());
        if (type.equals("agent.lost")) {
          lost = micros;
        } else if (type.equals("task.expired")) {
          expired.add(micros);
          assertThat(delivery.getEvent().getTask().getReason()).isEqualTo("agent_lost");
          assertThat(delivery.getEvent().getTask().getWorkerId()).isEqualTo("w");
        }
      }
      if (response.hasCaughtUp()) {
        break;
      }
    }
    assertThat(told).containsOnlyOnce("agent.lost");
    long end = lost;
    assertThat(expired).hasSize(QUEUES).allMatch(time -> time >= end);
    if (agents().masters.size() == 1) {
      assertThat(told.indexOf("agent.lost")).isLessThan(told.indexOf("task.expired"));
    }
    assertThat(lease("other")).hasSize(QUEUES);
  }

  @Test
  default void anAgentThatSaysGoodbyeReleasesItsTasksAndOnlyIts() {
    enqueue();
    agents().register(agents().agent("w"));
    agents().register(agents().agent("other"));
    List<LeasedTask> mine = lease("w");
    LeasedTask done = mine.get(0);
    tasks()
        .complete(
            CompleteRequest.newBuilder()
                .setNamespace(agents().namespace())
                .setAttempt(done.getAttempt())
                .build());
    deregister("other");
    deregister("w");
    await()
        .pollInterval(Duration.ofMillis(20))
        .untilAsserted(
            () ->
                assertThat(all().subList(1, QUEUES))
                    .allMatch(
                        task ->
                            task.getState() == TaskState.TASK_STATE_READY
                                && task.getReleases() == 1
                                && task.getLosses() == 0));
    assertThat(all().get(0).getState()).isEqualTo(TaskState.TASK_STATE_SUCCEEDED);
  }

  private void deregister(String id) {
    agents()
        .a()
        .deregisterAgent(
            DeregisterAgentRequest.newBuilder()
                .setNamespace(agents().namespace())
                .setAgentId(id)
                .build());
  }

  @Test
  default void whatTheNextSessionOfAnAgentHoldsStaysItsAlsoWhenAnEndingIsToldTwice()
      throws Exception {
    enqueue();
    try (AgentWatcher watcher = agents().watchAll(agents().channelB())) {
      Agent first = agents().register(agents().agent("w"));
      assertThat(lease("w")).hasSize(QUEUES);
      agents().register(agents().agent("w"));
      awaitAll(TaskState.TASK_STATE_READY);
      assertThat(all()).allMatch(task -> task.getReleases() == 1);
      // By a stream and by call.
      BlockingQueue<WorkResponse> heard = new LinkedBlockingQueue<>();
      StreamObserver<WorkRequest> stream = work(heard, WorkerHello.newBuilder().addQueues("q0"));
      Attempt attempt = null;
      while (attempt == null) {
        WorkResponse response = heard.poll(60, TimeUnit.SECONDS);
        if (response == null) {
          throw new AssertionError("no task");
        }
        if (response.hasTask()) {
          attempt = response.getTask().getAttempt();
        }
      }
      stream.onNext(
          WorkRequest.newBuilder()
              .setDeliveryAck(DeliveryAck.newBuilder().addAttempts(attempt))
              .build());
      assertThat(lease("w")).hasSize(QUEUES - 1);
      List<Task> held = all();
      assertThat(held).extracting(Task::getState).containsOnly(TaskState.TASK_STATE_LEASED);

      long ended = 0;
      for (int i = 0; i < 2; i++) {
        AgentChange change = watcher.change();
        assertThat(change.getKind()).isEqualTo(AgentChangeKind.AGENT_CHANGE_KIND_REGISTERED);
        ended = Timestamps.toMicros(change.getTime());
      }
      tellAgain(first.getFencingToken() + "\n" + ended + "\nreplaced\nw");
      assertThat(all()).extracting(Task::getReleases).containsOnly(1);
      assertThat(all()).extracting(Task::getState).containsOnly(TaskState.TASK_STATE_LEASED);
      stream.onCompleted();
    }
  }

  private StreamObserver<WorkRequest> work(
      BlockingQueue<WorkResponse> heard, WorkerHello.Builder hello) {
    StreamObserver<WorkRequest> stream =
        TaskQueueServiceGrpc.newStub(agents().channelB())
            .work(
                new StreamObserver<>() {
                  @Override
                  public void onNext(WorkResponse response) {
                    heard.add(response);
                  }

                  @Override
                  public void onError(Throwable failure) {}

                  @Override
                  public void onCompleted() {}
                });
    stream.onNext(
        WorkRequest.newBuilder()
            .setHello(hello.setNamespace(agents().namespace()).setWorkerId("w").setSlots(1))
            .build());
    return stream;
  }

  /** Puts an ending back as a server leaves it that dies on the way, until it is settled. */
  private void tellAgain(String entry) throws Exception {
    for (RedisWire redis : agents().masters) {
      List<String> keys = redis.texts("KEYS", "troupe:{" + agents().namespace() + "/*}:ag:a:w");
      for (String key : keys) {
        String outbox = key.replace("ag:a:w", "ag:over");
        redis.command("ZADD", outbox, "1", entry);
        await()
            .pollInterval(Duration.ofMillis(20))
            .until(() -> redis.texts("ZRANGE", outbox, "0", "-1").isEmpty());
      }
    }
  }
}
