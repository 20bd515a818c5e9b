package dev.troupe.server.crash;

import static org.assertj.core.api.Assertions.assertThat;

import dev.troupe.v1.EventDelivery;
import dev.troupe.v1.EventStreamServiceGrpc;
import dev.troupe.v1.StartPosition;
import dev.troupe.v1.SubscribeRequest;
import dev.troupe.v1.SubscribeResponse;
import dev.troupe.v1.SystemAlert;
import io.grpc.ManagedChannel;
import java.time.Duration;
import java.util.Iterator;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;

/** What operators hear of a store that was away. */
final class AlertTest {

  @Test
  void aStoreThatAnswersAgainIsToldInTroupeSystem() throws Exception {
    try (TroupeProcess server = new TroupeProcess()) {
      ManagedChannel channel = server.channel();
      try {
        server.holdRedis(true);
        long held = System.nanoTime();
        // Longer than a command waits for its answer.
        Awaitility.await().until(() -> System.nanoTime() - held > Duration.ofSeconds(5).toNanos());
        server.holdRedis(false);
        Iterator<SubscribeResponse> heard =
            EventStreamServiceGrpc.newBlockingStub(channel)
                .withDeadlineAfter(30, TimeUnit.SECONDS)
                .subscribe(
                    SubscribeRequest.newBuilder()
                        .addTopics("troupe.system")
                        .setStart(StartPosition.START_POSITION_BEGINNING)
                        .build());
        SubscribeResponse next = heard.next();
        while (!next.hasBatch()) {
          next = heard.next();
        }
        EventDelivery delivery = next.getBatch().getDeliveries(0);
        SystemAlert alert = delivery.getEvent().getSystemAlert();
        assertThat(delivery.getEvent().getType()).isEqualTo("system.alert");
        assertThat(alert.getKind()).isEqualTo("store_recovered");
        assertThat(alert.getDuration().getSeconds()).isBetween(1L, 30L);
      } finally {
        channel.shutdownNow();
      }
    }
  }
}
