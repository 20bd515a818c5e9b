package dev.troupe.server.grpc;

import com.google.protobuf.ByteString;
import com.google.protobuf.Descriptors.FileDescriptor;
import com.google.protobuf.Descriptors.MethodDescriptor;
import com.google.protobuf.DynamicMessage;
import com.google.protobuf.FieldMask;
import com.google.protobuf.Message;
import com.google.protobuf.util.Durations;
import dev.troupe.v1.*;
import dev.troupe.v1.ConsumeOpen;
import dev.troupe.v1.ConsumeRequest;
import dev.troupe.v1.CreateGroupRequest;
import dev.troupe.v1.DeleteGroupRequest;
import dev.troupe.v1.GetGroupRequest;
import dev.troupe.v1.GroupStart;
import dev.troupe.v1.ListGroupsRequest;
import dev.troupe.v1.Nack;
import dev.troupe.v1.PullEventsRequest;
import dev.troupe.v1.RedriveEventsRequest;
import dev.troupe.v1.SeekGroupRequest;
import dev.troupe.v1.SettleEventsRequest;
import dev.troupe.v1.Settlement;
import dev.troupe.v1.UpdateGroupRequest;
import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientCall;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor.Marshaller;
import io.grpc.MethodDescriptor.MethodType;
import io.grpc.Status;
import java.io.InputStream;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** An RPC, and a request that it takes; anything may be sent in its place. */
record ExampleCall(MethodDescriptor rpc, Message request) {

  private static final List<FileDescriptor> CONTRACT =
      List.of(
          TaskQueueServiceOuterClass.getDescriptor(),
          EventStreamServiceOuterClass.getDescriptor(),
          AgentStateServiceOuterClass.getDescriptor(),
          LockServiceOuterClass.getDescriptor(),
          MemoryServiceOuterClass.getDescriptor());
  private static final long SECONDS = 10;
  private static final String QUEUE = "bad-input";
  private static final Attempt ATTEMPT =
      Attempt.newBuilder().setQueue(QUEUE).setTaskId("t").setFencingToken(1).build();

  private static final EventToPublish EVENT =
      EventToPublish.newBuilder()
          .setTopic("bad-input")
          .setEvent(Event.newBuilder().setType("t").setBinaryData(ByteString.EMPTY))
          .build();

  static List<String> everyRpc() {
    return CONTRACT.stream()
        .flatMap(file -> file.getServices().stream())
        .flatMap(service -> service.getMethods().stream())
        .map(MethodDescriptor::getFullName)
        .collect(Collectors.toList());
  }

  static Stream<ExampleCall> all() {
    return Stream.of(tasks(), events(), groups(), messages(), agents(), locks(), memory())
        .flatMap(calls -> calls);
  }

  private static Stream<ExampleCall> tasks() {
    return Stream.of(
        task(
            "Enqueue",
            EnqueueRequest.newBuilder()
                .setQueue(QUEUE)
                .setTask(TaskSpec.newBuilder().setTaskId("t"))),
        task(
            "EnqueueBatch",
            EnqueueBatchRequest.newBuilder()
                .setQueue(QUEUE)
                .addTasks(TaskSpec.newBuilder().setTaskId("t"))),
        task(
            "Work",
            WorkRequest.newBuilder()
                .setHello(WorkerHello.newBuilder().setWorkerId("w").addQueues(QUEUE).setSlots(0))),
        task("Lease", LeaseRequest.newBuilder().setQueue(QUEUE).setWorkerId("w")),
        task("Extend", ExtendRequest.newBuilder().setAttempt(ATTEMPT)),
        task("ReportProgress", ReportProgressRequest.newBuilder().setAttempt(ATTEMPT)),
        task("Complete", CompleteRequest.newBuilder().setAttempt(ATTEMPT)),
        task(
            "Fail",
            FailRequest.newBuilder()
                .setAttempt(ATTEMPT)
                .setFailure(Failure.newBuilder().setKind("k"))),
        task("Release", ReleaseRequest.newBuilder().setAttempt(ATTEMPT)),
        task("CancelTask", CancelTaskRequest.newBuilder().setQueue(QUEUE).setTaskId("none")),
        task("GetTask", GetTaskRequest.newBuilder().setQueue(QUEUE).setTaskId("none")),
        task(
            "ListTasks",
            ListTasksRequest.newBuilder().setQueue(QUEUE).setState(TaskState.TASK_STATE_READY)),
        task(
            "WaitTask",
            WaitTaskRequest.newBuilder()
                .setQueue(QUEUE)
                .setTaskId("none")
                .setTimeout(Durations.fromMillis(1))),
        task(
            "RedriveTasks",
            RedriveTasksRequest.newBuilder().setQueue(QUEUE).setState(TaskState.TASK_STATE_DEAD)),
        task(
            "ConfigureQueue",
            ConfigureQueueRequest.newBuilder()
                .setQueue(QUEUE)
                .setSettings(QueueSettings.getDefaultInstance())),
        task("PauseQueue", PauseQueueRequest.newBuilder().setQueue("paused")),
        task("ResumeQueue", ResumeQueueRequest.newBuilder().setQueue("paused")),
        task("DrainQueue", DrainQueueRequest.newBuilder().setQueue("drained")),
        task("PurgeQueue", PurgeQueueRequest.newBuilder().setQueue(QUEUE)),
        task("GetQueue", GetQueueRequest.newBuilder().setQueue(QUEUE)),
        task("ListQueues", ListQueuesRequest.newBuilder()));
  }

