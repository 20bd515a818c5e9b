package dev.troupe.server.memory;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.troupe.server.agent.RedisWire;
import dev.troupe.server.crash.TroupeProcess;
import dev.troupe.server.redis.TestRedis;
import dev.troupe.v1.MemoryServiceGrpc;
import dev.troupe.v1.MemoryServiceGrpc.MemoryServiceBlockingStub;
import dev.troupe.v1.PutMemoryRequest;
import dev.troupe.v1.SearchMemoryRequest;
import io.grpc.ManagedChannel;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** Indexes of more partitions than one server may follow. */
final class ManyIndexesTest {

  private static final int NAMESPACES = 160;
  private static final int MOST_FOLLOWED = 128;

  /** Who leads, listens to bells or else waits for Redis. */
  private static final int OTHERS = 8;

  private final List<Long> revisions = new ArrayList<>();

  @Test
  void theyLeaveConnectionsToOthersAndAllAreSearchedAllTheSame() throws Exception {
    try (TestRedis redis = TestRedis.single();
        TroupeProcess server =
            new TroupeProcess("--redis.url=" + redis.url(), "--redis.partitions=1");
        RedisWire wire = new RedisWire(redis.masters().get(0))) {
      ManagedChannel channel = server.channel();
      try {
        MemoryServiceBlockingStub memory = MemoryServiceGrpc.newBlockingStub(channel);
        for (int i = 0; i < NAMESPACES; i++) {
          revisions.add(put(memory, i));
          assertThat(hits(memory, i)).isEqualTo(1);
        }
        // A log is read on for some seconds after its last reader left.
        await().until(() -> blocked(wire) <= MOST_FOLLOWED + OTHERS);
        assertThat(hits(memory, 0)).isEqualTo(1);
        assertThat(hits(memory, NAMESPACES - 1)).isEqualTo(1);
      } finally {
        channel.shutdownNow();
      }
    }
  }

  private static long put(MemoryServiceBlockingStub memory, int i) {
    return memory
        .withDeadlineAfter(60, TimeUnit.SECONDS)
        .putMemory(
            PutMemoryRequest.newBuilder()
                .setNamespace("many-" + i)
                .setSpace("s")
                .setItem(MemoryHarness.text("word"))
                .build())
        .getRevision();
  }

  private int hits(MemoryServiceBlockingStub memory, int i) {
    return memory
        .withDeadlineAfter(60, TimeUnit.SECONDS)
        .searchMemory(
            SearchMemoryRequest.newBuilder()
                .setNamespace("many-" + i)
                .setSpace("s")
                .setText("word")
                .setMinRevision(revisions.get(i))
                .build())
        .getHitsCount();
  }

  private static int blocked(RedisWire wire) throws Exception {
    Matcher matcher =
        Pattern.compile("blocked_clients:(\\d+)").matcher((String) wire.command("INFO", "clients"));
    assertThat(matcher.find()).isTrue();
    return Integer.parseInt(matcher.group(1));
  }
}
