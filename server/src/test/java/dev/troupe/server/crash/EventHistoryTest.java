package dev.troupe.server.crash;

import static org.assertj.core.api.Assertions.assertThat;

import dev.troupe.server.event.history.EventHistoryRun;
import io.grpc.ManagedChannel;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Random runs of publishers, subscriptions and a group on two servers while these and Redis are
 * killed and paused. The property {@value #RUNS} asks for more of them, as {@code ./troupe soak
 * events} does.
 */
final class EventHistoryTest {

  private static final String RUNS = "troupe.soak.runs";
  private static final int FEW = 6;

  @ParameterizedTest
  @ValueSource(strings = {"always", "everysec"})
  void eventsAreNeitherLostNorOutOfOrderWhileServersAndRedisAreKilled(String fsync)
      throws Exception {
    int runs = Math.max(1, Integer.getInteger(RUNS, FEW) / 2);
    long accepted = 0;
    int faults = 0;
    long begun = System.nanoTime();
    try (RedisProcess redis = RedisProcess.redis("--appendonly", "yes", "--appendfsync", fsync);
        TroupeProcess one = server(redis);
        TroupeProcess two = server(redis)) {
      List<ManagedChannel> channels = List.of(one.channel(), two.channel());
      try {
        for (int i = 0; i < runs; i++) {
          long seed = System.nanoTime();
          EventHistoryRun run = new EventHistoryRun(channels, seed);
          int goingWrong = i % 3 == 0 ? 0 : 1 + i % 2;
          List<String> violations =
              run.run(100, goingWrong, random -> fault(redis, List.of(one, two), random), false);
          assertThat(violations).as("run %d, seed %d, %d faults", i, seed, goingWrong).isEmpty();
          accepted += run.accepted();
          faults += goingWrong;
        }
      } finally {
        channels.forEach(ManagedChannel::shutdownNow);
      }
    }
    System.out.printf(
        "event history, %s: %d runs, %d faults, %d events accepted, %d s%n",
        fsync, runs, faults, accepted, (System.nanoTime() - begun) / 1_000_000_000);
  }

  private static TroupeProcess server(RedisProcess redis) throws Exception {
    return new TroupeProcess("--redis.url=redis://127.0.0.1:" + redis.port, "--redis.partitions=2");
  }

  /** One thing that goes wrong, and is well again when this returns. */
  private static void fault(RedisProcess redis, List<TroupeProcess> servers, Random random)
      throws Exception {
    TroupeProcess server = servers.get(random.nextInt(servers.size()));
    switch (random.nextInt(4)) {
      case 0, 1 -> server.killAndRestart();
      case 2 -> redis.killAndRestart();
      default -> {
        server.hold(true);
        pause(300 + random.nextInt(1500));
        server.hold(false);
      }
    }
  }

  /** A fault takes its time; nothing is waited for. */
  private static void pause(long millis) {
    long end = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(millis);
    while (System.nanoTime() < end) {
      LockSupport.parkNanos(end - System.nanoTime());
    }
  }
}