  private static Stream<ExampleCall> events() {
    return Stream.of(
        of(
            "EventStreamService",
            "Publish",
            PublishRequest.newBuilder()
                .setTopic("bad-input")
                .setEvent(Event.newBuilder().setType("t").setBinaryData(ByteString.EMPTY))),
        of("EventStreamService", "Subscribe", SubscribeRequest.newBuilder().addTopics("bad-input")),
        event(
            "SubscribeWithCredits",
            SubscribeWithCreditsRequest.newBuilder()
                .setOpen(SubscribeRequest.newBuilder().addTopics("bad-input"))),
        event("PublishBatch", PublishBatchRequest.newBuilder().addEvents(EVENT)),
        event("PublishStream", PublishStreamRequest.newBuilder().setEvent(EVENT)),
        event("ListEvents", ListEventsRequest.newBuilder().setTopic("bad-input")),
        event(
            "ReplayEvents",
            ReplayEventsRequest.newBuilder().setTopic("bad-input").setToTopic("copies")),
        event("CreateTopic", CreateTopicRequest.newBuilder().setTopic("made")),
        event(
            "UpdateTopic",
            UpdateTopicRequest.newBuilder()
                .setTopic("made")
                .setUpdateMask(
                    FieldMask.newBuilder()
                        .addAllPaths(
                            List.of(
                                "max_age",
                                "max_events",
                                "max_bytes",
                                "durability",
                                "compacted",
                                "description")))),
        event("GetTopic", GetTopicRequest.newBuilder().setTopic("made")),
        event("ListTopics", ListTopicsRequest.newBuilder()),
        event("DeleteTopic", DeleteTopicRequest.newBuilder().setTopic("none")));
  }

  private static Stream<ExampleCall> groups() {
    GroupStart.Builder start = GroupStart.newBuilder().setTopicPosition(1);
    Settlement.Builder settlement =
        Settlement.newBuilder()
            .addAck("1.1.1")
            .addExtend("1.1.1")
            .addNack(Nack.newBuilder().setDeliveryId("1.1.1"));
    return Stream.of(
        event(
            "CreateGroup",
            CreateGroupRequest.newBuilder().setTopic("made").setGroup("g").setStart(start)),
        event(
            "UpdateGroup",
            UpdateGroupRequest.newBuilder()
                .setTopic("made")
                .setGroup("g")
                .setUpdateMask(
                    FieldMask.newBuilder()
                        .addAllPaths(
                            List.of(
                                "filter",
                                "ack_deadline",
                                "max_deliveries",
                                "retry_delay",
                                "ordered_by_key",
                                "policy",
                                "max_outstanding",
                                "dead_letter_topic",
                                "member_timeout")))),
        event("GetGroup", GetGroupRequest.newBuilder().setTopic("made").setGroup("g")),
        event("ListGroups", ListGroupsRequest.newBuilder().setTopic("made")),
        event(
            "SeekGroup",
            SeekGroupRequest.newBuilder().setTopic("made").setGroup("g").setStart(start)),
        event(
            "Consume",
            ConsumeRequest.newBuilder()
                .setOpen(ConsumeOpen.newBuilder().setTopic("made").setGroup("g").setMemberId("m"))),
        event(
            "PullEvents",
            PullEventsRequest.newBuilder().setTopic("made").setGroup("g").setMemberId("m")),
        event(
            "SettleEvents",
            SettleEventsRequest.newBuilder()
                .setTopic("made")
                .setGroup("g")
                .setSettlement(settlement)),
        event("RedriveEvents", RedriveEventsRequest.newBuilder().setTopic("made").setGroup("g")),
        event("DeleteGroup", DeleteGroupRequest.newBuilder().setTopic("made").setGroup("none")));
  }

