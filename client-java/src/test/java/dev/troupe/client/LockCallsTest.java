package dev.troupe.client;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.awaitility.Awaitility.await;

import com.google.protobuf.util.Durations;
import dev.troupe.server.crash.TroupeProcess;
import dev.troupe.v1.AcquireRequest;
import dev.troupe.v1.ErrorReason;
import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientCall;
import io.grpc.ClientInterceptor;
import io.grpc.ClientInterceptors;
import io.grpc.ManagedChannel;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** What of the locks travels over the stream, and what becomes of it when there is none. */
@SuppressWarnings("NullAway.Init")
final class LockCallsTest {

  private static TroupeProcess server;
  private static ManagedChannel channel;

  private final Watcher watcher = new Watcher();
  private final String name = "l-" + UUID.randomUUID();
  private final TroupeClient client =
      TroupeClient.builder("unused")
          .channel(ClientInterceptors.intercept(channel, watcher))
          .build();

  @BeforeAll
  static void start() throws Exception {
    server = new TroupeProcess();
    channel = server.channel();
  }

  @AfterAll
  static void stop() throws Exception {
    channel.shutdownNow();
    server.close();
  }

  @AfterEach
  void close() {
    client.close();
  }

  /** Sees every call, and can do without the stream. */
  private static final class Watcher implements ClientInterceptor {
    final List<String> calls = new CopyOnWriteArrayList<>();
    final List<ClientCall<?, ?>> streams = new CopyOnWriteArrayList<>();
    volatile boolean older;

    @Override
    public <Q, R> ClientCall<Q, R> interceptCall(
        MethodDescriptor<Q, R> method, CallOptions options, Channel next) {
      String rpc = String.valueOf(method.getBareMethodName());
      calls.add(rpc);
      if (!rpc.equals("LockStream")) {
        return next.newCall(method, options);
      }
      MethodDescriptor<Q, R> unknown =
          method.toBuilder().setFullMethodName("troupe.v1.LockService/NotYet").build();
      ClientCall<Q, R> call = next.newCall(older ? unknown : method, options);
      streams.add(call);
      return call;
    }
  }

  private CompletableFuture<Optional<LockHandle>> acquire(String owner, int waitSeconds) {
    return client
        .locks()
        .acquire(
            AcquireRequest.newBuilder()
                .setName(name)
                .setOwner(owner)
                .setWait(Durations.fromSeconds(waitSeconds))
                .build());
  }

  private static LockHandle held(CompletableFuture<Optional<LockHandle>> call) throws Exception {
    return call.get(60, TimeUnit.SECONDS).orElseThrow();
  }

  private void awaitWaiter() {
    await()
        .pollInterval(Duration.ofMillis(20))
        .until(() -> client.locks().get(name).get(60, TimeUnit.SECONDS).getWaiterCount() == 1);
  }

  @Test
  void locksComeAndGoOverOneStream() throws Exception {
    for (int i = 0; i < 20; i++) {
      assertThat(held(acquire("a", 0)).release().get(60, TimeUnit.SECONDS)).isTrue();
    }
    assertThat(watcher.calls).contains("LockStream").doesNotContain("Acquire", "ReleaseLock");
    assertThat(watcher.streams).hasSize(1);
  }

  @Test
  void aServerThatKnowsNoStreamIsCalled() throws Exception {
    watcher.older = true;
    for (int i = 0; i < 3; i++) {
      assertThat(held(acquire("a", 0)).release().get(60, TimeUnit.SECONDS)).isTrue();
    }
    assertThat(watcher.streams).hasSize(1);
    assertThat(watcher.calls).contains("Acquire", "ReleaseLock");
  }

  @Test
  void aWaitOnAStreamThatBreaksKeepsItsPlace() throws Exception {
    LockHandle first = held(acquire("a", 0));
    CompletableFuture<Optional<LockHandle>> second = acquire("b", 30);
    awaitWaiter();
    watcher.streams.get(0).cancel("broken by the test", null);
    await().until(() -> watcher.calls.contains("Acquire"));
    assertThat(first.release().get(60, TimeUnit.SECONDS)).isTrue();
    held(second).close();
  }

  @Test
  void aWaitThatIsCancelledLeavesTheQueue() throws Exception {
    LockHandle first = held(acquire("a", 0));
    CompletableFuture<Optional<LockHandle>> second = acquire("b", 30);
    awaitWaiter();
    second.cancel(true);
    await()
        .atMost(Duration.ofSeconds(3))
        .until(() -> client.locks().get(name).get(60, TimeUnit.SECONDS).getWaiterCount() == 0);
    first.close();
  }

  @Test
  void aRefusalSaysAllThatIsWrong() {
    TroupeClientException refusal =
        catchThrowableOfType(
            TroupeClientException.class, () -> Blocking.await(acquire("", 24 * 3600)));
    assertThat(refusal.code()).isEqualTo(Status.Code.INVALID_ARGUMENT);
    assertThat(refusal.reason()).isEqualTo(ErrorReason.ERROR_REASON_INVALID_FIELD);
    assertThat(refusal.violations()).hasSize(2);
  }

  @Test
  void aCallbackMayBlock() throws Exception {
    CompletableFuture<Boolean> both =
        acquire("a", 0)
            .thenApply(
                handle -> {
                  boolean released = Blocking.await(handle.orElseThrow().release());
                  return released
                      && client.blockingLocks().acquire(name, "b", Duration.ZERO).isPresent();
                });
    assertThat(both.get(60, TimeUnit.SECONDS)).isTrue();
  }
}
