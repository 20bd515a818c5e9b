package dev.troupe.server.crash;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.google.protobuf.util.Durations;
import dev.troupe.v1.AcquireRequest;
import dev.troupe.v1.GetLockRequest;
import dev.troupe.v1.LockServiceGrpc;
import io.grpc.ManagedChannel;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** What one server at a time does is done whichever of them dies. */
final class LeaderTest {

  @Test
  void leasesRunOutThoughTheServerIsKilledThatEndsThem() throws Exception {
    try (RedisProcess redis = RedisProcess.redis();
        TroupeProcess one = new TroupeProcess("--redis.url=redis://127.0.0.1:" + redis.port);
        TroupeProcess two = new TroupeProcess("--redis.url=redis://127.0.0.1:" + redis.port)) {
      ManagedChannel channel = two.channel();
      try {
        assertThat(sweepers(redis)).hasSize(1);
        Set<String> seen = new TreeSet<>(sweepers(redis));
        // The duty changes hands at least once, as one of the two has it.
        for (TroupeProcess server : new TroupeProcess[] {one, two}) {
          acquire(channel, "before");
          server.killAndRestart();
          await().ignoreExceptions().until(() -> isFree(channel));
          await().until(() -> sweepers(redis).size() == 1);
          seen.addAll(sweepers(redis));
        }
        assertThat(seen).hasSizeGreaterThan(1);
      } finally {
        channel.shutdownNow();
      }
    }
  }

  /** Fields of the lock by which the duty is had: its owner, at most one. */
  private static Set<String> sweepers(RedisProcess redis) {
    Set<String> owners = new TreeSet<>();
    redis
        .ask("HKEYS troupe:{troupe/0}:leader:lock-sweep")
        .lines()
        .filter(line -> !line.startsWith("*") && !line.startsWith("$") && !line.startsWith("+"))
        .forEach(owners::add);
    return owners;
  }

  private static void acquire(ManagedChannel channel, String name) {
    LockServiceGrpc.newBlockingStub(channel)
        .withDeadlineAfter(10, TimeUnit.SECONDS)
        .acquire(
            AcquireRequest.newBuilder()
                .setName(name)
                .setOwner("a")
                .setTtl(Durations.fromSeconds(1))
                .setWait(Durations.fromSeconds(9))
                .build());
  }

  private static boolean isFree(ManagedChannel channel) {
    return LockServiceGrpc.newBlockingStub(channel)
            .withDeadlineAfter(3, TimeUnit.SECONDS)
            .getLock(GetLockRequest.newBuilder().setName("before").build())
            .getLock()
            .getHeld()
        == 0;
  }
}
