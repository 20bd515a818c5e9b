package dev.troupe.server.event;

import static org.assertj.core.api.Assertions.assertThat;

import dev.troupe.server.redis.Partition;
import dev.troupe.server.redis.Script;
import dev.troupe.server.redis.ScriptRunner;
import dev.troupe.server.redis.TestRedis;
import dev.troupe.v1.CreateGroupRequest;
import dev.troupe.v1.Event;
import dev.troupe.v1.GroupDelivery;
import dev.troupe.v1.GroupStart;
import dev.troupe.v1.PublishRequest;
import dev.troupe.v1.StartPosition;
import java.lang.management.ManagementFactory;
import java.lang.management.MonitorInfo;
import java.time.Duration;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.junit.jupiter.api.Test;

/**
 * A stream and its dispatcher call each other. Whoever did that with a lock held would one day wait
 * for somebody who waits for that lock, and with it every call on the thread of the connection.
 */
final class ConsumeStreamLocksTest {

  private static final String NAMESPACE = "locks";
  private static final int EVENTS = 20;

  @Test
  void noLockIsHeldWhenAnAnswerThatIsThereAtOnceAsksForMore() throws Exception {
    try (TestRedis redis = TestRedis.single()) {
      Watched scripts = new Watched(redis, Thread.currentThread());
      try (EventHarness harness =
          new EventHarness(redis, Duration.ofMinutes(1), Duration.ofMinutes(1), 1 << 16, scripts)) {
        consumeAll(harness);
      }
      // Each settlement but the last was followed by a round, before it came back.
      assertThat(scripts.roundsHere).hasSizeGreaterThanOrEqualTo(EVENTS - 1);
      assertThat(scripts.roundsHere).allSatisfy(locks -> assertThat(locks).isEmpty());
    }
  }

  private static void consumeAll(EventHarness harness) {
    harness.blocking.createGroup(
        CreateGroupRequest.newBuilder()
            .setNamespace(NAMESPACE)
            .setTopic("t")
            .setGroup("g")
            .setStart(GroupStart.newBuilder().setPosition(StartPosition.START_POSITION_BEGINNING))
            .build());
    for (int i = 0; i < EVENTS; i++) {
      harness.blocking.publish(
          PublishRequest.newBuilder()
              .setNamespace(NAMESPACE)
              .setTopic("t")
              .setEvent(Event.newBuilder().setType("y").setTextData("" + i))
              .build());
    }
    try (GroupMemberDouble member =
        new GroupMemberDouble(harness.channel(), NAMESPACE, "t", "g", "m", 1)) {
      for (int i = 0; i < EVENTS; i++) {
        GroupDelivery delivery = member.delivery();
        assertThat(delivery.getEvent().getEvent().getTextData()).isEqualTo("" + i);
        member.ack(delivery);
      }
    }
  }

  /** Answers settlements before it returns, and sees what the caller of a round has locked. */
  private static final class Watched implements ScriptRunner {

    private final ScriptRunner scripts;
    private final Thread here;
    private final Queue<List<String>> roundsHere = new ConcurrentLinkedQueue<>();

    Watched(ScriptRunner scripts, Thread here) {
      this.scripts = scripts;
      this.here = here;
    }

    @Override
    public CompletionStage<List<Object>> run(
        Script script, Partition partition, Object... arguments) {
      CompletableFuture<List<Object>> run =
          scripts.run(script, partition, arguments).toCompletableFuture();
      if (Thread.currentThread() == here) {
        switch (script.name()) {
          case "event/settle" -> run.join();
          case "event/take" -> roundsHere.add(locks());
          default -> {}
        }
      }
      return run;
    }

    private static List<String> locks() {
      long thread = Thread.currentThread().getId();
      MonitorInfo[] held =
          ManagementFactory.getThreadMXBean()
              .getThreadInfo(new long[] {thread}, true, false)[0]
              .getLockedMonitors();
      return List.of(held).stream()
          .map(MonitorInfo::getClassName)
          .filter(name -> name.startsWith("dev.troupe.server.event."))
          .toList();
    }
  }
}