  private static Stream<ExampleCall> messages() {
    Event.Builder message = Event.newBuilder().setType("t").setTextData("x");
    Event.Builder request = Event.newBuilder().setCorrelationId("c").setReplyTo("replies");
    return Stream.of(
        event(
            "SendMessage",
            SendMessageRequest.newBuilder()
                .setTo(Recipients.newBuilder().setType("nobody"))
                .setMessage(message)),
        event(
            "Request",
            RequestRequest.newBuilder()
                .setAgentId("none")
                .setMessage(message)
                .setWait(Durations.fromMillis(1))),
        event("Reply", ReplyRequest.newBuilder().setRequest(request).setReply(message)));
  }

  private static Stream<ExampleCall> agents() {
    return Stream.of(
        agent("RegisterAgent", RegisterAgentRequest.newBuilder().setAgentId("a").setType("t")),
        agent("Heartbeat", HeartbeatRequest.newBuilder().setAgentId("none").setFencingToken(1)),
        agent("GetAgent", GetAgentRequest.newBuilder().setAgentId("none")),
        agent(
            "UpdateAgent",
            UpdateAgentRequest.newBuilder()
                .setAgent(Agent.newBuilder().setAgentId("none").setHost("h"))
                .setUpdateMask(FieldMask.newBuilder().addPaths("host"))),
        agent("ListAgents", ListAgentsRequest.newBuilder()),
        agent("FleetStats", FleetStatsRequest.newBuilder()),
        agent("DeregisterAgent", DeregisterAgentRequest.newBuilder().setAgentId("none")),
        agent(
            "CommandAgent",
            CommandAgentRequest.newBuilder()
                .setAgentId("none")
                .setCommand(
                    AgentCommand.newBuilder()
                        .setMessage(MessageCommand.newBuilder().setType("t")))),
        agent("LeasePorts", LeasePortsRequest.newBuilder().setAgentId("none")),
        agent("ReleasePorts", ReleasePortsRequest.newBuilder().setAgentId("none").addPorts(1)),
        agent("WatchAgents", WatchAgentsRequest.newBuilder()));
  }

  private static Stream<ExampleCall> locks() {
    return Stream.of(
        lock("Acquire", AcquireRequest.newBuilder().setName("l").setOwner("o")),
        lock(
            "AcquireAll",
            AcquireAllRequest.newBuilder()
                .setOwner("o")
                .addLocks(LockTarget.newBuilder().setName("m"))),
        lock("Renew", RenewRequest.newBuilder().setName("l").setLeaseId("none")),
        lock(
            "KeepAlive",
            KeepAliveRequest.newBuilder()
                .addLeases(LeaseRef.newBuilder().setName("l").setLeaseId("none"))),
        lock(
            "LockStream",
            LockStreamRequest.newBuilder()
                .addCalls(
                    LockStreamCall.newBuilder()
                        .setCallId(1)
                        .setAcquire(AcquireRequest.newBuilder().setName("l").setOwner("o")))),
        lock("ReleaseLock", ReleaseLockRequest.newBuilder().setName("l").setLeaseId("none")),
        lock("GetLock", GetLockRequest.newBuilder().setName("l")),
        lock("ListLocks", ListLocksRequest.newBuilder()),
        lock("ForceRelease", ForceReleaseRequest.newBuilder().setName("n").setReason("r")),
        lock("WatchLocks", WatchLocksRequest.newBuilder()));
  }

