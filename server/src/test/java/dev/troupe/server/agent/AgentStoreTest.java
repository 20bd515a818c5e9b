package dev.troupe.server.agent;

import static dev.troupe.server.agent.FixedNamespaces.partition;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.tuple;
import static org.awaitility.Awaitility.await;

import com.google.common.base.Ticker;
import com.google.protobuf.FieldMask;
import com.google.protobuf.util.Durations;
import dev.troupe.server.error.TroupeException;
import dev.troupe.server.lifecycle.Lifecycle;
import dev.troupe.server.lifecycle.PeriodicTasks;
import dev.troupe.server.redis.Leaders;
import dev.troupe.server.redis.OwnRedis;
import dev.troupe.server.redis.Partition;
import dev.troupe.server.redis.ScriptRunner;
import dev.troupe.v1.Agent;
import dev.troupe.v1.AgentStatus;
import dev.troupe.v1.ErrorReason;
import dev.troupe.v1.Fence;
import dev.troupe.v1.RegisterAgentRequest;
import dev.troupe.v1.UpdateAgentRequest;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** What of the agents' store takes other settings, or other weather, than a server has. */
@SuppressWarnings("NullAway.Init")
final class AgentStoreTest {

  private static final Leaders ME = duty -> () -> CompletableFuture.completedFuture(true);

  private static final AgentConfig CONFIG =
      new AgentConfig(Duration.ofHours(1), Duration.ofMillis(50), "20000-20031");

  private static OwnRedis redis;
  private static RedisWire wire;
  private final FixedNamespaces namespaces = new FixedNamespaces();
  private final AgentStore store = new AgentStore(new AgentScripts(redis), namespaces);

  @BeforeAll
  static void start() throws Exception {
    redis = new OwnRedis();
    wire = new RedisWire(redis.masters().get(0));
  }

  @AfterAll
  static void stop() throws Exception {
    wire.close();
    redis.close();
  }

  @AfterEach
  void empty() throws Exception {
    wire.command("FLUSHALL");
  }

  @Test
  void aRecordPastItsRetentionLeavesNothingBehind() throws Exception {
    register("1");
    deregister("1");
    forget("1");
    assertThatThrownBy(() -> get(store.get(partition(1), "1")))
        .hasRootCauseInstanceOf(TroupeException.class)
        .hasRootCauseMessage("no such agent (namespace t, agent_id 1)");
    assertThat(wire.texts("KEYS", "*"))
        .containsExactlyInAnyOrder("troupe:{t/1}:log", "troupe:{t/1}:head");
  }

  @Test
  void aRepeatedUpdateOfAForgottenAgentGetsTheFirstAnswer() throws Exception {
    register("1");
    AgentChanges changes = new AgentChanges(store, CONFIG, endings(store), ports(redis));
    UpdateAgentRequest update =
        UpdateAgentRequest.newBuilder()
            .setAgent(Agent.newBuilder().setAgentId("1").setHost("there"))
            .setUpdateMask(FieldMask.newBuilder().addPaths("host"))
            .setRequestId("r")
            .build();
    Agent updated = get(changes.update(update));
    deregister("1");
    forget("1");
    assertThat(get(changes.update(update))).isEqualTo(updated);
    assertThatThrownBy(() -> get(changes.update(update.toBuilder().setRequestId("s").build())))
        .isInstanceOf(ExecutionException.class)
        .hasRootCauseMessage("no such agent (namespace t, agent_id 1)");
  }

