package dev.troupe.bench;

import com.google.protobuf.Duration;
import dev.troupe.v1.AcquireRequest;
import dev.troupe.v1.AcquireResponse;
import dev.troupe.v1.LockLease;
import dev.troupe.v1.LockServiceGrpc;
import dev.troupe.v1.LockStreamAnswer;
import dev.troupe.v1.LockStreamCall;
import dev.troupe.v1.ReleaseLockRequest;
import dev.troupe.v1.ReleaseLockResponse;
import io.grpc.CallOptions;
import io.grpc.ManagedChannel;
import io.grpc.MethodDescriptor;
import io.grpc.stub.ClientCalls;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/**
 * Troupe's own locks, through its gRPC service: a server with its embedded Redis. By calls, or over
 * a stream per connection.
 */
final class TroupeLocks implements LockPeer {

  private static final int CHANNELS = 4;

  /** Longer than any benchmark, as nobody renews. */
  private static final Duration LEASE = Duration.newBuilder().setSeconds(24 * 3600).build();

  private static final Duration WAIT = Duration.newBuilder().setSeconds(3600).build();

  private final String label;
  private final ServerUnderTest server;
  private final List<ManagedChannel> channels;

  /** One per channel, or none. */
  private final List<LockStreamCalls> streams;

  private TroupeLocks(String label, ServerUnderTest server, boolean streamed) {
    this.label = label;
    this.server = server;
    this.channels = ClosedLoop.channels(server.port, CHANNELS);
    this.streams = streamed ? channels.stream().map(LockStreamCalls::new).toList() : List.of();
  }

  /** A server that is called. */
  static TroupeLocks byCalls(Path jar, String fsync) throws IOException {
    return new TroupeLocks("Troupe, " + fsync, start(jar, fsync), false);
  }

  /** A server that is asked over {@code LockStream}. */
  static TroupeLocks byStreams(Path jar, String fsync) throws IOException {
    return new TroupeLocks("Troupe by stream, " + fsync, start(jar, fsync), true);
  }

  private static ServerUnderTest start(Path jar, String fsync) throws IOException {
    return new ServerUnderTest(jar, "--redis.fsync=" + fsync);
  }

  @Override
  public String label() {
    return label;
  }

  @Override
  public CompletionStage<Held> acquire(String name, int worker) {
    AcquireRequest request =
        AcquireRequest.newBuilder()
            .setName(name)
            .setOwner("worker-" + worker)
            .setTtl(LEASE)
            .setWait(WAIT)
            .build();
    CompletableFuture<AcquireResponse> answer =
        streams.isEmpty()
            ? call(LockServiceGrpc.getAcquireMethod(), worker, request)
            : stream(worker)
                .call(LockStreamCall.newBuilder().setAcquire(request))
                .thenApply(LockStreamAnswer::getAcquire);
    return answer
        .thenApply(AcquireResponse::getLease)
        .thenApply(lease -> () -> release(lease, worker));
  }

  private CompletableFuture<ReleaseLockResponse> release(LockLease lease, int worker) {
    ReleaseLockRequest request =
        ReleaseLockRequest.newBuilder()
            .setName(lease.getName())
            .setLeaseId(lease.getLeaseId())
            .build();
    return streams.isEmpty()
        ? call(LockServiceGrpc.getReleaseLockMethod(), worker, request)
        : stream(worker)
            .call(LockStreamCall.newBuilder().setRelease(request))
            .thenApply(LockStreamAnswer::getRelease);
  }

  private LockStreamCalls stream(int worker) {
    return streams.get(worker % CHANNELS);
  }

  private <Q, A> CompletableFuture<A> call(MethodDescriptor<Q, A> method, int worker, Q request) {
    Answer<A> answer = new Answer<>();
    ClientCalls.asyncUnaryCall(
        channels.get(worker % CHANNELS).newCall(method, CallOptions.DEFAULT), request, answer);
    return answer.future;
  }

  @Override
  public java.time.Duration serverCpu() {
    return server.serverCpu();
  }

  @Override
  public java.time.Duration storeCpu() {
    return server.redisCpu();
  }

  @Override
  public void close() throws IOException, InterruptedException {
    channels.forEach(ManagedChannel::shutdownNow);
    server.close();
  }
}
