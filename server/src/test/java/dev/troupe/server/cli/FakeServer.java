package dev.troupe.server.cli;

import com.google.protobuf.Any;
import com.google.protobuf.ByteString;
import com.google.protobuf.Duration;
import com.google.protobuf.Timestamp;
import com.google.rpc.BadRequest;
import com.google.rpc.Code;
import com.google.rpc.ErrorInfo;
import com.google.rpc.RetryInfo;
import dev.troupe.v1.Agent;
import dev.troupe.v1.AgentChange;
import dev.troupe.v1.AgentChangeKind;
import dev.troupe.v1.AgentFigures;
import dev.troupe.v1.AgentMetrics;
import dev.troupe.v1.AgentStateServiceGrpc.AgentStateServiceImplBase;
import dev.troupe.v1.AgentStatus;
import dev.troupe.v1.CancelTaskRequest;
import dev.troupe.v1.CancelTaskResponse;
import dev.troupe.v1.CommandAgentRequest;
import dev.troupe.v1.CommandAgentResponse;
import dev.troupe.v1.DrainQueueRequest;
import dev.troupe.v1.DrainQueueResponse;
import dev.troupe.v1.EnqueueRequest;
import dev.troupe.v1.EnqueueResponse;
import dev.troupe.v1.Event;
import dev.troupe.v1.EventBatch;
import dev.troupe.v1.EventDelivery;
import dev.troupe.v1.EventStreamServiceGrpc.EventStreamServiceImplBase;
import dev.troupe.v1.FleetStatsRequest;
import dev.troupe.v1.FleetStatsResponse;
import dev.troupe.v1.GetAgentRequest;
import dev.troupe.v1.GetAgentResponse;
import dev.troupe.v1.GetTaskRequest;
import dev.troupe.v1.GetTaskResponse;
import dev.troupe.v1.LeasePortsRequest;
import dev.troupe.v1.LeasePortsResponse;
import dev.troupe.v1.ListAgentsRequest;
import dev.troupe.v1.ListAgentsResponse;
import dev.troupe.v1.ListQueuesRequest;
import dev.troupe.v1.ListQueuesResponse;
import dev.troupe.v1.ListTasksRequest;
import dev.troupe.v1.ListTasksResponse;
import dev.troupe.v1.PauseQueueRequest;
import dev.troupe.v1.PauseQueueResponse;
import dev.troupe.v1.Progress;
import dev.troupe.v1.PublishRequest;
import dev.troupe.v1.PublishResponse;
import dev.troupe.v1.PurgeQueueRequest;
import dev.troupe.v1.PurgeQueueResponse;
import dev.troupe.v1.Queue;
import dev.troupe.v1.QueueMode;
import dev.troupe.v1.QueueStats;
import dev.troupe.v1.RedriveTasksRequest;
import dev.troupe.v1.RedriveTasksResponse;
import dev.troupe.v1.ReleasePortsRequest;
import dev.troupe.v1.ReleasePortsResponse;
import dev.troupe.v1.ResumeQueueRequest;
import dev.troupe.v1.ResumeQueueResponse;
import dev.troupe.v1.StatusCount;
import dev.troupe.v1.SubscribeRequest;
import dev.troupe.v1.SubscribeResponse;
import dev.troupe.v1.SubscriptionStarted;
import dev.troupe.v1.Task;
import dev.troupe.v1.TaskQueueServiceGrpc.TaskQueueServiceImplBase;
import dev.troupe.v1.TaskSpec;
import dev.troupe.v1.TaskState;
import dev.troupe.v1.TypeCount;
import dev.troupe.v1.WaitTaskRequest;
import dev.troupe.v1.WaitTaskResponse;
import dev.troupe.v1.WatchAgentsRequest;
import dev.troupe.v1.WatchAgentsResponse;
import io.grpc.Server;
import io.grpc.StatusRuntimeException;
import io.grpc.netty.NettyServerBuilder;
import io.grpc.protobuf.StatusProto;
import io.grpc.protobuf.services.HealthStatusManager;
import io.grpc.protobuf.services.ProtoReflectionServiceV1;
import io.grpc.stub.StreamObserver;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/** The other side of the contract: fixed answers, and every request kept. */
final class FakeServer implements AutoCloseable {

