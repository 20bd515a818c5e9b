package dev.troupe.server.agent;

import static dev.troupe.server.agent.FixedNamespaces.partition;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.troupe.server.error.TroupeException;
import dev.troupe.server.redis.OwnRedis;
import dev.troupe.server.redis.ScriptRunner;
import dev.troupe.v1.Agent;
import dev.troupe.v1.ErrorReason;
import dev.troupe.v1.Fence;
import dev.troupe.v1.RegisterAgentRequest;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** What a crash between the steps of a lease of ports leaves behind, and for how long. */
@SuppressWarnings("NullAway.Init")
final class PortStoreTest {

  private static final PortRange RANGE = new PortRange(40_001, 40_020);
  private static final String HOST = "troupe:{t/3}:";

  private static OwnRedis redis;
  private static RedisWire wire;
  private final FixedNamespaces namespaces = new FixedNamespaces();
  private final AgentScripts scripts = new AgentScripts(redis);
  private final AgentStore agents = new AgentStore(scripts, namespaces);
  private final PortStore ports = new PortStore(scripts, namespaces);
  private final AgentPorts work =
      new AgentPorts(
          agents,
          ports,
          new AgentConfig(Duration.ofHours(1), Duration.ofMillis(50), RANGE.toString()));

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
  void aBookingThatWasNeverUsedIsFreedWhenItIsDue() throws Exception {
    PortBooking booking = book(20, Duration.ZERO);
    assertThat(Set.copyOf(booking.ports())).hasSize(20);
    assertThatThrownBy(() -> book(1, Duration.ZERO))
        .hasRootCauseInstanceOf(TroupeException.class)
        .hasRootCauseMessage("not as many ports are free on the host (namespace t)");
    get(work.lookInto(partition(3)));
    assertThat(wire.texts("KEYS", HOST + "*")).isEmpty();
    assertThat(book(20, Duration.ZERO).ports()).hasSize(20);
  }

  @Test
  void aBookingThatWasUsedIsKeptWhenItIsDueAndFreedWithItsSession() throws Exception {
    PortBooking booking = book(3, Duration.ZERO);
    Agent session = get(agents.register(partition(1), request(3), "", booking)).agent();
    assertThat(session.getPortsList()).isEqualTo(booking.ports());
    get(work.lookInto(partition(3)));
    get(work.lookInto(partition(3)));
    assertThat(wire.texts("ZRANGE", HOST + "ag:booked", "0", "-1")).isEmpty();
    assertThat(wire.command("HGET", HOST + "ag:hp:h", booking.ports().get(0).toString()))
        .isEqualTo(booking.id() + "\n" + session.getFencingToken() + "\n1");
    assertThat(free()).hasSize(17);
    // Twice, as after a crash in between.
    SessionEnd end = new SessionEnd("t", "1", session.getFencingToken(), SessionEnd.Reason.LOST, 0);
    get(work.sessionEnded(end));
    get(work.sessionEnded(end));
    assertThat(free()).hasSize(20);
    assertThat(wire.texts("KEYS", "*ag:ports*")).isEmpty();
  }

  @Test
  void aConfirmationThatComesAfterTheEndOfTheSessionBringsNothingBack() throws Exception {
    PortBooking booking = book(3, Duration.ZERO);
    Agent session = get(agents.register(partition(1), request(3), "", booking)).agent();
    long token = session.getFencingToken();
    get(work.sessionEnded(new SessionEnd("t", "1", token, SessionEnd.Reason.REPLACED, 0)));
    PortBooking others = book(20, Duration.ofHours(1));
    get(ports.confirm(booking, token));
    get(ports.free(booking));
    assertThat(others.ports()).hasSize(20);
    assertThat(free()).isEmpty();
    get(ports.free(others));
    assertThat(wire.texts("KEYS", HOST + "*")).isEmpty();
  }

