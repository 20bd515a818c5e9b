package dev.troupe.server.agent;

import static java.util.concurrent.TimeUnit.MICROSECONDS;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.google.protobuf.util.Durations;
import com.google.protobuf.util.Timestamps;
import dev.troupe.v1.Agent;
import dev.troupe.v1.AgentChange;
import dev.troupe.v1.AgentChangeKind;
import dev.troupe.v1.AgentStatus;
import dev.troupe.v1.DeregisterAgentRequest;
import dev.troupe.v1.EventDelivery;
import dev.troupe.v1.EventStreamServiceGrpc;
import dev.troupe.v1.HeartbeatOutcome;
import dev.troupe.v1.HeartbeatResponse;
import dev.troupe.v1.RegisterAgentRequest;
import dev.troupe.v1.StartPosition;
import dev.troupe.v1.SubscribeRequest;
import dev.troupe.v1.SubscribeResponse;
import io.grpc.ManagedChannel;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** Who is alive, and how soon it is known who is not. */
interface AgentLivenessContract extends AgentContract {

  @Test
  default void anAgentWhoseStreamBreaksComesBackWithItsTokenAndStaysAlive() throws Exception {
    try (AgentWatcher watcher = agents().watchAll(agents().channelB())) {
      Agent session =
          agents().register(agents().agent("a").setLeaseDuration(Durations.fromSeconds(1)));
      ManagedChannel broken = agents().newChannelA();
      HeartbeatCaller stream = agents().heartbeats(broken);
      assertThat(stream.beat(session, AgentStatus.AGENT_STATUS_RUNNING))
          .isEqualTo(HeartbeatOutcome.HEARTBEAT_OUTCOME_EXTENDED);
      broken.shutdownNow();
      Agent before = agents().get("a");
      assertThat(before.getStatus()).isEqualTo(AgentStatus.AGENT_STATUS_RUNNING);

      try (HeartbeatCaller other = agents().heartbeats(agents().channelB())) {
        await()
            .pollInterval(Duration.ofMillis(250))
            .until(
                () -> {
                  assertThat(other.beat(session))
                      .isEqualTo(HeartbeatOutcome.HEARTBEAT_OUTCOME_EXTENDED);
                  return microsBetween(before, agents().get("a")) > 1_500_000;
                });
      }
      assertThat(agents().get("a").toBuilder().clearHeartbeatTime().build())
          .isEqualTo(before.toBuilder().clearHeartbeatTime().build());
      assertThat(watcher.change().getKind())
          .isEqualTo(AgentChangeKind.AGENT_CHANGE_KIND_REGISTERED);
      assertThat(watcher.change().getKind()).isEqualTo(AgentChangeKind.AGENT_CHANGE_KIND_UPDATED);
      // It falls silent now, and only now it is lost.
      AgentChange lost = watcher.change();
      assertThat(lost.getKind()).isEqualTo(AgentChangeKind.AGENT_CHANGE_KIND_LOST);
      assertThat(microsSilent(lost)).isBetween(1_000_000L, 2_000_000L);
    }
  }

  private static long microsBetween(Agent earlier, Agent later) {
    return Timestamps.toMicros(later.getHeartbeatTime())
        - Timestamps.toMicros(earlier.getHeartbeatTime());
  }

  private static long microsSilent(AgentChange lost) {
    return Timestamps.toMicros(lost.getTime())
        - Timestamps.toMicros(lost.getAgent().getHeartbeatTime());
  }

  @Test
  default void fiveHundredAgentsThatDieAtOnceAreEachToldOfOnce() throws Exception {
    int many = 500;
    try (AgentWatcher throughA = agents().watchAll(agents().channelA());
        AgentWatcher throughB = agents().watchAll(agents().channelB())) {
      List<RegisterAgentRequest> requests = new ArrayList<>();
      for (int i = 0; i < many; i++) {
        requests.add(
            agents()
                .agent("agent-" + i)
                .addCapabilities("c" + i % 10)
                .putLabels("rack", "r" + i % 7)
                .setLeaseDuration(Durations.fromSeconds(1))
                .build());
      }
      agents().registerAll(requests);
      for (AgentWatcher watcher : List.of(throughA, throughB)) {
        Set<String> lost = new HashSet<>();
        for (int i = 0; i < 2 * many; i++) {
          AgentChange change = watcher.change();
          if (change.getKind() == AgentChangeKind.AGENT_CHANGE_KIND_LOST) {
            assertThat(lost.add(change.getAgent().getAgentId())).isTrue();
            assertThat(change.getAgent().getStatus()).isEqualTo(AgentStatus.AGENT_STATUS_LOST);
            assertThat(change.getReason()).isEqualTo("silent for its lease");
            assertThat(microsSilent(change)).isBetween(1_000_000L, 4_000_000L);
          }
        }
        assertThat(lost).hasSize(many);
        assertThat(watcher.isQuiet()).isTrue();
      }
      assertThat(eventsOfLost()).hasSize(many);
      assertThat(agents().list(agents().listing().setStatus(AgentStatus.AGENT_STATUS_STARTING)))
          .isEmpty();
      assertThat(agents().list(agents().listing().setStatus(AgentStatus.AGENT_STATUS_LOST)))
          .hasSize(many);
    }
  }