  final List<Object> requests = new CopyOnWriteArrayList<>();
  private final Server server;
  private final String address;

  FakeServer() throws IOException {
    this.server =
        NettyServerBuilder.forAddress(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))
            .addService(new Agents())
            .addService(new Tasks())
            .addService(new Events())
            .addService(new HealthStatusManager().getHealthService())
            .addService(ProtoReflectionServiceV1.newInstance())
            .build()
            .start();
    this.address = "127.0.0.1:" + server.getPort();
  }

  String address() {
    return address;
  }

  @Override
  public void close() {
    server.shutdownNow();
  }

  private <R> void answer(Object request, R response, StreamObserver<R> observer) {
    requests.add(request);
    observer.onNext(response);
    observer.onCompleted();
  }

  private static StatusRuntimeException refusal(
      Code code, String message, ErrorInfo info, Any... details) {
    com.google.rpc.Status.Builder status =
        com.google.rpc.Status.newBuilder()
            .setCode(code.getNumber())
            .setMessage(message)
            .addDetails(Any.pack(info));
    for (Any detail : details) {
      status.addDetails(detail);
    }
    return StatusProto.toStatusRuntimeException(status.build());
  }

  private static ErrorInfo info(String reason, String name, String value) {
    return ErrorInfo.newBuilder()
        .setDomain("troupe.dev")
        .setReason(reason)
        .putMetadata(name, value)
        .build();
  }

  private static Agent agent(String id) {
    return Agent.newBuilder()
        .setAgentId(id)
        .setType("coder")
        .setStatus(AgentStatus.AGENT_STATUS_IDLE)
        .addCapabilities("gpu")
        .setHeartbeatTime(Timestamp.newBuilder().setSeconds(1_700_000_000))
        .build();
  }

  private static Queue queue(String name) {
    return queue(name, QueueMode.QUEUE_MODE_PAUSED);
  }

  private static Queue queue(String name, QueueMode mode) {
    if (name.equals("unused")) {
      return Queue.newBuilder().setName(name).setMode(mode).build();
    }
    return Queue.newBuilder()
        .setName(name)
        .setMode(mode)
        .setStats(
            QueueStats.newBuilder()
                .setEnqueued(12)
                .setReady(12)
                .setOldestReadyAge(Duration.newBuilder().setSeconds(90)))
        .build();
  }

  private static Task task(String id, TaskState state) {
    return Task.newBuilder()
        .setQueue("q")
        .setTaskId(id)
        .setState(state)
        .setSpec(TaskSpec.newBuilder().setType("survey.file").setPriority(3))
        .setProgress(Progress.newBuilder().setFraction(0.5).setMessage("half-way"))
        .setResult(ByteString.copyFromUtf8("42 lines"))
        .build();
  }

  private final class Agents extends AgentStateServiceImplBase {
    /** Two pages, the second one short. */
    @Override
    public void listAgents(ListAgentsRequest request, StreamObserver<ListAgentsResponse> observer) {
      ListAgentsResponse.Builder response = ListAgentsResponse.newBuilder();
      if (request.getPageToken().isEmpty()) {
        response.addAgents(agent("a-1")).addAgents(agent("a-long-2")).setNextPageToken("more");
      } else {
        response.addAgents(agent("a-3"));
      }
      answer(request, response.build(), observer);
    }

    @Override
    public void getAgent(GetAgentRequest request, StreamObserver<GetAgentResponse> observer) {
      if (request.getAgentId().equals("nobody")) {
        observer.onError(
            refusal(
                Code.NOT_FOUND, "no such agent", info("AGENT_NOT_FOUND", "agent_id", "nobody")));
        return;
      }
      answer(
          request,
          GetAgentResponse.newBuilder()
              .setAgent(
                  agent(request.getAgentId()).toBuilder()
                      .addPorts(20_000)
                      .addPorts(20_001)
                      .setMetrics(
                          AgentMetrics.newBuilder()
                              .setCpuCores(0.5)
                              .setMemoryBytes(1024)
                              .putGauges("queue", 3))
                      .setFigures(
                          AgentFigures.newBuilder()
                              .setTasksSucceeded(3)
                              .setTasksFailed(1)
                              .setSuccessRate(0.75)
                              .setMeanResponseTime(
                                  Duration.newBuilder().setSeconds(1).setNanos(500_000_000))))
              .build(),
          observer);
    }

    @Override
    public void fleetStats(FleetStatsRequest request, StreamObserver<FleetStatsResponse> observer) {
      StatusCount idle =
          StatusCount.newBuilder().setStatus(AgentStatus.AGENT_STATUS_IDLE).setAgents(1).build();
      StatusCount lost = idle.toBuilder().setStatus(AgentStatus.AGENT_STATUS_LOST).build();
      answer(
          request,
          FleetStatsResponse.newBuilder()
              .setAgents(2)
              .setAlive(2)
              .setBusy(1)
              .setBusyShare(0.5)
              .addStatuses(idle)
              .addStatuses(lost)
              .addTypes(
                  TypeCount.newBuilder()
                      .setType("coder")
                      .setAgents(2)
                      .addStatuses(idle)
                      .addStatuses(lost))
              .build(),
          observer);
    }

    @Override
    public void commandAgent(
        CommandAgentRequest request, StreamObserver<CommandAgentResponse> observer) {
      answer(
          request,
          CommandAgentResponse.newBuilder()
              .setCommand(request.getCommand().toBuilder().setNumber(7))
              .build(),
          observer);
    }

    @Override
    public void leasePorts(LeasePortsRequest request, StreamObserver<LeasePortsResponse> observer) {
      answer(
          request,
          LeasePortsResponse.newBuilder().addPorts(20_000).addPorts(20_001).build(),
          observer);
    }

    @Override
    public void releasePorts(
        ReleasePortsRequest request, StreamObserver<ReleasePortsResponse> observer) {
      answer(request, ReleasePortsResponse.getDefaultInstance(), observer);
    }

    @Override
    public void watchAgents(
        WatchAgentsRequest request, StreamObserver<WatchAgentsResponse> observer) {
      requests.add(request);
      observer.onNext(WatchAgentsResponse.newBuilder().setResumeToken("checkpoint").build());
      for (String id : List.of("a-1", "a-2", "a-3")) {
        observer.onNext(
            WatchAgentsResponse.newBuilder()
                .setChange(
                    AgentChange.newBuilder()
                        .setKind(AgentChangeKind.AGENT_CHANGE_KIND_LOST)
                        .setAgent(agent(id)))
                .setResumeToken("after-" + id)
                .build());
      }
    }
  }

  private final class Tasks extends TaskQueueServiceImplBase {
    @Override
    public void enqueue(EnqueueRequest request, StreamObserver<EnqueueResponse> observer) {
      if (request.getTask().getPriority() > 9) {
        BadRequest invalid =
            BadRequest.newBuilder()
                .addFieldViolations(
                    BadRequest.FieldViolation.newBuilder()
                        .setField("task.priority")
                        .setDescription("must be 0 to 9"))
                .addFieldViolations(
                    BadRequest.FieldViolation.newBuilder()
                        .setField("queue")
                        .setDescription("must not be empty"))
                .build();
        observer.onError(
            refusal(
                Code.INVALID_ARGUMENT,
                "2 fields are invalid",
                info("INVALID_FIELD", "fields", "2"),
                Any.pack(invalid)));
        return;
      }
      answer(
          request,
          EnqueueResponse.newBuilder()
              .setTaskId("t-1")
              .setCreated(true)
              .setState(TaskState.TASK_STATE_READY)
              .build(),
          observer);
    }

    @Override
    public void listTasks(ListTasksRequest request, StreamObserver<ListTasksResponse> observer) {
      answer(
          request,
          ListTasksResponse.newBuilder().addTasks(task("t\u001b[31m", request.getState())).build(),
          observer);
    }

    @Override
    public void getTask(GetTaskRequest request, StreamObserver<GetTaskResponse> observer) {
      if (request.getTaskId().equals("later")) {
        observer.onError(
            refusal(
                Code.UNAVAILABLE,
                "the store is away",
                info("STORE_UNAVAILABLE", "partition", "default/0"),
                Any.pack(
                    RetryInfo.newBuilder()
                        .setRetryDelay(Duration.newBuilder().setSeconds(2))
                        .build())));
        return;
      }
      answer(
          request,
          GetTaskResponse.newBuilder()
              .setTask(task(request.getTaskId(), TaskState.TASK_STATE_SUCCEEDED))
              .build(),
          observer);
    }

    @Override
    public void cancelTask(CancelTaskRequest request, StreamObserver<CancelTaskResponse> observer) {
      answer(
          request,
          CancelTaskResponse.newBuilder().setState(TaskState.TASK_STATE_CANCELLED).build(),
          observer);
    }

    @Override
    public void waitTask(WaitTaskRequest request, StreamObserver<WaitTaskResponse> observer) {
      TaskState state =
          switch (request.getTaskId()) {
            case "good" -> TaskState.TASK_STATE_SUCCEEDED;
            case "bad" -> TaskState.TASK_STATE_DEAD;
            default -> TaskState.TASK_STATE_LEASED;
          };
      answer(
          request,
          WaitTaskResponse.newBuilder()
              .setTask(task(request.getTaskId(), state))
              .setEnded(state != TaskState.TASK_STATE_LEASED)
              .build(),
          observer);
    }

    @Override
    public void redriveTasks(
        RedriveTasksRequest request, StreamObserver<RedriveTasksResponse> observer) {
      answer(request, RedriveTasksResponse.newBuilder().setRedriven(7).build(), observer);
    }

    @Override
    public void listQueues(ListQueuesRequest request, StreamObserver<ListQueuesResponse> observer) {
      answer(request, ListQueuesResponse.newBuilder().addQueues(queue("q")).build(), observer);
    }

    @Override
    public void pauseQueue(PauseQueueRequest request, StreamObserver<PauseQueueResponse> observer) {
      answer(
          request,
          PauseQueueResponse.newBuilder().setQueue(queue(request.getQueue())).build(),
          observer);
    }

    @Override
    public void resumeQueue(
        ResumeQueueRequest request, StreamObserver<ResumeQueueResponse> observer) {
      Queue queue = queue(request.getQueue(), QueueMode.QUEUE_MODE_ACTIVE);
      answer(request, ResumeQueueResponse.newBuilder().setQueue(queue).build(), observer);
    }

    @Override
    public void drainQueue(DrainQueueRequest request, StreamObserver<DrainQueueResponse> observer) {
      Queue queue = queue(request.getQueue(), QueueMode.QUEUE_MODE_DRAINING);
      answer(request, DrainQueueResponse.newBuilder().setQueue(queue).build(), observer);
    }

    @Override
    public void purgeQueue(PurgeQueueRequest request, StreamObserver<PurgeQueueResponse> observer) {
      answer(request, PurgeQueueResponse.newBuilder().setPurged(5).build(), observer);
    }
  }

  private final class Events extends EventStreamServiceImplBase {
    @Override
    public void publish(PublishRequest request, StreamObserver<PublishResponse> observer) {
      answer(
          request,
          PublishResponse.newBuilder()
              .setEventId(request.getEvent().getId())
              .setResumeToken("token-1")
              .build(),
          observer);
    }

    /**
     * Four events, two in a batch unless one is asked for, then silence; or the end, or silence
     * from the start, of topics that are called so.
     */
    @Override
    public void subscribe(SubscribeRequest request, StreamObserver<SubscribeResponse> observer) {
      requests.add(request);
      if (request.getTopicsList().contains("silence")) {
        return;
      }
      observer.onNext(
          SubscribeResponse.newBuilder()
              .setStarted(SubscriptionStarted.newBuilder().setResumeToken("token-0"))
              .build());
      int size = request.getMaxBatchSize() == 1 ? 1 : 2;
      for (int first = 1; first <= 4; first += size) {
        EventBatch.Builder deliveries =
            EventBatch.newBuilder().setResumeToken("token-" + (first + size - 1));
        for (int number = first; number < first + size; number++) {
          deliveries.addDeliveries(
              EventDelivery.newBuilder()
                  .setTopic("builds")
                  .setEvent(
                      Event.newBuilder()
                          .setId("e-" + number)
                          .setType("build.finished")
                          .setTextData("line\n" + number)));
        }
        observer.onNext(SubscribeResponse.newBuilder().setBatch(deliveries).build());
      }
      if (request.getTopicsList().contains("end")) {
        observer.onCompleted();
      }
    }
  }
}
