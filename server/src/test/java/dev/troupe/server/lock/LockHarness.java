package dev.troupe.server.lock;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.common.util.concurrent.ListenableFuture;
import com.google.protobuf.Duration;
import com.google.protobuf.util.Durations;
import dev.troupe.server.agent.RedisWire;
import dev.troupe.server.crash.TroupeProcess;
import dev.troupe.server.redis.Partition;
import dev.troupe.server.redis.TestRedis;
import dev.troupe.v1.AcquireRequest;
import dev.troupe.v1.AcquireResponse;
import dev.troupe.v1.GetLockRequest;
import dev.troupe.v1.LockInfo;
import dev.troupe.v1.LockLease;
import dev.troupe.v1.LockMode;
import dev.troupe.v1.LockServiceGrpc;
import dev.troupe.v1.LockServiceGrpc.LockServiceBlockingStub;
import dev.troupe.v1.ReleaseLockRequest;
import dev.troupe.v1.RenewRequest;
import io.grpc.ManagedChannel;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.awaitility.Awaitility;

/** Two servers before the same Redis; each test has a namespace of its own. */
final class LockHarness implements AutoCloseable {

  private final TestRedis redis;
  private final List<TroupeProcess> servers = new ArrayList<>();
  private final List<ManagedChannel> channels = new ArrayList<>();
  private final List<RedisWire> masters = new ArrayList<>();
  private final int partitions;
  private String namespace = "";

  /** Starts the servers; the Redis is closed with them. */
  LockHarness(TestRedis redis, int partitions) throws Exception {
    this.redis = redis;
    this.partitions = partitions;
    for (int port : redis.masters()) {
      masters.add(new RedisWire(port));
    }
    for (int i = 0; i < 2; i++) {
      servers.add(
          new TroupeProcess("--redis.url=" + redis.url(), "--redis.partitions=" + partitions));
      channels.add(servers.get(i).channel());
    }
  }

  void newNamespace() {
    namespace = "t-" + UUID.randomUUID();
  }

  String namespace() {
    return namespace;
  }

  /** Names of locks that live in one partition. */
  List<String> neighbours(int count) {
    return Stream.iterate(0, i -> i + 1)
        .map(i -> "n" + i)
        .filter(name -> Partition.of(namespace, partitions, name).index() == 0)
        .limit(count)
        .toList();
  }

  ManagedChannel channelA() {
    return channels.get(0);
  }

  ManagedChannel channelB() {
    return channels.get(1);
  }

  /** A connection of the test's own, to be broken. */
  ManagedChannel newChannelA() {
    return servers.get(0).channel();
  }

  LockServiceBlockingStub a() {
    return LockServiceGrpc.newBlockingStub(channelA()).withDeadlineAfter(60, TimeUnit.SECONDS);
  }

  LockServiceBlockingStub b() {
    return LockServiceGrpc.newBlockingStub(channelB()).withDeadlineAfter(60, TimeUnit.SECONDS);
  }

  /** An exclusive lock, wanted at once. */
  AcquireRequest.Builder lock(String name, String owner) {
    return AcquireRequest.newBuilder()
        .setNamespace(namespace)
        .setName(name)
        .setOwner(owner)
        .setTtl(Durations.fromSeconds(20));
  }

  AcquireRequest.Builder shared(String name, String owner) {
    return lock(name, owner).setMode(LockMode.LOCK_MODE_SHARED);
  }

  AcquireRequest.Builder permits(String name, String owner, int permits, int limit) {
    return lock(name, owner)
        .setMode(LockMode.LOCK_MODE_SEMAPHORE)
        .setPermits(permits)
        .setLimit(limit);
  }

  /** A lease that must be there at once, through one server. */
  LockLease acquire(AcquireRequest.Builder request) {
    AcquireResponse response = a().acquire(request.build());
    assertThat(response.hasLease()).as("%s", response).isTrue();
    return response.getLease();
  }

  /** An answer that must be a refusal, through the other server. */
  AcquireResponse refuse(AcquireRequest.Builder request) {
    AcquireResponse response = b().acquire(request.build());
    assertThat(response.hasLease()).as("%s", response).isFalse();
    return response;
  }

  /** A call that waits; it is in the queue when this returns. */
  ListenableFuture<AcquireResponse> await(ManagedChannel channel, AcquireRequest.Builder request) {
    int before = get(request.getName()).getWaiterCount();
    ListenableFuture<AcquireResponse> call = send(channel, request);
    Awaiting.until(() -> get(request.getName()).getWaiterCount() == before + 1 || call.isDone());
    return call;
  }

  /** A call that waits, wherever it is. */
  ListenableFuture<AcquireResponse> send(ManagedChannel channel, AcquireRequest.Builder request) {
    if (!request.hasWait()) {
      request.setWait(Durations.fromSeconds(120));
    }
    return LockServiceGrpc.newFutureStub(channel)
        .withDeadlineAfter(660, TimeUnit.SECONDS)
        .acquire(request.build());
  }

  /** The lease that a waiting call gets. */
  static LockLease lease(ListenableFuture<AcquireResponse> call) throws Exception {
    AcquireResponse response = call.get(60, TimeUnit.SECONDS);
    assertThat(response.hasLease()).as("%s", response).isTrue();
    return response.getLease();
  }

  boolean release(LockLease lease) {
    return b().releaseLock(
            ReleaseLockRequest.newBuilder()
                .setNamespace(namespace)
                .setName(lease.getName())
                .setLeaseId(lease.getLeaseId())
                .build())
        .getReleased();
  }

  RenewRequest renewal(LockLease lease, Duration ttl) {
    return RenewRequest.newBuilder()
        .setNamespace(namespace)
        .setName(lease.getName())
        .setLeaseId(lease.getLeaseId())
        .setTtl(ttl)
        .build();
  }

  /** A lock as the other server sees it. */
  LockInfo get(String name) {
    return b().getLock(GetLockRequest.newBuilder().setNamespace(namespace).setName(name).build())
        .getLock();
  }

  /** Fails if anything of the test's namespace does not fit together. */
  void audit() {
    Awaitility.await()
        .pollDelay(java.time.Duration.ZERO)
        .pollInterval(java.time.Duration.ofMillis(20))
        .untilAsserted(() -> LockAudit.check(namespace, masters));
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