  /** Who was lost according to the topic of the server; one that is told of twice fails here. */
  private Set<String> eventsOfLost() {
    Set<String> lost = new HashSet<>();
    Iterator<SubscribeResponse> events =
        EventStreamServiceGrpc.newBlockingStub(agents().channelB())
            .subscribe(
                SubscribeRequest.newBuilder()
                    .setNamespace(agents().namespace())
                    .addTopics("troupe.agents")
                    .addTypes("agent.lost")
                    .setStart(StartPosition.START_POSITION_BEGINNING)
                    .build());
    while (events.hasNext()) {
      SubscribeResponse response = events.next();
      for (EventDelivery delivery : response.getBatch().getDeliveriesList()) {
        AgentChange change = delivery.getEvent().getAgent();
        assertThat(change.getKind()).isEqualTo(AgentChangeKind.AGENT_CHANGE_KIND_LOST);
        assertThat(change.getAgent().getAgentId()).isEqualTo(delivery.getEvent().getSubject());
        assertThat(lost.add(delivery.getEvent().getSubject())).isTrue();
      }
      if (response.hasCaughtUp()) {
        break;
      }
    }
    return lost;
  }

  @Test
  default void aLostAgentIsToldSoAndCanOnlyRegisterAgainOrSayGoodbye() throws Exception {
    try (AgentWatcher watcher = agents().watchAll(agents().channelB());
        HeartbeatCaller stream = agents().heartbeats(agents().channelA())) {
      Agent session =
          agents().register(agents().agent("a").setLeaseDuration(Durations.fromSeconds(1)));
      watcher.change();
      AgentChange lost = watcher.change();
      assertThat(lost.getKind()).isEqualTo(AgentChangeKind.AGENT_CHANGE_KIND_LOST);
      assertThat(lost.getAgent()).isEqualTo(agents().get("a"));
      assertThat(microsSilent(lost)).isBetween(1_000_000L, 2_000_000L);
      assertThat(eventsOfLost()).containsExactly("a");
      assertThat(stream.beat(session)).isEqualTo(HeartbeatOutcome.HEARTBEAT_OUTCOME_EXPIRED);
      assertThat(agents().get("a")).isEqualTo(lost.getAgent());

      Agent ended =
          agents()
              .a()
              .deregisterAgent(
                  DeregisterAgentRequest.newBuilder()
                      .setNamespace(agents().namespace())
                      .setAgentId("a")
                      .setFencingToken(session.getFencingToken())
                      .build())
              .getAgent();
      assertThat(ended.getStatus()).isEqualTo(AgentStatus.AGENT_STATUS_TERMINATED);
      assertThat(watcher.change().getKind())
          .isEqualTo(AgentChangeKind.AGENT_CHANGE_KIND_DEREGISTERED);
      Agent next = agents().register(agents().agent("a"));
      assertThat(next.getFencingToken()).isGreaterThan(session.getFencingToken());
      assertThat(stream.beat(session)).isEqualTo(HeartbeatOutcome.HEARTBEAT_OUTCOME_REPLACED);
      assertThat(stream.beat(next)).isEqualTo(HeartbeatOutcome.HEARTBEAT_OUTCOME_EXTENDED);
    }
  }

