package dev.troupe.client;

import io.grpc.Channel;
import io.grpc.ClientInterceptors;
import io.grpc.ManagedChannel;
import io.grpc.netty.NettyChannelBuilder;
import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * One connection to Troupe, for any number of threads; make one per process and keep it.
 *
 * <p>Closing it ends the connection at once: workers, sessions and subscriptions are to be stopped
 * before, or what they hold is given back only after its grace.
 */
public final class TroupeClient implements AutoCloseable {

  private final @Nullable ManagedChannel ownChannel;
  private final ClientRuntime runtime;
  private final TaskClient tasks;
  private final AgentClient agents;
  private final EventClient events;
  private final LockClient locks;
  private final MemoryClient memory;

  private TroupeClient(Builder builder) {
    ManagedChannel own = null;
    Channel channel = builder.channel;
    if (channel == null) {
      own = builder.open();
      channel = own;
    }
    this.ownChannel = own;
    ScheduledExecutorService timer = timer();
    this.runtime =
        new ClientRuntime(
            ClientInterceptors.intercept(channel, new RequestDefaults(builder.namespace)),
            builder.namespace,
            builder.callTimeout,
            timer,
            new Pauses(timer));
    this.tasks = new TaskClient(runtime);
    this.agents = new AgentClient(runtime);
    this.events = new EventClient(runtime);
    this.locks = new LockClient(runtime);
    this.memory = new MemoryClient(runtime);
  }

  /** A client of the server at "host:port", in the namespace "default". */
  public static TroupeClient connect(String target) {
    return builder(target).build();
  }

  /** Begins a client of the server at "host:port", or at any target that gRPC can resolve. */
  public static Builder builder(String target) {
    return new Builder(target);
  }

  /** Task queues. */
  public TaskClient tasks() {
    return tasks;
  }

  /** Task queues, with calls that return when they are done. */
  public BlockingTaskClient blockingTasks() {
    return new BlockingTaskClient(tasks);
  }

  /** The registry of agents. */
  public AgentClient agents() {
    return agents;
  }

  /** The registry of agents, with calls that return when they are done. */
  public BlockingAgentClient blockingAgents() {
    return new BlockingAgentClient(agents);
  }

  /** Topics. */
  public EventClient events() {
    return events;
  }

  /** Topics, with calls that return when they are done. */
  public BlockingEventClient blockingEvents() {
    return new BlockingEventClient(events);
  }

  /** Locks and elections. */
  public LockClient locks() {
    return locks;
  }

  /** Locks, with calls that return when they are done. */
  public BlockingLockClient blockingLocks() {
    return new BlockingLockClient(locks);
  }

  /** Memory. */
  public MemoryClient memory() {
    return memory;
  }

  /** Memory, with calls that return when they are done. */
  public BlockingMemoryClient blockingMemory() {
    return new BlockingMemoryClient(memory);
  }

  /** Begins a worker on these queues, 1 to 16 of them. */
  public Worker.Builder worker(String... queues) {
    return new Worker.Builder(runtime, queues);
  }

  /**
   * The channel, for generated stubs; fills in namespace and request ids like the client itself.
   */
  public Channel channel() {
    return runtime.channel();
  }

  /**
   * Ends the connection; calls under way end with CANCELLED, and those in a pause before another
   * try with what the last one failed of. Idempotent.
   */
  @Override
  public void close() {
    runtime.timer().shutdownNow();
    if (ownChannel != null) {
      ownChannel.shutdownNow();
    }
    runtime.pauses().close();
  }

  private static ScheduledExecutorService timer() {
    ScheduledThreadPoolExecutor timer =
        new ScheduledThreadPoolExecutor(
            1,
            task -> {
              Thread thread = new Thread(task, "troupe-client-timer");
              thread.setDaemon(true);
              return thread;
            });
    // Most timers are of things that happen in time, and are not to be kept until then.
    timer.setRemoveOnCancelPolicy(true);
    return timer;
  }

  /** What a client needs to know. Not thread-safe. */
  public static final class Builder {

    /** Room for a batch of 4 MiB and its envelope. */
    private static final int MAX_MESSAGE_BYTES = 16 << 20;

    private final String target;
    private String namespace = "";
    private Duration callTimeout = Duration.ofSeconds(30);
    private boolean tls;
    private @Nullable Channel channel;

    private Builder(String target) {
      this.target = Objects.requireNonNull(target);
    }

    /** The namespace of every request that names none; "default" when not given. */
    public Builder namespace(String name) {
      this.namespace = Objects.requireNonNull(name);
      return this;
    }

    /** How long a call may take, its repeats included; 30 seconds when not given. */
    public Builder callTimeout(Duration timeout) {
      if (timeout.isNegative() || timeout.isZero()) {
        throw new IllegalArgumentException("callTimeout: " + timeout + " (expected: above zero)");
      }
      this.callTimeout = timeout;
      return this;
    }

    /** Encrypts the connection and checks the server by the JDK's trust store; off by default. */
    public Builder tls() {
      this.tls = true;
      return this;
    }

    /** Uses this channel, which stays the caller's to close; target and TLS do not matter then. */
    public Builder channel(Channel existing) {
      this.channel = existing;
      return this;
    }

    /** Makes the client; it connects with its first call. */
    public TroupeClient build() {
      return new TroupeClient(this);
    }

    private ManagedChannel open() {
      NettyChannelBuilder opening =
          NettyChannelBuilder.forTarget(target)
              .defaultServiceConfig(ServiceConfig.load())
              .enableRetry()
              .maxInboundMessageSize(MAX_MESSAGE_BYTES)
              .keepAliveTime(30, TimeUnit.SECONDS)
              .keepAliveTimeout(10, TimeUnit.SECONDS);
      return (tls ? opening.useTransportSecurity() : opening.usePlaintext()).build();
    }
  }
}
