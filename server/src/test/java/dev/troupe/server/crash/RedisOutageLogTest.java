package dev.troupe.server.crash;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.troupe.v1.ListQueuesRequest;
import dev.troupe.v1.TaskQueueServiceGrpc;
import io.grpc.ManagedChannel;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** What a server says while its Redis is away: what happened, not where in the code. */
final class RedisOutageLogTest {

  @Test
  void anOutageIsToldWithoutTraces() throws Exception {
    try (TroupeProcess server = new TroupeProcess()) {
      ManagedChannel channel = server.channel();
      listQueues(channel);
      // Redis is back within a moment of its death, which no duty need notice; this they all do.
      server.holdRedis(true);
      await()
          .atMost(Duration.ofSeconds(30))
          .until(
              () -> server.log().stream().anyMatch(line -> line.contains("failed (1 in a row)")));
      server.killRedis();
      await()
          .atMost(Duration.ofSeconds(30))
          .ignoreExceptions()
          .untilAsserted(() -> listQueues(channel));
      await()
          .atMost(Duration.ofSeconds(30))
          .until(() -> server.log().stream().anyMatch(line -> line.contains("works again")));
      assertThat(server.log())
          .anyMatch(line -> line.contains(") died of signal 9. It said:"))
          .anyMatch(line -> line.contains("starting Redis again with its data"))
          .noneMatch(line -> line.startsWith("\tat "));
      channel.shutdownNow();
    }
  }

  private static void listQueues(ManagedChannel channel) {
    TaskQueueServiceGrpc.newBlockingStub(channel)
        .withDeadlineAfter(5, TimeUnit.SECONDS)
        .listQueues(ListQueuesRequest.getDefaultInstance());
  }
}
