package dev.troupe.server.crash;

import static org.assertj.core.api.Assertions.assertThat;

import dev.troupe.server.lock.history.HistoryRun;
import io.grpc.ManagedChannel;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;

/**
 * Many clients on two servers while these and Redis are killed, paused and started again. The
 * property {@value #OPERATIONS} asks for a longer run, as {@code ./troupe soak locks} does.
 */
final class LockHistoryTest {

  private static final String OPERATIONS = "troupe.soak.operations";

  @Test
  void locksKeepTheirPromisesWhileServersAndRedisAreKilledAndPaused() throws Exception {
    long operations = Long.getLong(OPERATIONS, 12_000);
    try (RedisProcess redis = RedisProcess.redis("--appendonly", "yes", "--appendfsync", "always");
        TroupeProcess one = new TroupeProcess("--redis.url=redis://127.0.0.1:" + redis.port);
        TroupeProcess two = new TroupeProcess("--redis.url=redis://127.0.0.1:" + redis.port)) {
      List<ManagedChannel> channels = List.of(one.channel(), two.channel());
      try {
        boolean isLong = operations > 50_000;
        HistoryRun run = new HistoryRun(channels, isLong ? 120 : 40, isLong ? 36 : 12);
        run.quiet(operations / 4);
        int faults =
            run.underFaults(operations, () -> fault(redis, List.of(one, two), new Random()));
        run.check(faults);
        for (TroupeProcess server : List.of(one, two)) {
          assertThat(server.log()).noneMatch(line -> line.contains(" ERROR "));
        }
      } finally {
        channels.forEach(ManagedChannel::shutdownNow);
      }
    }
  }

  /** One thing that goes wrong, and is well again when this returns. */
  private static void fault(RedisProcess redis, List<TroupeProcess> servers, Random random)
      throws Exception {
    TroupeProcess server = servers.get(random.nextInt(servers.size()));
    switch (random.nextInt(4)) {
      case 0 -> server.killAndRestart();
      case 1 -> redis.killAndRestart();
      case 2 -> {
        server.hold(true);
        pause(500 + random.nextInt(3000));
        server.hold(false);
      }
      default -> {
        redis.hold(true);
        pause(200 + random.nextInt(2500));
        redis.hold(false);
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
