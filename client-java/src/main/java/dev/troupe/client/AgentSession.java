package dev.troupe.client;

import dev.troupe.v1.Agent;
import dev.troupe.v1.AgentCommand;
import dev.troupe.v1.AgentMetrics;
import dev.troupe.v1.AgentStateServiceGrpc;
import dev.troupe.v1.AgentStatus;
import dev.troupe.v1.DeregisterAgentRequest;
import dev.troupe.v1.HeartbeatOutcome;
import dev.troupe.v1.HeartbeatRequest;
import dev.troupe.v1.HeartbeatResponse;
import dev.troupe.v1.RegisterAgentResponse;
import io.grpc.CallOptions;
import io.grpc.stub.ClientCallStreamObserver;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.ClientResponseObserver;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A registered agent, alive by its heartbeats until it is closed. The stream of heartbeats opens
 * again when it breaks; the lease outlasts the pause. When another process registers the same id,
 * or the lease ran out, {@link #lost} is done: what the session's token guards is no longer the
 * agent's to write. Thread-safe.
 */
public final class AgentSession implements AutoCloseable {

  private static final Logger log = LoggerFactory.getLogger(AgentSession.class);
  private static final Duration LEAVE_TIMEOUT = Duration.ofSeconds(5);

  private final ClientRuntime runtime;
  private final String namespace;
  private final Agent agent;
  private final CompletableFuture<HeartbeatOutcome> lost = new CompletableFuture<>();
  private final Backoff backoff = new Backoff();
  private final CommandInbox commands = new CommandInbox();

  private AgentStatus status = AgentStatus.AGENT_STATUS_UNSPECIFIED;
  private @Nullable String currentTask;
  private boolean untold;
  private @Nullable Supplier<AgentMetrics> metrics;
  private long acknowledged;
  private Duration interval;
  private @Nullable Heartbeats stream;
  private @Nullable ScheduledFuture<?> next;
  private boolean closed;

  private AgentSession(ClientRuntime runtime, String namespace, RegisterAgentResponse answer) {
    this.runtime = runtime;
    this.namespace = namespace;
    this.agent = answer.getAgent();
    this.interval = interval(answer.getHeartbeatInterval());
  }

  static AgentSession begin(ClientRuntime runtime, String namespace, RegisterAgentResponse answer) {
    AgentSession session = new AgentSession(runtime, namespace, answer);
    session.connect();
    return session;
  }

  private static Duration interval(com.google.protobuf.Duration told) {
    Duration interval = Durations.of(told);
    return interval.isZero() || interval.isNegative() ? Duration.ofSeconds(1) : interval;
  }

  /** The agent as it was registered. */
  public Agent agent() {
    return agent;
  }

  /** The agent's id, as given or chosen by the server. */
  public String agentId() {
    return agent.getAgentId();
  }

  /** Proves in a fence or an update that this session is the agent's current one. */
  public long fencingToken() {
    return agent.getFencingToken();
  }

  /** Done when the session is over and was not closed: REPLACED or EXPIRED. */
  public CompletableFuture<HeartbeatOutcome> lost() {
    return lost;
  }

  /** Tells the status with a heartbeat sent now, and with the first one after a reconnect. */
  public void status(AgentStatus changed) {
    synchronized (this) {
      status = changed;
      untold = true;
    }
    beat();
  }

  /** Tells what the agent works on, an empty text for nothing, like {@link #status}. */
  public void currentTask(String task) {
    synchronized (this) {
      currentTask = task;
      untold = true;
    }
    beat();
  }

  /** Asks for the metrics before each heartbeat; one that has none to give goes without. */
  public void metrics(Supplier<AgentMetrics> supplier) {
    synchronized (this) {
      metrics = supplier;
    }
    beat();
  }

  /**
   * Hands the commands for this session to a handler, one at a time and in their order, those that
   * have come already first. Each is acknowledged after the handler returned, or threw, so that a
   * command that a crash interrupts comes again; none is handed over twice. The handler must not
   * block: heartbeats are answered on the same thread.
   */
  public void onCommand(Consumer<AgentCommand> handler) {
    commands.handler(handler);
    beat();
  }

  private void connect() {
    Heartbeats opened = new Heartbeats();
    synchronized (this) {
      if (closed || lost.isDone()) {
        return;
      }
      stream = opened;
      acknowledged = 0;
      untold = status != AgentStatus.AGENT_STATUS_UNSPECIFIED || currentTask != null;
    }
    ClientCalls.asyncBidiStreamingCall(
        runtime
            .channel()
            .newCall(
                AgentStateServiceGrpc.getHeartbeatMethod(), CallOptions.DEFAULT.withWaitForReady()),
        opened);
    beat();
  }

  /** Sends a heartbeat, unless the stream is full: the one in it will do. */
  private void beat() {
    // Whoever tells it may hold locks of its own.
    AgentMetrics load = load();
    synchronized (this) {
      beat(load);
    }
  }

  private void beat(@Nullable AgentMetrics load) {
    if (stream == null || closed || lost.isDone()) {
      return;
    }
    schedule();
    if (!stream.ready()) {
      return;
    }
    HeartbeatRequest.Builder beat =
        HeartbeatRequest.newBuilder()
            .setNamespace(namespace)
            .setAgentId(agent.getAgentId())
            .setFencingToken(agent.getFencingToken());
    long handled = commands.handled();
    if (handled > acknowledged) {
      beat.setAcknowledgedCommand(handled);
      acknowledged = handled;
    }
    if (load != null) {
      beat.setMetrics(load);
    }
    if (untold) {
      beat.setStatus(status);
      if (currentTask != null) {
        beat.setCurrentTask(currentTask);
      }
      untold = false;
    }
    stream.send(beat.build());
  }

  private @Nullable AgentMetrics load() {
    Supplier<AgentMetrics> supplier;
    synchronized (this) {
      supplier = metrics;
    }
    try {
      return supplier == null ? null : supplier.get();
    } catch (RuntimeException broken) {
      log.warn("{} tells no metrics", agentId(), broken);
      return null;
    }
  }

  private synchronized void schedule() {
    if (next != null) {
      next.cancel(false);
    }
    next = later(this::beat, interval);
  }

  private @Nullable ScheduledFuture<?> later(Runnable what, Duration wait) {
    try {
      return runtime.timer().schedule(what, wait.toMillis(), TimeUnit.MILLISECONDS);
    } catch (RejectedExecutionException clientClosed) {
      return null;
    }
  }

  private void heard(Heartbeats from, HeartbeatResponse response) {
    HeartbeatOutcome outcome = response.getOutcome();
    synchronized (this) {
      if (stream != from) {
        return;
      }
      backoff.reset();
      if (response.hasHeartbeatInterval()) {
        interval = interval(response.getHeartbeatInterval());
      }
    }
    switch (outcome) {
      case HEARTBEAT_OUTCOME_REPLACED, HEARTBEAT_OUTCOME_EXPIRED -> {
        lost.complete(outcome);
        abandon();
      }
      case HEARTBEAT_OUTCOME_GO_AWAY -> {
        from.complete();
        ended(from);
      }
      case HEARTBEAT_OUTCOME_COMMAND -> {
        if (commands.take(response.getCommandsList())) {
          beat();
        }
      }
      case HEARTBEAT_OUTCOME_EXTENDED, HEARTBEAT_OUTCOME_UNSPECIFIED, UNRECOGNIZED -> {}
    }
  }

  private void ended(Heartbeats which) {
    Duration wait;
    synchronized (this) {
      if (stream != which || closed || lost.isDone()) {
        return;
      }
      stream = null;
      wait = backoff.next();
    }
    later(this::connect, wait);
  }

  private void abandon() {
    Heartbeats open;
    synchronized (this) {
      closed = true;
      open = stream;
      stream = null;
      if (next != null) {
        next.cancel(false);
      }
    }
    if (open != null) {
      open.complete();
    }
  }

  /** Stops the heartbeats and takes the agent off the registry. */
  public CompletableFuture<Void> leave(String reason) {
    abandon();
    if (lost.isDone()) {
      return CompletableFuture.completedFuture(null);
    }
    return runtime
        .call(
            AgentStateServiceGrpc.getDeregisterAgentMethod(),
            DeregisterAgentRequest.newBuilder()
                .setNamespace(namespace)
                .setAgentId(agent.getAgentId())
                .setFencingToken(agent.getFencingToken())
                .setReason(reason)
                .build(),
            LEAVE_TIMEOUT)
        .thenApply(answer -> null);
  }

  /**
   * Like {@link #leave}, waiting up to 5 seconds. When the server cannot be told, the agent is LOST
   * at the end of its lease.
   */
  @Override
  public void close() {
    Blocking.await(leave("closed").exceptionally(untold -> null));
  }

  private final class Heartbeats
      implements ClientResponseObserver<HeartbeatRequest, HeartbeatResponse> {

    private @Nullable ClientCallStreamObserver<HeartbeatRequest> up;

    @Override
    public void beforeStart(ClientCallStreamObserver<HeartbeatRequest> stream) {
      up = stream;
      // A heartbeat that found the stream not open yet is made up for.
      stream.setOnReadyHandler(AgentSession.this::beat);
    }

    boolean ready() {
      return up != null && up.isReady();
    }

    void send(HeartbeatRequest beat) {
      if (up != null) {
        up.onNext(beat);
      }
    }

    void complete() {
      if (up != null) {
        up.cancel("the session is over", null);
      }
    }

    @Override
    public void onNext(HeartbeatResponse response) {
      heard(this, response);
    }

    @Override
    public void onError(Throwable failure) {
      ended(this);
    }

    @Override
    public void onCompleted() {
      ended(this);
    }
  }
}
