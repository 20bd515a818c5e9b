package dev.troupe.server.memory;

import static org.awaitility.Awaitility.await;

import dev.troupe.server.agent.RedisWire;
import dev.troupe.server.crash.TroupeProcess;
import dev.troupe.server.redis.TestRedis;
import dev.troupe.v1.CreateSpaceRequest;
import dev.troupe.v1.GetMemoryRequest;
import dev.troupe.v1.GetSpaceRequest;
import dev.troupe.v1.ListMemoriesRequest;
import dev.troupe.v1.MemoryContent;
import dev.troupe.v1.MemoryFilter;
import dev.troupe.v1.MemoryItem;
import dev.troupe.v1.MemoryPut;
import dev.troupe.v1.MemoryServiceGrpc;
import dev.troupe.v1.MemoryServiceGrpc.MemoryServiceBlockingStub;
import dev.troupe.v1.MemorySpace;
import dev.troupe.v1.MemoryTier;
import dev.troupe.v1.PutMemoryRequest;
import dev.troupe.v1.PutMemoryResponse;
import dev.troupe.v1.SpaceSettings;
import io.grpc.ManagedChannel;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import org.redisson.api.RScript;
import org.redisson.client.codec.StringCodec;

/** Two servers before the same Redis; each test has a namespace of its own. */
final class MemoryHarness implements AutoCloseable {

  private final TestRedis redis;
  private final List<TroupeProcess> servers = new ArrayList<>();
  private final List<ManagedChannel> channels = new ArrayList<>();
  private final List<RedisWire> masters = new ArrayList<>();
  private final int partitions;
  private String namespace = "";

  /** Starts the servers; the Redis is closed with them. */
  MemoryHarness(TestRedis redis, int partitions) throws Exception {
    this.redis = redis;
    this.partitions = partitions;
    for (int port : redis.masters()) {
      masters.add(new RedisWire(port));
    }
    for (int i = 0; i < 2; i++) {
      TroupeProcess server = newServer();
      servers.add(server);
      channels.add(server.channel());
    }
  }

  /** One more server before the same Redis, to be closed by the test. */
  TroupeProcess newServer() throws Exception {
    return new TroupeProcess("--redis.url=" + redis.url(), "--redis.partitions=" + partitions);
  }

  void newNamespace() {
    namespace = "t-" + UUID.randomUUID();
  }

  String namespace() {
    return namespace;
  }

  ManagedChannel channelA() {
    return channels.get(0);
  }

  ManagedChannel channelB() {
    return channels.get(1);
  }

  MemoryServiceBlockingStub a() {
    return stub(channelA());
  }

  MemoryServiceBlockingStub b() {
    return stub(channelB());
  }

  static MemoryServiceBlockingStub stub(ManagedChannel channel) {
    return MemoryServiceGrpc.newBlockingStub(channel).withDeadlineAfter(60, TimeUnit.SECONDS);
  }

  /** Removes a key of a partition of the namespace, as if Redis had lost it. */
  void lose(int partition, String key) {
    redis.commands().getKeys().delete("troupe:{" + namespace + "/" + partition + "}:" + key);
  }

  /** Runs a script on a key in each partition; yields how often it said that it did something. */
  int rewrite(String key, String script) {
    int done = 0;
    for (int i = 0; i < partitions; i++) {
      String said =
          redis
              .commands()
              .getScript(StringCodec.INSTANCE)
              .eval(
                  RScript.Mode.READ_WRITE,
                  script,
                  RScript.ReturnType.VALUE,
                  List.of("troupe:{" + namespace + "/" + i + "}:" + key));
      done += said.isEmpty() ? 0 : 1;
    }
    return done;
  }

  int partitions() {
    return partitions;
  }

  MemorySpace create(String space, SpaceSettings.Builder settings) {
    return a().createSpace(
            CreateSpaceRequest.newBuilder()
                .setNamespace(namespace)
                .setSpace(space)
                .setSettings(settings)
                .build())
        .getSpace();
  }

  MemorySpace space(String space) {
    return b().getSpace(
            GetSpaceRequest.newBuilder().setNamespace(namespace).setSpace(space).build())
        .getSpace();
  }

  /** A text to be put. */
  static MemoryPut.Builder text(String text) {
    return MemoryPut.newBuilder().setContent(MemoryContent.newBuilder().setText(text));
  }

  static MemoryPut.Builder text(String text, MemoryTier tier) {
    return text(text).setTier(tier);
  }

  PutMemoryRequest.Builder putting(String space, MemoryPut.Builder item) {
    return PutMemoryRequest.newBuilder().setNamespace(namespace).setSpace(space).setItem(item);
  }

  /**
   * Puts through one server. What is put or read next is later in the order of eviction, which goes
   * in steps of a millisecond.
   */
  PutMemoryResponse put(String space, MemoryPut.Builder item) {
    PutMemoryResponse put = a().putMemory(putting(space, item).build());
    long until = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(1);
    while (System.nanoTime() - until < 0) {
      Thread.onSpinWait();
    }
    return put;
  }

  /** Looks through the other server. */
  MemoryItem peek(String space, String id) {
    return b().getMemory(getting(space, id).setPeek(true).build()).getItem();
  }

  GetMemoryRequest.Builder getting(String space, String id) {
    return GetMemoryRequest.newBuilder().setNamespace(namespace).setSpace(space).setItemId(id);
  }

  /** All items that match, page by page. */
  List<MemoryItem> list(String space, MemoryFilter.Builder filter, int pageSize) {
    List<MemoryItem> items = new ArrayList<>();
    String token = "";
    do {
      var page =
          b().listMemories(
                  ListMemoriesRequest.newBuilder()
                      .setNamespace(namespace)
                      .setSpace(space)
                      .setFilter(filter)
                      .setPageSize(pageSize)
                      .setPageToken(token)
                      .build());
      items.addAll(page.getItemsList());
      token = page.getNextPageToken();
    } while (!token.isEmpty());
    return items;
  }

  List<String> texts(String space, MemoryFilter.Builder filter) {
    return list(space, filter, 0).stream().map(item -> item.getContent().getText()).toList();
  }

  static void until(Callable<Boolean> condition) {
    await().pollDelay(Duration.ZERO).pollInterval(Duration.ofMillis(10)).until(condition);
  }

  /** Fails if anything of the test's namespace does not fit together. */
  void audit() {
    await()
        .pollDelay(Duration.ZERO)
        .pollInterval(Duration.ofMillis(20))
        .untilAsserted(() -> MemoryAudit.check(namespace, masters));
  }

  @Override
  public void close() throws Exception {
    channels.forEach(ManagedChannel::shutdownNow);
    for (TroupeProcess server : servers) {
      server.close();
    }
    for (RedisWire master : masters) {
      master.close();
    }
    redis.close();
  }
}
