package dev.troupe.server.grpc;

import static org.assertj.core.api.Assertions.assertThat;

import dev.troupe.server.crash.TroupeProcess;
import dev.troupe.v1.AcquireRequest;
import dev.troupe.v1.AgentCommand;
import dev.troupe.v1.AgentStateServiceGrpc;
import dev.troupe.v1.AgentStateServiceGrpc.AgentStateServiceBlockingStub;
import dev.troupe.v1.Attempt;
import dev.troupe.v1.CommandAgentRequest;
import dev.troupe.v1.CompleteRequest;
import dev.troupe.v1.ConflictPolicy;
import dev.troupe.v1.CreateGroupRequest;
import dev.troupe.v1.CreateSpaceRequest;
import dev.troupe.v1.CreateTopicRequest;
import dev.troupe.v1.DrainCommand;
import dev.troupe.v1.EnqueueRequest;
import dev.troupe.v1.Event;
import dev.troupe.v1.EventStreamServiceGrpc;
import dev.troupe.v1.EventStreamServiceGrpc.EventStreamServiceBlockingStub;
import dev.troupe.v1.GetAgentRequest;
import dev.troupe.v1.GetGroupRequest;
import dev.troupe.v1.GetMemoryRequest;
import dev.troupe.v1.GetQueueRequest;
import dev.troupe.v1.GetSpaceRequest;
import dev.troupe.v1.GetTaskRequest;
import dev.troupe.v1.GetTopicRequest;
import dev.troupe.v1.GetWindowRequest;
import dev.troupe.v1.GroupSettings;
import dev.troupe.v1.ItemError;
import dev.troupe.v1.LockMode;
import dev.troupe.v1.LockServiceGrpc;
import dev.troupe.v1.LockServiceGrpc.LockServiceBlockingStub;
import dev.troupe.v1.MemoryContent;
import dev.troupe.v1.MemoryPut;
import dev.troupe.v1.MemoryServiceGrpc;
import dev.troupe.v1.MemoryServiceGrpc.MemoryServiceBlockingStub;
import dev.troupe.v1.MemoryTier;
import dev.troupe.v1.PromoteMemoryRequest;
import dev.troupe.v1.PutMemoriesRequest;
import dev.troupe.v1.PutMemoryRequest;
import dev.troupe.v1.Recipients;
import dev.troupe.v1.SearchMemoryRequest;
import dev.troupe.v1.SendMessageRequest;
import dev.troupe.v1.TaskQueueServiceGrpc;
import dev.troupe.v1.TaskQueueServiceGrpc.TaskQueueServiceBlockingStub;
import io.grpc.ManagedChannel;
import io.grpc.StatusRuntimeException;
import java.util.List;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** What is not there, or there already, is named: in the metadata and in the message. */
@SuppressWarnings("NullAway.Init")
final class RefusalNamesTest {

  private static TroupeProcess server;
  private static ManagedChannel channel;
  private static EventStreamServiceBlockingStub events;
  private static MemoryServiceBlockingStub memory;
  private static AgentStateServiceBlockingStub agents;
  private static TaskQueueServiceBlockingStub tasks;
  private static LockServiceBlockingStub locks;

  @BeforeAll
  static void start() throws Exception {
    server = new TroupeProcess();
    channel = server.channel();
    events = EventStreamServiceGrpc.newBlockingStub(channel);
    memory = MemoryServiceGrpc.newBlockingStub(channel);
    agents = AgentStateServiceGrpc.newBlockingStub(channel);
    tasks = TaskQueueServiceGrpc.newBlockingStub(channel);
    locks = LockServiceGrpc.newBlockingStub(channel);
  }

  @AfterAll
  static void stop() throws Exception {
    channel.shutdownNow();
    server.close();
  }