  private static Stream<ExampleCall> memory() {
    MemoryPut.Builder item =
        MemoryPut.newBuilder().setContent(MemoryContent.newBuilder().setText("t"));
    return Stream.of(
        memory("CreateSpace", CreateSpaceRequest.newBuilder().setSpace("created")),
        memory(
            "UpdateSpace",
            UpdateSpaceRequest.newBuilder()
                .setSpace("s")
                .setUpdateMask(FieldMask.newBuilder().addPaths("max_items"))),
        memory("GetSpace", GetSpaceRequest.newBuilder().setSpace("s")),
        memory("ListSpaces", ListSpacesRequest.newBuilder()),
        memory("DeleteSpace", DeleteSpaceRequest.newBuilder().setSpace("deleted")),
        memory("GetMemoryDefaults", GetMemoryDefaultsRequest.newBuilder()),
        memory(
            "UpdateMemoryDefaults",
            UpdateMemoryDefaultsRequest.newBuilder()
                .setUpdateMask(FieldMask.newBuilder().addPaths("max_items"))),
        memory("PutMemory", PutMemoryRequest.newBuilder().setSpace("s").setItem(item)),
        memory("PutMemories", PutMemoriesRequest.newBuilder().setSpace("s").addItems(item)),
        memory("GetMemory", GetMemoryRequest.newBuilder().setSpace("s").setItemId("none")),
        memory("GetMemories", GetMemoriesRequest.newBuilder().setSpace("s").addItemIds("none")),
        memory("ListMemories", ListMemoriesRequest.newBuilder().setSpace("s")),
        memory(
            "UpdateMemory",
            UpdateMemoryRequest.newBuilder()
                .setSpace("s")
                .setItem(MemoryItem.newBuilder().setItemId("none"))
                .setUpdateMask(FieldMask.newBuilder().addPaths("source"))),
        memory(
            "PromoteMemory",
            PromoteMemoryRequest.newBuilder()
                .setSpace("s")
                .setItemId("none")
                .setTier(MemoryTier.MEMORY_TIER_LONG)),
        memory(
            "ForgetMemories", ForgetMemoriesRequest.newBuilder().setSpace("s").addItemIds("none")),
        memory(
            "DeleteMemories",
            DeleteMemoriesRequest.newBuilder()
                .setSpace("s")
                .setFilter(MemoryFilter.newBuilder().addAllTags("none"))),
        memory("SearchMemory", SearchMemoryRequest.newBuilder().setSpace("s").setText("t")),
        memory("WatchMemory", WatchMemoryRequest.newBuilder()),
        memory(
            "AppendTurns",
            AppendTurnsRequest.newBuilder()
                .setSpace("s")
                .setConversation("c")
                .addTurns(Turn.newBuilder().setRole("user"))),
        memory("GetWindow", GetWindowRequest.newBuilder().setSpace("s").setConversation("c")),
        memory(
            "SetSummary",
            SetSummaryRequest.newBuilder()
                .setSpace("s")
                .setConversation("c")
                .setText("t")
                .setLastTurn(1)),
        memory("ListConversations", ListConversationsRequest.newBuilder().setSpace("s")),
        memory(
            "DeleteConversation",
            DeleteConversationRequest.newBuilder().setSpace("s").setConversation("none")));
  }

  private static ExampleCall memory(String rpc, Message.Builder request) {
    return of("MemoryService", rpc, request);
  }

  private static ExampleCall lock(String rpc, Message.Builder request) {
    return of("LockService", rpc, request);
  }

  private static ExampleCall task(String rpc, Message.Builder request) {
    return of("TaskQueueService", rpc, request);
  }

  private static ExampleCall event(String rpc, Message.Builder request) {
    return of("EventStreamService", rpc, request);
  }

  private static ExampleCall agent(String rpc, Message.Builder request) {
    return of("AgentStateService", rpc, request);
  }

  private static ExampleCall of(String service, String rpc, Message.Builder request) {
    return CONTRACT.stream()
        .flatMap(file -> file.getServices().stream())
        .filter(found -> found.getName().equals(service))
        .map(found -> found.findMethodByName(rpc))
        .map(found -> new ExampleCall(found, request.build()))
        .findFirst()
        .orElseThrow();
  }

  String name() {
    return rpc.getFullName();
  }

  Message empty() {
    return DynamicMessage.getDefaultInstance(rpc.getInputType());
  }

  /** Sends one message and nothing more; a stream that answers at all has taken it. */
  Answer on(Channel channel, Message message) {
    ClientCall<Message, byte[]> call =
        channel.newCall(
            io.grpc.MethodDescriptor.<Message, byte[]>newBuilder(new Request(), new RawBytes())
                .setType(type())
                .setFullMethodName(rpc.getService().getFullName() + "/" + rpc.getName())
                .build(),
            CallOptions.DEFAULT.withDeadlineAfter(SECONDS, TimeUnit.SECONDS));
    CompletableFuture<Answer> answer = new CompletableFuture<>();
    call.start(
        new ClientCall.Listener<>() {
          @Override
          public void onMessage(byte[] response) {
            if (type() == MethodType.SERVER_STREAMING) {
              answer.complete(Answer.taken());
              call.cancel("heard enough", null);
            } else {
              call.request(1);
            }
          }

          @Override
          public void onClose(Status status, Metadata trailers) {
            answer.complete(
                status.isOk()
                    ? Answer.taken()
                    : Answer.refused(Refusal.of(status.asRuntimeException(trailers))));
          }
        },
        new Metadata());
    call.request(1);
    call.sendMessage(message);
    call.halfClose();
    return answer.orTimeout(2 * SECONDS, TimeUnit.SECONDS).join();
  }

  private MethodType type() {
    if (rpc.isClientStreaming()) {
      return MethodType.BIDI_STREAMING;
    }
    return rpc.isServerStreaming() ? MethodType.SERVER_STREAMING : MethodType.UNARY;
  }

  @Override
  public String toString() {
    return rpc.getName();
  }

  private static final class Request implements Marshaller<Message> {
    @Override
    public InputStream stream(Message value) {
      return value.toByteString().newInput();
    }

    @Override
    public Message parse(InputStream stream) {
      throw new UnsupportedOperationException();
    }
  }
}
