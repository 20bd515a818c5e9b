package dev.troupe.server.event;

import com.google.common.base.Ticker;
import dev.troupe.server.agent.AgentDirectory;
import dev.troupe.server.config.DataSize;
import dev.troupe.server.grpc.PartitionPages;
import dev.troupe.server.grpc.StreamPumps;
import dev.troupe.server.log.LogConfig;
import dev.troupe.server.log.RedisPartitionLogs;
import dev.troupe.server.redis.Namespaces;
import dev.troupe.server.redis.Partition;
import dev.troupe.server.redis.RedissonDoorbell;
import dev.troupe.server.redis.Replicas;
import dev.troupe.server.redis.ScriptRunner;
import dev.troupe.server.redis.TestRedis;
import dev.troupe.server.redis.TestReplicas;
import dev.troupe.v1.EventStreamServiceGrpc;
import dev.troupe.v1.EventStreamServiceGrpc.EventStreamServiceBlockingStub;
import dev.troupe.v1.EventStreamServiceGrpc.EventStreamServiceStub;
import io.grpc.ManagedChannel;
import io.grpc.Server;
import io.grpc.inprocess.InProcessChannelBuilder;
import io.grpc.inprocess.InProcessServerBuilder;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.function.Function;

/** The event service in this process, on a real Redis, with four partitions per namespace. */
final class EventHarness implements AutoCloseable {

  final StreamPumps pumps;
  final RedisPartitionLogs logs;
  final TopicStore topics;
  final PublishStreams publishStreams;
  final EventStreamServiceStub stub;
  final EventStreamServiceBlockingStub blocking;
  private final ScheduledExecutorService executor = Executors.newScheduledThreadPool(2);
  private final Server server;
  private final ManagedChannel channel;

  static final int PARTITIONS = 4;

  static final Namespaces NAMESPACES =
      new Namespaces() {
        @Override
        public CompletionStage<Partition> locate(String namespace, String name) {
          return CompletableFuture.completedFuture(
              new Partition(namespace, Math.floorMod(name.hashCode(), PARTITIONS), PARTITIONS));
        }

        @Override
        public CompletionStage<List<Partition>> partitions(String namespace) {
          List<Partition> all = new ArrayList<>();
          for (int i = 0; i < PARTITIONS; i++) {
            all.add(new Partition(namespace, i, PARTITIONS));
          }
          return CompletableFuture.completedFuture(all);
        }

        @Override
        public CompletionStage<List<String>> known() {
          return CompletableFuture.completedFuture(List.of());
        }
      };

  /** Inboxes are tested with whole servers. */
  private static final AgentDirectory NO_AGENTS =
      new AgentDirectory() {
        @Override
        public CompletionStage<List<String>> unknown(String namespace, List<String> agentIds) {
          return CompletableFuture.completedFuture(agentIds);
        }

        @Override
        public CompletionStage<Integer> visit(
            String namespace,
            String type,
            List<String> capabilities,
            Function<List<String>, CompletionStage<?>> visitor) {
          return CompletableFuture.completedFuture(0);
        }
      };

  EventHarness(TestRedis redis, Duration checkpoint, Duration slow) throws Exception {
    this(redis, checkpoint, slow, 1 << 20);
  }

  EventHarness(TestRedis redis, Duration checkpoint, Duration slow, long ringBytes)
      throws Exception {
    this(redis, checkpoint, slow, ringBytes, redis);
  }

  /** One whose groups go to Redis by way of somebody else. */
  EventHarness(
      TestRedis redis,
      Duration checkpoint,
      Duration slow,
      long ringBytes,
      ScriptRunner groupScripts)
      throws Exception {
    Ticker ticker = Ticker.systemTicker();
    logs =
        new RedisPartitionLogs(
            redis,
            redis,
            new LogConfig(
                200_000, Duration.ofHours(24), new DataSize(ringBytes), new DataSize(1 << 28)),
            executor,
            ticker);
    pumps = new StreamPumps(executor, ticker);
    EventConfig config = new EventConfig(new DataSize(256 << 10), checkpoint, slow);
    EventStore store = new EventStore(redis, NAMESPACES);
    topics = new TopicStore(redis, NAMESPACES);
    Replicas replicas = TestReplicas.of(redis);
    Publishing publishing = new Publishing(store, replicas, config);
    publishStreams = new PublishStreams(publishing);
    GroupStore groups = new GroupStore(groupScripts, NAMESPACES);
    GroupDispatchers dispatchers =
        new GroupDispatchers(
            groups, new GroupWakes(logs, new RedissonDoorbell(redis), executor), executor, ticker);
    GroupCalls groupCalls = new GroupCalls(groups, dispatchers, partition -> {});
    ReplyStore replies = new ReplyStore(redis, NAMESPACES);
    Inboxes inboxes = new Inboxes(NO_AGENTS, store, replies);
    EventStreamService service =
        new EventStreamService(
            publishing,
            publishStreams,
            new Subscribing(
                new EventStarts(NAMESPACES, logs, new TopicStreams(redis)), pumps, config),
            new EventHistory(topics, store, replicas),
            new TopicCalls(topics, new PartitionPages(NAMESPACES)),
            groupCalls,
            new GroupPulls(groups, dispatchers, executor),
            new ConsumeStreams(groups, groupCalls, dispatchers, config, ticker),
            inboxes,
            new Requests(inboxes, store, replies, logs, executor),
            config);
    String name = UUID.randomUUID().toString();
    server =
        InProcessServerBuilder.forName(name).directExecutor().addService(service).build().start();
    channel = InProcessChannelBuilder.forName(name).directExecutor().build();
    stub = EventStreamServiceGrpc.newStub(channel);
    blocking = EventStreamServiceGrpc.newBlockingStub(channel);
  }

  ManagedChannel channel() {
    return channel;
  }

  @Override
  public void close() {
    channel.shutdownNow();
    server.shutdownNow();
    logs.close();
    executor.shutdownNow();
  }
}