  @Test
  void aBookingThatIsTooOldIsNotUsed() throws Exception {
    PortBooking fresh = book(1, Duration.ZERO);
    PortBooking old =
        new PortBooking(
            fresh.partition(),
            fresh.host(),
            fresh.agentId(),
            fresh.id(),
            fresh.madeMicros() - PortStore.USABLE_MICROS - 1_000_000,
            fresh.ports());
    assertThatThrownBy(() -> get(agents.register(partition(1), request(1), "", old)))
        .hasRootCauseInstanceOf(TroupeException.class)
        .hasRootCauseMessage(
            "the ports were booked too long ago; nothing was changed (namespace t, agent_id 1)");
    assertThat(wire.texts("KEYS", "*ag:a:*")).isEmpty();
  }

  @Test
  void portsGoRoundTheRangeAndTheRangeMayChange() throws Exception {
    Set<Integer> seen = new HashSet<>();
    PortBooking keeps = book(1, Duration.ofHours(1));
    seen.addAll(keeps.ports());
    for (int i = 0; i < 19; i++) {
      PortBooking one = book(1, Duration.ofHours(1));
      assertThat(seen.addAll(one.ports())).isTrue();
      get(ports.free(one));
    }
    assertThat(book(1, Duration.ofHours(1)).ports()).containsExactly(RANGE.first() + 1);
    PortBooking other =
        get(
            ports.book(
                partition(3),
                "h",
                "1",
                UUID.randomUUID().toString(),
                10,
                new PortRange(65_526, 65_535),
                Duration.ofHours(1)));
    assertThat(other.ports()).hasSize(10).allMatch(port -> port >= 65_526 && port <= 65_535);
    assertThat(free()).hasSize(18);
  }

  @Test
  void whatSurelyWasNotRegisteredIsFreedAtOnceAndWhatMayHaveBeenWaits() throws Exception {
    for (ErrorReason reason :
        List.of(
            ErrorReason.ERROR_REASON_STORE_UNAVAILABLE, ErrorReason.ERROR_REASON_OUTCOME_UNKNOWN)) {
      ScriptRunner faulty =
          (script, partition, arguments) ->
              script.name().equals("agent/register")
                  ? CompletableFuture.failedFuture(TroupeException.of(reason, "away"))
                  : redis.run(script, partition, arguments);
      AgentScripts through = new AgentScripts(faulty);
      AgentPorts failing =
          new AgentPorts(
              new AgentStore(through, namespaces),
              new PortStore(through, namespaces),
              new AgentConfig(Duration.ofHours(1), Duration.ofMillis(50), RANGE.toString()));
      assertThatThrownBy(() -> get(failing.register(partition(1), request(4), "")))
          .hasRootCauseMessage("away");
      boolean known = reason == ErrorReason.ERROR_REASON_STORE_UNAVAILABLE;
      assertThat(free()).hasSize(known ? 20 : 16);
    }
  }

  /** The ports that can be had; they are given back. */
  private Set<Integer> free() throws Exception {
    Set<Integer> free = new HashSet<>();
    Set<PortBooking> bookings = new HashSet<>();
    while (true) {
      PortBooking one;
      try {
        one = book(1, Duration.ofHours(1));
      } catch (Exception none) {
        break;
      }
      bookings.add(one);
      free.addAll(one.ports());
    }
    for (PortBooking booking : bookings) {
      get(ports.free(booking));
    }
    return free;
  }

  private PortBooking book(int count, Duration hold) throws Exception {
    return get(
        ports.book(partition(3), "h", "1", UUID.randomUUID().toString(), count, RANGE, hold));
  }

  private static RegisterAgentRequest request(int count) {
    return RegisterAgentRequest.newBuilder()
        .setAgentId("1")
        .setType("coder")
        .setHost("h")
        .setPorts(count)
        .setFence(Fence.getDefaultInstance())
        .build();
  }

  private static <T> T get(CompletionStage<T> stage) throws Exception {
    return stage.toCompletableFuture().get(60, TimeUnit.SECONDS);
  }
}
