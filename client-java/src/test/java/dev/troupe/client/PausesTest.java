package dev.troupe.client;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.troupe.v1.AcquireRequest;
import dev.troupe.v1.AcquireResponse;
import dev.troupe.v1.LockServiceGrpc;
import io.grpc.ManagedChannel;
import io.grpc.Server;
import io.grpc.Status;
import io.grpc.inprocess.InProcessChannelBuilder;
import io.grpc.inprocess.InProcessServerBuilder;
import io.grpc.stub.StreamObserver;
import java.time.Duration;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executors;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

final class PausesTest {

  private final ScheduledExecutorService timer = Executors.newSingleThreadScheduledExecutor();
  private final Pauses pauses = new Pauses(timer);
  private final BlockingQueue<String> ran = new LinkedBlockingQueue<>();

  @AfterEach
  void stop() {
    timer.shutdownNow();
  }

  private void pause(Duration wait) {
    pauses.then(wait, () -> ran.add("next"), () -> ran.add("closed"));
  }

  @Test
  void whatIsNextComesAfterThePauseAndIsNotToldOfTheEnd() throws Exception {
    pause(Duration.ofMillis(1));
    assertThat(ran.poll(60, TimeUnit.SECONDS)).isEqualTo("next");
    timer.shutdownNow();
    pauses.close();
    assertThat(ran).isEmpty();
  }

  @Test
  void aPauseEndsWithTheClientOnce() {
    pause(Duration.ofHours(1));
    timer.shutdownNow();
    pauses.close();
    pauses.close();
    assertThat(ran).containsExactly("closed");
  }

  @Test
  void afterTheEndThereAreNoPauses() {
    timer.shutdownNow();
    pauses.close();
    pause(Duration.ZERO);
    assertThat(ran).containsExactly("closed");
  }

  @Test
  void whoWaitsForALockHearsThatTheClientClosed() throws Exception {
    AtomicInteger calls = new AtomicInteger();
    String name = UUID.randomUUID().toString();
    Server server =
        InProcessServerBuilder.forName(name)
            .addService(
                new LockServiceGrpc.LockServiceImplBase() {
                  @Override
                  public void acquire(
                      AcquireRequest request, StreamObserver<AcquireResponse> answer) {
                    calls.incrementAndGet();
                    answer.onError(Status.UNAVAILABLE.asRuntimeException());
                  }
                })
            .build()
            .start();
    ManagedChannel channel = InProcessChannelBuilder.forName(name).build();
    try {
      TroupeClient client = TroupeClient.builder("unused").channel(channel).build();
      CompletableFuture<Optional<LockHandle>> lock =
          client
              .locks()
              .acquire(
                  AcquireRequest.newBuilder()
                      .setName("l")
                      .setOwner("o")
                      .setWait(Durations.of(Duration.ofHours(1)))
                      .build());
      // By then it spends nearly all of its time in pauses.
      await().until(() -> calls.get() > 5);
      client.close();
      assertThatThrownBy(() -> lock.get(60, TimeUnit.SECONDS))
          .hasCauseInstanceOf(TroupeClientException.class);
    } finally {
      channel.shutdownNow();
      server.shutdownNow();
    }
  }
}