  @Test
  void topics_and_groups() {
    refused(
        () -> events.getTopic(GetTopicRequest.newBuilder().setTopic("nows").build()),
        "NOT_FOUND TOPIC_NOT_FOUND",
        "no such topic (namespace default, topic nows)");
    refused(
        () ->
            events.getGroup(
                GetGroupRequest.newBuilder()
                    .setNamespace("blue")
                    .setTopic("news")
                    .setGroup("readers")
                    .build()),
        "NOT_FOUND GROUP_NOT_FOUND",
        "no such consumer group (namespace blue, topic news, group readers)");
    CreateGroupRequest.Builder group =
        CreateGroupRequest.newBuilder().setTopic("news").setGroup("readers");
    events.createGroup(group.build());
    refused(
        () ->
            events.createGroup(
                group.setSettings(GroupSettings.newBuilder().setMaxDeliveries(9)).build()),
        "ALREADY_EXISTS GROUP_EXISTS",
        "the consumer group exists with other settings"
            + " (namespace default, topic news, group readers)");
    refused(
        () -> events.createTopic(CreateTopicRequest.newBuilder().setTopic("news").build()),
        "ALREADY_EXISTS TOPIC_EXISTS",
        "the topic exists (namespace default, topic news)");
  }

  @Test
  void spaces_items_and_conversations() {
    refused(
        () -> memory.getSpace(GetSpaceRequest.newBuilder().setSpace("nots").build()),
        "NOT_FOUND SPACE_NOT_FOUND",
        "no such memory space (namespace default, space nots)");
    refused(
        () ->
            memory.getWindow(
                GetWindowRequest.newBuilder().setSpace("nots").setConversation("c1").build()),
        "NOT_FOUND SPACE_NOT_FOUND",
        "no such memory space (namespace default, space nots, conversation c1)");
    memory.createSpace(CreateSpaceRequest.newBuilder().setSpace("made").build());
    refused(
        () -> memory.createSpace(CreateSpaceRequest.newBuilder().setSpace("made").build()),
        "ALREADY_EXISTS SPACE_EXISTS",
        "there is a memory space of this name (namespace default, space made)");
    refused(
        () ->
            memory.getMemory(
                GetMemoryRequest.newBuilder().setSpace("made").setItemId("gone").build()),
        "NOT_FOUND ITEM_NOT_FOUND",
        "no such item in the space (namespace default, space made, item_id gone)");
    refused(
        () ->
            memory.promoteMemory(
                PromoteMemoryRequest.newBuilder()
                    .setSpace("made")
                    .setItemId("gone")
                    .setTier(MemoryTier.MEMORY_TIER_LONG)
                    .build()),
        "NOT_FOUND ITEM_NOT_FOUND",
        "no such item in the space (namespace default, space made, item_id gone)");
  }

  @Test
  void dimensions_are_told_with_their_space() {
    memory.putMemory(
        PutMemoryRequest.newBuilder().setSpace("vectors").setItem(embedded(1, 2, 3)).build());
    String message =
        "the space has embeddings of another dimension"
            + " (namespace default, space vectors, given 2, dimension 3)";
    refused(
        () ->
            memory.putMemory(
                PutMemoryRequest.newBuilder().setSpace("vectors").setItem(embedded(1, 2)).build()),
        "FAILED_PRECONDITION DIMENSION_MISMATCH",
        message);
    ItemError error =
        memory
            .putMemories(
                PutMemoriesRequest.newBuilder()
                    .setSpace("vectors")
                    .addItems(embedded(1, 2))
                    .build())
            .getOutcomes(0)
            .getError();
    assertThat(error.getMessage()).isEqualTo(message);
    assertThat(error.getMetadataMap()).containsEntry("space", "vectors");
    refused(
        () ->
            memory.searchMemory(
                SearchMemoryRequest.newBuilder()
                    .setSpace("vectors")
                    .addAllVector(List.of(1f, 2f))
                    .build()),
        "FAILED_PRECONDITION DIMENSION_MISMATCH",
        message);
  }

  private static MemoryPut.Builder embedded(float... numbers) {
    MemoryContent.Builder content = MemoryContent.newBuilder();
    for (float number : numbers) {
      content.addEmbedding(number);
    }
    return MemoryPut.newBuilder().setContent(content);
  }