  @Test
  void aPartitionThatIsAwayDoesNotKeepTheOthersFromBeingSwept() throws Exception {
    for (int i = 0; i < 4; i++) {
      register(Integer.toString(i));
    }
    AtomicBoolean away = new AtomicBoolean(true);
    ScriptRunner faulty =
        (script, partition, arguments) ->
            away.get() && partition.index() == 1
                ? CompletableFuture.failedFuture(
                    TroupeException.of(
                        ErrorReason.ERROR_REASON_STORE_UNAVAILABLE, "a master is away"))
                : redis.run(script, partition, arguments);
    PeriodicTasks tasks = new PeriodicTasks(Ticker.systemTicker(), InstantSource.system());
    Lifecycle lifecycle = new Lifecycle(Ticker.systemTicker(), Duration.ofSeconds(1));
    AgentStore faultyStore = new AgentStore(new AgentScripts(faulty), namespaces);
    new AgentWork(
            faultyStore,
            CONFIG,
            endings(faultyStore),
            ports(faulty),
            new FigureCounting(
                new FigureStore(new AgentScripts(faulty)), namespaces, ME, Ticker.systemTicker()),
            ME,
            namespaces,
            tasks,
            lifecycle)
        .start();
    try {
      await().until(() -> status(0) == AgentStatus.AGENT_STATUS_LOST);
      await().until(() -> status(2) == AgentStatus.AGENT_STATUS_LOST);
      await().until(() -> status(3) == AgentStatus.AGENT_STATUS_LOST);
      assertThat(status(1)).isEqualTo(AgentStatus.AGENT_STATUS_STARTING);
      away.set(false);
      await().until(() -> status(1) == AgentStatus.AGENT_STATUS_LOST);
    } finally {
      get(tasks.stop(Duration.ofSeconds(1)));
    }
  }

  @Test
  void anEndingIsToldUntilEveryListenerHasDoneItsPart() throws Exception {
    register("1");
    register("1");
    deregister("1");
    AtomicInteger failures = new AtomicInteger(3);
    Queue<SessionEnd> first = new ConcurrentLinkedQueue<>();
    Queue<SessionEnd> second = new ConcurrentLinkedQueue<>();
    Set<SessionEndListener> listeners =
        Set.of(
            end -> {
              first.add(end);
              return CompletableFuture.completedFuture(null);
            },
            end -> {
              second.add(end);
              if (failures.getAndDecrement() > 0) {
                throw new IllegalStateException("not yet");
              }
              return CompletableFuture.completedFuture(null);
            });
    PeriodicTasks tasks = new PeriodicTasks(Ticker.systemTicker(), InstantSource.system());
    new SessionEndings(store, listeners, ME, namespaces).begin(tasks);
    try {
      await().until(() -> wire.texts("ZRANGE", "troupe:{t/1}:ag:over", "0", "-1").isEmpty());
    } finally {
      get(tasks.stop(Duration.ofSeconds(1)));
    }
    assertThat(first).hasSize(5).containsExactlyInAnyOrderElementsOf(second);
    assertThat(Set.copyOf(first))
        .extracting(SessionEnd::namespace, SessionEnd::agentId, SessionEnd::reason)
        .containsExactlyInAnyOrder(
            tuple("t", "1", SessionEnd.Reason.REPLACED),
            tuple("t", "1", SessionEnd.Reason.DEREGISTERED));
  }

  private SessionEndings endings(AgentStore of) {
    return new SessionEndings(of, Set.of(), ME, namespaces);
  }

  private AgentPorts ports(ScriptRunner scripts) {
    AgentScripts of = new AgentScripts(scripts);
    return new AgentPorts(new AgentStore(of, namespaces), new PortStore(of, namespaces), CONFIG);
  }

  private void settleAll(Partition partition) throws Exception {
    get(store.settle(partition, get(store.endings(partition, Duration.ZERO)).sessions()));
  }

  private AgentStatus status(int partition) throws Exception {
    return get(store.get(partition(partition), Integer.toString(partition))).getStatus();
  }

  private void register(String id) throws Exception {
    RegisterAgentRequest request =
        RegisterAgentRequest.newBuilder()
            .setAgentId(id)
            .setType("coder")
            .addCapabilities("go")
            .putLabels("k", "v")
            .setLeaseDuration(Durations.fromSeconds(1))
            .build();
    get(store.register(partition(Integer.parseInt(id)), request, "", null));
  }

  private void deregister(String id) throws Exception {
    get(
        store.deregister(
            partition(Integer.parseInt(id)),
            id,
            0,
            "",
            Duration.ofMillis(1),
            Fence.getDefaultInstance(),
            "",
            ""));
  }

  private void forget(String id) {
    Partition partition = partition(Integer.parseInt(id));
    await()
        .until(
            () -> {
              get(store.sweep(partition, CONFIG.retention(), () -> {}));
              settleAll(partition);
              return store.get(partition, id).toCompletableFuture().handle((a, gone) -> gone).get()
                  != null;
            });
  }

  private static <T> T get(CompletionStage<T> stage) throws Exception {
    return stage.toCompletableFuture().get(60, TimeUnit.SECONDS);
  }
}
