package dev.troupe.bench;

import com.google.protobuf.Duration;
import com.google.protobuf.Struct;
import com.google.protobuf.Value;
import dev.troupe.v1.AgentMetrics;
import dev.troupe.v1.AgentStatus;
import dev.troupe.v1.HeartbeatRequest;
import dev.troupe.v1.RegisterAgentRequest;
import java.util.List;
import java.util.UUID;

/** An agent of a fleet, with what agents say of themselves in life. Thread-safe. */
final class SimulatedAgent {

  static final Duration LEASE = Duration.newBuilder().setSeconds(15).build();

  /** Every so many heartbeats its status or its task is another one. */
  private static final int CHANGES_EVERY = 10;

  private static final List<String> TYPES = List.of("coder", "reviewer", "tester", "planner");
  private static final List<String> LANGUAGES = List.of("go", "java", "python", "rust", "sql");

  final String id;
  final int host;
  private final int number;
  private int beats;
  private int changes;
  private long token;
  private boolean silent = true;

  SimulatedAgent(int number, int host) {
    this.number = number;
    this.host = host;
    this.id = "agent-%04d".formatted(number);
  }

  static String hostName(int host) {
    return "node-%02d.fleet.example".formatted(host);
  }

  String hostName() {
    return hostName(host);
  }

  synchronized long token() {
    return token;
  }

  /** With an id for the request, as the Java client gives it one. */
  synchronized RegisterAgentRequest registration() {
    return RegisterAgentRequest.newBuilder()
        .setAgentId(id)
        .setRequestId(UUID.randomUUID().toString())
        .setType(TYPES.get(number % TYPES.size()))
        .setStatus(AgentStatus.AGENT_STATUS_IDLE)
        .addCapabilities("language=" + LANGUAGES.get(number % LANGUAGES.size()))
        .addCapabilities("tool=git")
        .addCapabilities(number % 3 == 0 ? "gpu" : "browser")
        .putLabels("team", "team-" + number % 12)
        .putLabels("zone", "zone-" + host % 3)
        .putLabels("release", number % 20 == 0 ? "canary" : "stable")
        .setConfiguration(
            Struct.newBuilder()
                .putFields("model", Value.newBuilder().setStringValue("large-2").build())
                .putFields("temperature", Value.newBuilder().setNumberValue(0.2).build())
                .putFields("max_tokens", Value.newBuilder().setNumberValue(8192).build())
                .putFields("sandbox", Value.newBuilder().setBoolValue(true).build()))
        .setHost(hostName())
        .setProcessId(1000 + number)
        .setSoftwareVersion("1.4.2")
        .setMetrics(metrics())
        .setLeaseDuration(LEASE)
        .build();
  }

  /** From now on it has a session, as it described itself, and beats. */
  synchronized void registered(long token) {
    this.token = token;
    changes = 0;
    silent = false;
  }

  /** It has died. */
  synchronized void fallSilent() {
    silent = true;
  }

  synchronized boolean isSilent() {
    return silent;
  }

  synchronized HeartbeatRequest nextBeat() {
    beats++;
    HeartbeatRequest.Builder beat =
        HeartbeatRequest.newBuilder().setAgentId(id).setFencingToken(token).setMetrics(metrics());
    // Not all at the same beat.
    if ((beats + number) % CHANGES_EVERY == 0) {
      switch (changes++ % 4) {
        case 0 -> beat.setStatus(AgentStatus.AGENT_STATUS_RUNNING);
        case 1 -> beat.setCurrentTask("task-" + number + "-" + changes);
        case 2 -> beat.setStatus(AgentStatus.AGENT_STATUS_IDLE);
        default -> beat.setCurrentTask("");
      }
    }
    return beat.build();
  }

  private AgentMetrics metrics() {
    return AgentMetrics.newBuilder()
        .setMemoryBytes(200_000_000L + 1_000_003L * ((number * 31 + beats * 17) % 300))
        .setCpuCores((number + beats) % 40 / 10.0)
        .putGauges("tokens_per_second", (number * 7 + beats * 13) % 1000 / 10.0)
        .build();
  }
}
