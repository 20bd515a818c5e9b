package dev.troupe.server.event;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.google.protobuf.util.Durations;
import com.google.protobuf.util.Timestamps;
import dev.troupe.server.crash.TroupeProcess;
import dev.troupe.server.grpc.Refusal;
import dev.troupe.v1.AgentStateServiceGrpc;
import dev.troupe.v1.DeregisterAgentRequest;
import dev.troupe.v1.Event;
import dev.troupe.v1.EventStreamServiceGrpc;
import dev.troupe.v1.EventStreamServiceGrpc.EventStreamServiceBlockingStub;
import dev.troupe.v1.Fence;
import dev.troupe.v1.Recipients;
import dev.troupe.v1.RegisterAgentRequest;
import dev.troupe.v1.ReplyRequest;
import dev.troupe.v1.ReplyResponse;
import dev.troupe.v1.RequestRequest;
import dev.troupe.v1.RequestResponse;
import dev.troupe.v1.SendMessageRequest;
import dev.troupe.v1.SendMessageResponse;
import dev.troupe.v1.StartPosition;
import dev.troupe.v1.SubscribeRequest;
import dev.troupe.v1.SubscribeResponse;
import io.grpc.Context;
import io.grpc.Deadline;
import io.grpc.ManagedChannel;
import io.grpc.StatusRuntimeException;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** What inboxes, requests and replies promise, with two servers, on whatever Redis. */
@SuppressWarnings("NullAway.Init")
abstract class InboxContract extends EventContract {

  private static final int PARTITIONS = 4;

  private final List<TroupeProcess> servers = new ArrayList<>();
  private final List<ManagedChannel> channels = new ArrayList<>();
  private final ScheduledExecutorService timers = Executors.newSingleThreadScheduledExecutor();
  private final ExecutorService threads = Executors.newCachedThreadPool();

  @BeforeAll
  void start() throws Exception {
    for (int i = 0; i < 2; i++) {
      servers.add(
          new TroupeProcess("--redis.url=" + redis.url(), "--redis.partitions=" + PARTITIONS));
      channels.add(servers.get(i).channel());
    }
  }

  @AfterAll
  void stop() throws Exception {
    threads.shutdownNow();
    timers.shutdownNow();
    channels.forEach(ManagedChannel::shutdownNow);
    for (TroupeProcess server : servers) {
      server.close();
    }
  }

  @Test
  void aMessageIsInTheInboxOfEachAgentThatItNames() {
    register("a", "coder");
    register("b", "coder");
    register("c", "coder");
    SendMessageResponse sent = a().sendMessage(message("hello", to("a", "c", "a")).build());
    assertThat(sent.getAgentIdsList()).containsExactly("a", "c");
    assertThat(sent.getRecipientCount()).isEqualTo(2);
    assertThat(inbox("a")).extracting(Event::getTextData).containsExactly("hello");
    assertThat(inbox("a")).extracting(Event::getId).containsExactly(sent.getMessageId());
    assertThat(inbox("c")).extracting(Event::getId).containsExactly(sent.getMessageId());
    assertThat(inbox("b")).isEmpty();
  }

  @Test
  void aBroadcastReachesThoseThatAreThereByTypeAndByCapability() {
    for (int i = 0; i < 10; i++) {
      register("coder-" + i, "coder", i % 2 == 0 ? "java" : "go");
    }
    register("critic", "reviewer", "java");
    long gone = register("gone", "coder", "java");
    AgentStateServiceGrpc.newBlockingStub(channels.get(0))
        .deregisterAgent(
            DeregisterAgentRequest.newBuilder()
                .setNamespace(namespace)
                .setAgentId("gone")
                .setFencingToken(gone)
                .build());

    assertThat(send(Recipients.newBuilder().setAll(true))).hasSize(11).contains("critic");
    assertThat(send(Recipients.newBuilder().setType("coder"))).hasSize(10);
    assertThat(send(Recipients.newBuilder().addCapabilities("java"))).hasSize(6);
    assertThat(send(Recipients.newBuilder().setType("reviewer").addCapabilities("go"))).isEmpty();
    assertThat(inbox("coder-0")).hasSize(3);
    assertThat(inbox("coder-1")).hasSize(2);
    assertThat(inbox("critic")).hasSize(2);
    assertThat(inbox("gone")).isEmpty();
  }

