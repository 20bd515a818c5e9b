package dev.troupe.bench;

import com.google.protobuf.ByteString;
import com.google.protobuf.Message;
import dev.troupe.bench.etcd.LeaseGrantRequest;
import dev.troupe.bench.etcd.LeaseGrantResponse;
import dev.troupe.bench.etcd.LockRequest;
import dev.troupe.bench.etcd.LockResponse;
import dev.troupe.bench.etcd.UnlockRequest;
import dev.troupe.bench.etcd.UnlockResponse;
import io.grpc.CallOptions;
import io.grpc.ManagedChannel;
import io.grpc.MethodDescriptor;
import io.grpc.protobuf.ProtoUtils;
import io.grpc.stub.ClientCalls;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;

/**
 * The locks of an etcd, through its own gRPC service for them.
 *
 * <p>Each worker has a lease, because etcd tells holders apart by their leases: two waiters for one
 * name that share a lease would both be granted it.
 */
final class EtcdLocks implements LockPeer {

  private static final int CHANNELS = 4;

  /** Longer than any benchmark, as nobody renews. */
  private static final Duration LEASE = Duration.ofHours(24);

  private static final MethodDescriptor<LeaseGrantRequest, LeaseGrantResponse> GRANT =
      unary(
          "etcdserverpb.Lease/LeaseGrant",
          LeaseGrantRequest.getDefaultInstance(),
          LeaseGrantResponse.getDefaultInstance());

  private static final MethodDescriptor<LockRequest, LockResponse> LOCK =
      unary(
          "v3lockpb.Lock/Lock",
          LockRequest.getDefaultInstance(),
          LockResponse.getDefaultInstance());

  private static final MethodDescriptor<UnlockRequest, UnlockResponse> UNLOCK =
      unary(
          "v3lockpb.Lock/Unlock",
          UnlockRequest.getDefaultInstance(),
          UnlockResponse.getDefaultInstance());

  private final EtcdProcess etcd;
  private final List<ManagedChannel> channels;
  private final Map<Integer, CompletableFuture<Long>> leases = new ConcurrentHashMap<>();

  private EtcdLocks(EtcdProcess etcd) {
    this.etcd = etcd;
    this.channels = ClosedLoop.channels(etcd.port, CHANNELS);
  }

  /**
   * Starts an etcd.
   *
   * @throws UnavailableException when there is none here, or it does not start
   */
  static EtcdLocks start() throws IOException, InterruptedException, UnavailableException {
    return new EtcdLocks(EtcdProcess.start());
  }

  private static <Q extends Message, A extends Message> MethodDescriptor<Q, A> unary(
      String name, Q request, A answer) {
    return MethodDescriptor.newBuilder(
            ProtoUtils.marshaller(request), ProtoUtils.marshaller(answer))
        .setType(MethodDescriptor.MethodType.UNARY)
        .setFullMethodName(name)
        .build();
  }

  @Override
  public String label() {
    return "etcd";
  }

  @Override
  public CompletionStage<Held> acquire(String name, int worker) {
    return leases
        .computeIfAbsent(worker, this::grantLease)
        .thenCompose(
            lease ->
                call(
                    LOCK,
                    worker,
                    LockRequest.newBuilder()
                        .setName(ByteString.copyFromUtf8(name))
                        .setLease(lease)
                        .build()))
        .thenApply(answer -> () -> unlock(answer.getKey(), worker));
  }

  private CompletableFuture<Long> grantLease(int worker) {
    LeaseGrantRequest request = LeaseGrantRequest.newBuilder().setTTL(LEASE.toSeconds()).build();
    return call(GRANT, worker, request).thenApply(LeaseGrantResponse::getID);
  }

  private CompletableFuture<UnlockResponse> unlock(ByteString key, int worker) {
    return call(UNLOCK, worker, UnlockRequest.newBuilder().setKey(key).build());
  }

  private <Q, A> CompletableFuture<A> call(MethodDescriptor<Q, A> method, int worker, Q request) {
    Answer<A> answer = new Answer<>();
    ClientCalls.asyncUnaryCall(
        channels.get(worker % CHANNELS).newCall(method, CallOptions.DEFAULT), request, answer);
    return answer.future;
  }

  @Override
  public Duration serverCpu() {
    return etcd.cpu();
  }

  @Override
  public Duration storeCpu() {
    return Duration.ZERO;
  }

  @Override
  public void close() throws IOException, InterruptedException {
    channels.forEach(ManagedChannel::shutdownNow);
    etcd.close();
  }
}