  @Test
  default void whatHeartbeatsTellIsWrittenOnceAndMovesTheAgentBetweenIndexes() throws Exception {
    // By the usual lease, of 10 seconds.
    Agent session = agents().register(agents().agent("a").clearLeaseDuration());
    try (AgentWatcher watcher = agents().watchAll(agents().channelB());
        HeartbeatCaller stream = agents().heartbeats(agents().channelA())) {
      for (int i = 0; i < 3; i++) {
        stream.send(
            HeartbeatCaller.of(session)
                .setStatus(AgentStatus.AGENT_STATUS_RUNNING)
                .setCurrentTask("task-1"));
      }
      stream.send(session);
      stream.send(HeartbeatCaller.of(session).setCurrentTask(""));
      for (int i = 0; i < 5; i++) {
        HeartbeatResponse response = stream.next();
        assertThat(response.getOutcome()).isEqualTo(HeartbeatOutcome.HEARTBEAT_OUTCOME_EXTENDED);
        assertThat(response.getHeartbeatInterval()).isEqualTo(Durations.fromNanos(3_333_333_000L));
        assertThat(
                Timestamps.toMicros(response.getLeaseExpireTime())
                    - Timestamps.toMicros(session.getHeartbeatTime()))
            .isGreaterThan(10_000_000L);
      }
      Agent running = watcher.change().getAgent();
      assertThat(running.getStatus()).isEqualTo(AgentStatus.AGENT_STATUS_RUNNING);
      assertThat(running.getCurrentTask()).isEqualTo("task-1");
      assertThat(running.getVersion()).isEqualTo(2);
      Agent free = watcher.change().getAgent();
      assertThat(free.getCurrentTask()).isEmpty();
      assertThat(free.getVersion()).isEqualTo(3);
      assertThat(agents().get("a")).isEqualTo(free);
      assertThat(agents().list(agents().listing().setStatus(AgentStatus.AGENT_STATUS_STARTING)))
          .isEmpty();
      assertThat(agents().list(agents().listing().setStatus(AgentStatus.AGENT_STATUS_RUNNING)))
          .containsExactly(free);
      stream.halfClose();
      stream.ended();
    }
  }

  @Test
  default void heartbeatsOfATickAreOneScriptForEachPartition() throws Exception {
    int many = 200;
    int rounds = 5;
    List<RegisterAgentRequest> requests = new ArrayList<>();
    for (int i = 0; i < many; i++) {
      requests.add(agents().agent("agent-" + i).build());
    }
    List<Agent> sessions = agents().registerAll(requests);
    try (HeartbeatCaller stream = agents().heartbeats(agents().channelA())) {
      // Each Redis process knows the script afterwards.
      round(stream, sessions);
      try (HeartbeatMonitor monitor = new HeartbeatMonitor(agents())) {
        long begun = System.nanoTime();
        for (int i = 0; i < rounds; i++) {
          round(stream, sessions);
        }
        long ticks = (System.nanoTime() - begun) / 50_000_000 + 1;
        Map<String, Integer> scripts = new HashMap<>();
        monitor.heard().forEach(partition -> scripts.merge(partition, 1, Integer::sum));
        assertThat(scripts).isNotEmpty();
        assertThat(scripts.values()).allMatch(count -> count <= ticks);
        assertThat(monitor.heard().size()).isLessThan(rounds * many / 4);
      }
    }
  }

  private static void round(HeartbeatCaller stream, List<Agent> sessions)
      throws InterruptedException {
    sessions.forEach(stream::send);
    Set<String> answered = new HashSet<>();
    for (int i = 0; i < sessions.size(); i++) {
      HeartbeatResponse response = stream.next();
      assertThat(response.getOutcome()).isEqualTo(HeartbeatOutcome.HEARTBEAT_OUTCOME_EXTENDED);
      answered.add(response.getAgentId());
    }
    assertThat(answered).hasSize(sessions.size());
  }

  @Test
  default void moreHeartbeatsThanAScriptTakesAreAllAnswered() throws Exception {
    Agent session = agents().register(agents().agent("a"));
    int many = 3 * AgentStore.MOST_HEARTBEATS + 1;
    try (HeartbeatCaller stream = agents().heartbeats(agents().channelA())) {
      for (int i = 0; i < many; i++) {
        stream.send(HeartbeatCaller.of(session).setCurrentTask("task-" + i));
      }
      for (int i = 0; i < many; i++) {
        assertThat(stream.next().getOutcome())
            .isEqualTo(HeartbeatOutcome.HEARTBEAT_OUTCOME_EXTENDED);
      }
      // In the order in which they were sent.
      assertThat(agents().get("a").getCurrentTask()).isEqualTo("task-" + (many - 1));
      assertThat(agents().get("a").getVersion()).isEqualTo(many + 1);
    }
    assertThat(MICROSECONDS.toMillis(microsBetween(session, agents().get("a")))).isNotNegative();
  }
}