  @Test
  void aRepeatedMessageIsThereOnce() {
    register("a", "coder");
    register("b", "coder");
    SendMessageRequest request = message("once", to("a", "b")).setRequestId("r").build();
    SendMessageResponse first = a().sendMessage(request);
    assertThat(b().sendMessage(request)).isEqualTo(first);
    assertThat(inbox("a")).hasSize(1);
    assertThat(inbox("b")).hasSize(1);
    assertThat(reason(() -> a().sendMessage(message("other", to("a")).setRequestId("r").build())))
        .isEqualTo("REQUEST_ID_REUSED");
  }

  @Test
  void aMessageToAnAgentThatNeverWasGoesToNobody() {
    register("a", "coder");
    assertThat(reason(() -> a().sendMessage(message("x", to("a", "nobody")).build())))
        .isEqualTo("AGENT_NOT_FOUND");
    assertThat(inbox("a")).isEmpty();
    assertThat(reason(() -> a().request(request("nobody", 1000).build())))
        .isEqualTo("AGENT_NOT_FOUND");
  }

  @Test
  void aStaleFenceKeepsAMessageOut() {
    register("a", "coder");
    Fence.Builder fence = Fence.newBuilder().setName("boss");
    a().sendMessage(message("x", to("a")).setFence(fence.setToken(7)).build());
    assertThat(
            reason(
                () -> a().sendMessage(message("y", to("a")).setFence(fence.setToken(6)).build())))
        .isEqualTo("STALE_FENCE");
    assertThat(inbox("a")).hasSize(1);
  }

  @Test
  void whatIsWrongIsSaidAtOnce() {
    Refusal refusal =
        Refusal.of(
            () ->
                a().sendMessage(
                        SendMessageRequest.newBuilder()
                            .setNamespace("Not A Namespace")
                            .setTo(to("a", "x".repeat(251)).setAll(true))
                            .setMessage(Event.newBuilder().setSubject("no type"))
                            .build()));
    assertThat(refusal.fields().keySet())
        .containsExactlyInAnyOrder("namespace", "to.agent_ids", "to.agent_ids[1]", "message.type");
  }

  @Test
  void aRequestGetsItsReplyThroughTheOtherServer() throws Exception {
    register("a", "coder");
    Future<RequestResponse> asked = inBackground(() -> a().request(request("a", 20_000).build()));
    Event question = live("a");
    assertThat(question.getTextData()).isEqualTo("how much?");
    assertThat(Timestamps.isValid(question.getReplyDeadline())).isTrue();
    assertThat(b().reply(reply(question, "42")).getInTime()).isTrue();
    RequestResponse response = asked.get(60, TimeUnit.SECONDS);
    assertThat(response.getReply().getTextData()).isEqualTo("42");
    assertThat(response.getReply().getCausationId()).isEqualTo(question.getId());
    assertThat(response.getReply().getCorrelationId()).isEqualTo(response.getCorrelationId());
  }

  @Test
  void theSameRequestAgainGetsTheSameReplyAndTheAgentOneQuestion() throws Exception {
    register("a", "coder");
    RequestRequest request = request("a", 20_000).setRequestId("r1").build();
    // The first caller goes away before the reply comes.
    Context.CancellableContext leaving =
        Context.current().withDeadline(Deadline.after(300, TimeUnit.MILLISECONDS), timers);
    assertThatThrownBy(() -> leaving.call(() -> a().request(request)))
        .isInstanceOf(StatusRuntimeException.class);
    Event question = live("a");
    Future<RequestResponse> again = inBackground(() -> b().request(request));
    assertThat(a().reply(reply(question, "yes")).getInTime()).isTrue();
    assertThat(again.get(60, TimeUnit.SECONDS).getReply().getTextData()).isEqualTo("yes");
    assertThat(a().request(request).getReply().getTextData()).isEqualTo("yes");
    assertThat(inbox("a")).hasSize(1);
    assertThat(reason(() -> a().request(request("a", 5).setRequestId("r1").build())))
        .isEqualTo("REQUEST_ID_REUSED");
  }

  @Test
  void theFirstReplyCounts() throws Exception {
    register("a", "coder");
    RequestRequest request = request("a", 20_000).setRequestId("r2").build();
    Future<RequestResponse> asked = inBackground(() -> a().request(request));
    Event question = live("a");
    ReplyRequest first = reply(question, "first").toBuilder().setRequestId("f").build();
    ReplyResponse answered = a().reply(first);
    assertThat(answered.getInTime()).isTrue();
    assertThat(b().reply(first)).isEqualTo(answered);
    assertThat(b().reply(reply(question, "second")).getInTime()).isFalse();
    assertThat(asked.get(60, TimeUnit.SECONDS).getReply().getTextData()).isEqualTo("first");
  }