  @Test
  void agents_are_named() {
    refused(
        () -> agents.getAgent(GetAgentRequest.newBuilder().setAgentId("nobody").build()),
        "NOT_FOUND AGENT_NOT_FOUND",
        "no such agent (namespace default, agent_id nobody)");
    refused(
        () ->
            agents.commandAgent(
                CommandAgentRequest.newBuilder()
                    .setAgentId("nobody")
                    .setCommand(
                        AgentCommand.newBuilder().setDrain(DrainCommand.getDefaultInstance()))
                    .build()),
        "NOT_FOUND AGENT_NOT_FOUND",
        "no such agent (namespace default, agent_id nobody)");
    refused(
        () ->
            events.sendMessage(
                SendMessageRequest.newBuilder()
                    .setTo(Recipients.newBuilder().addAgentIds("nobody"))
                    .setMessage(Event.newBuilder().setType("note"))
                    .build()),
        "NOT_FOUND AGENT_NOT_FOUND",
        "no agent of this id was ever registered; the message went to nobody"
            + " (namespace default, agent_id nobody)");
  }

  @Test
  void queues_tasks_and_locks() {
    refused(
        () -> tasks.getQueue(GetQueueRequest.newBuilder().setQueue("none").build()),
        "NOT_FOUND QUEUE_NOT_FOUND",
        "no such queue (namespace default, queue none)");
    refused(
        () -> tasks.getTask(GetTaskRequest.newBuilder().setQueue("q").setTaskId("t9").build()),
        "NOT_FOUND TASK_NOT_FOUND",
        "no such task (namespace default, queue q, task_id t9)");
    refused(
        () ->
            tasks.complete(
                CompleteRequest.newBuilder()
                    .setAttempt(
                        Attempt.newBuilder().setQueue("q").setTaskId("t9").setFencingToken(7))
                    .build()),
        "NOT_FOUND TASK_NOT_FOUND",
        "no such task (namespace default, queue q, task_id t9)");
    EnqueueRequest.Builder enqueue = EnqueueRequest.newBuilder().setQueue("q");
    enqueue
        .getTaskBuilder()
        .setTaskId("t1")
        .setConflictPolicy(ConflictPolicy.CONFLICT_POLICY_REJECT);
    tasks.enqueue(enqueue.build());
    refused(
        () -> tasks.enqueue(enqueue.build()),
        "ALREADY_EXISTS TASK_EXISTS",
        "the task id or the dedupe key is taken (namespace default, queue q, task_id t1)");
    locks.acquire(AcquireRequest.newBuilder().setName("deploy").setOwner("me").build());
    refused(
        () ->
            locks.acquire(
                AcquireRequest.newBuilder()
                    .setName("deploy")
                    .setOwner("you")
                    .setMode(LockMode.LOCK_MODE_SEMAPHORE)
                    .setLimit(2)
                    .build()),
        "FAILED_PRECONDITION LOCK_MODE",
        "the lock is in use in another way: as a lock, a semaphore, or with another limit"
            + " (namespace default, lock deploy)");
  }

  @Test
  void the_longest_names_fit_into_the_trailers_that_clients_take() {
    String longest = "\u20ac".repeat(85);
    GetGroupRequest group =
        GetGroupRequest.newBuilder().setTopic(longest).setGroup(longest).build();
    assertThat(Refusal.of(() -> events.getGroup(group)).metadata())
        .containsEntry("topic", longest)
        .containsEntry("group", longest);
    memory.putMemory(
        PutMemoryRequest.newBuilder().setSpace(longest).setItem(embedded(1, 2, 3)).build());
    assertThat(
            Refusal.of(
                    () ->
                        memory.putMemory(
                            PutMemoryRequest.newBuilder()
                                .setSpace(longest)
                                .setItem(embedded(1))
                                .build()))
                .metadata())
        .containsEntry("space", longest);
  }

  private static void refused(ThrowingCallable call, String what, String message) {
    StatusRuntimeException[] failure = new StatusRuntimeException[1];
    Refusal refusal =
        Refusal.of(
            () -> {
              try {
                call.call();
              } catch (StatusRuntimeException e) {
                failure[0] = e;
                throw e;
              }
            });
    assertThat(refusal.what()).isEqualTo(what);
    assertThat(failure[0].getStatus().getDescription()).isEqualTo(message);
    for (String name : message.replaceAll(".*\\(|\\)", "").split(", ", -1)) {
      String[] parts = name.split(" ", 2);
      assertThat(refusal.metadata()).containsEntry(parts[0], parts[1]);
    }
  }
}