  @Test
  void aRequestWithoutReplyEndsInTimeAndALateReplyIsToldSo() {
    register("a", "coder");
    StatusRuntimeException failure =
        catchThrowableOfType(
            StatusRuntimeException.class, () -> a().request(request("a", 50).build()));
    assertThat(failure.getStatus().getCode()).isEqualTo(io.grpc.Status.Code.DEADLINE_EXCEEDED);
    assertThat(Refusal.of(failure).reason()).isEqualTo("NO_REPLY");
    Event question = inbox("a").get(0);
    assertThat(b().reply(reply(question, "late")).getInTime()).isFalse();
  }

  @Test
  void aReplyMayGoToATopicOfTheCallersOwn() {
    register("a", "coder");
    Event question =
        Event.newBuilder()
            .setId("q")
            .setType("question")
            .setCorrelationId("c")
            .setReplyTo("inbox.a")
            .build();
    assertThat(a().reply(reply(question, "there")).getInTime()).isTrue();
    assertThat(inbox("a")).extracting(Event::getCausationId).containsExactly("q");
    Event reserved = question.toBuilder().setReplyTo("troupe.tasks").build();
    assertThat(Refusal.of(() -> a().reply(reply(reserved, "x"))).fields().keySet())
        .containsExactly("request.reply_to");
  }

  private EventStreamServiceBlockingStub a() {
    return stub(0);
  }

  private EventStreamServiceBlockingStub b() {
    return stub(1);
  }

  private EventStreamServiceBlockingStub stub(int server) {
    return EventStreamServiceGrpc.newBlockingStub(channels.get(server))
        .withDeadlineAfter(60, TimeUnit.SECONDS);
  }

  private long register(String id, String type, String... capabilities) {
    return AgentStateServiceGrpc.newBlockingStub(channels.get(0))
        .registerAgent(
            RegisterAgentRequest.newBuilder()
                .setNamespace(namespace)
                .setAgentId(id)
                .setType(type)
                .addAllCapabilities(List.of(capabilities))
                .setLeaseDuration(Durations.fromMinutes(1))
                .build())
        .getAgent()
        .getFencingToken();
  }

  private static Recipients.Builder to(String... ids) {
    return Recipients.newBuilder().addAllAgentIds(List.of(ids));
  }

  private SendMessageRequest.Builder message(String text, Recipients.Builder to) {
    return SendMessageRequest.newBuilder()
        .setNamespace(namespace)
        .setTo(to)
        .setMessage(Event.newBuilder().setType("note").setTextData(text));
  }

  private List<String> send(Recipients.Builder to) {
    return a().sendMessage(message("to all", to).build()).getAgentIdsList();
  }

  private RequestRequest.Builder request(String agentId, long waitMillis) {
    return RequestRequest.newBuilder()
        .setNamespace(namespace)
        .setAgentId(agentId)
        .setWait(Durations.fromMillis(waitMillis))
        .setMessage(Event.newBuilder().setType("question").setTextData("how much?"));
  }

  private ReplyRequest reply(Event question, String text) {
    return ReplyRequest.newBuilder()
        .setNamespace(namespace)
        .setRequest(question)
        .setReply(Event.newBuilder().setType("answer").setTextData(text))
        .build();
  }

  /** All that is in an inbox. */
  private List<Event> inbox(String agentId) {
    List<Event> events = new ArrayList<>();
    Iterator<SubscribeResponse> messages = messages(agentId);
    while (true) {
      SubscribeResponse message = messages.next();
      message.getBatch().getDeliveriesList().forEach(one -> events.add(one.getEvent()));
      if (message.hasCaughtUp()) {
        return events;
      }
    }
  }

  /** The first message that comes to an inbox. */
  private Event live(String agentId) {
    Iterator<SubscribeResponse> messages = messages(agentId);
    while (true) {
      SubscribeResponse message = messages.next();
      if (message.hasBatch()) {
        return message.getBatch().getDeliveries(0).getEvent();
      }
    }
  }

  private Iterator<SubscribeResponse> messages(String agentId) {
    return b().subscribe(
            SubscribeRequest.newBuilder()
                .setNamespace(namespace)
                .addTopics("inbox." + agentId)
                .setStart(StartPosition.START_POSITION_BEGINNING)
                .build());
  }

  private <T> Future<T> inBackground(Callable<T> call) {
    return threads.submit(call);
  }

  private static String reason(ThrowingCallable call) {
    return Refusal.of(call).reason();
  }
}
