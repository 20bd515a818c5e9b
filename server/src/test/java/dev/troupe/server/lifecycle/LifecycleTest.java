package dev.troupe.server.lifecycle;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.common.base.Ticker;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class LifecycleTest {

  private final List<String> events = Collections.synchronizedList(new ArrayList<>());
  private final Lifecycle lifecycle = new Lifecycle(Ticker.systemTicker(), Duration.ofMillis(100));

  private final class Recorded implements Service {
    private final String name;

    Recorded(String name) {
      this.name = name;
    }

    @Override
    public CompletionStage<?> start() {
      return CompletableFuture.runAsync(() -> events.add("+" + name));
    }

    @Override
    public CompletionStage<?> stop(Duration grace) {
      return CompletableFuture.runAsync(() -> events.add("-" + name));
    }
  }

  private static void await(CompletionStage<?> stage) throws Exception {
    stage.toCompletableFuture().get(60, TimeUnit.SECONDS);
  }

  @Test
  void services_start_in_order_and_stop_in_reverse() throws Exception {
    lifecycle.register("a", new Recorded("a"));
    lifecycle.register("b", new Recorded("b"));
    lifecycle.register("c", new Recorded("c"));

    await(lifecycle.start());
    await(lifecycle.stop());

    assertThat(events).containsExactly("+a", "+b", "+c", "-c", "-b", "-a");
  }

  @Test
  void a_start_that_fails_half_way_stops_what_was_started_and_tells_who_failed() {
    lifecycle.register("a", new Recorded("a"));
    lifecycle.register(
        "broken",
        new Service() {
          @Override
          public CompletionStage<?> start() {
            throw new IllegalStateException("no port");
          }

          @Override
          public CompletionStage<?> stop(Duration grace) {
            events.add("-broken");
            return CompletableFuture.completedFuture(null);
          }
        });
    lifecycle.register("c", new Recorded("c"));

    assertThatThrownBy(() -> await(lifecycle.start()))
        .hasStackTraceContaining("broken did not start: no port");
    assertThat(events).containsExactly("+a", "-broken", "-a");
  }

  @Test
  void a_stop_that_blocks_or_fails_holds_up_nobody_else() throws Exception {
    CountDownLatch never = new CountDownLatch(1);
    lifecycle.register("a", new Recorded("a"));
    lifecycle.register(
        "failing",
        Service.closing(
            () -> {
              throw new IllegalStateException("will not");
            }));
    lifecycle.register("blocking", Service.closing(never::await));

    await(lifecycle.start());
    await(lifecycle.stop());
    never.countDown();

    assertThat(events).containsExactly("+a", "-a");
  }

  @Test
  void a_stop_during_the_start_stops_what_was_started_and_starts_no_more() throws Exception {
    CompletableFuture<Void> slow = new CompletableFuture<>();
    CountDownLatch underWay = new CountDownLatch(1);
    lifecycle.register("a", new Recorded("a"));
    lifecycle.register(
        "slow",
        new Service() {
          @Override
          public CompletionStage<?> start() {
            underWay.countDown();
            return slow;
          }
        });
    lifecycle.register("c", new Recorded("c"));

    CompletionStage<Void> start = lifecycle.start();
    assertThat(underWay.await(60, TimeUnit.SECONDS)).isTrue();
    CompletionStage<Void> stop = lifecycle.stop();
    slow.complete(null);

    await(stop);
    assertThat(events).containsExactly("+a", "-a");
    assertThatThrownBy(() -> await(start)).hasStackTraceContaining("stopped before c was started");
  }

  @Test
  void stopping_twice_stops_once() throws Exception {
    lifecycle.register("a", new Recorded("a"));

    await(lifecycle.start());
    await(lifecycle.stop());
    await(lifecycle.stop());

    assertThat(events).containsExactly("+a", "-a");
  }

  @Test
  void the_first_signal_stops_and_the_second_ends_the_process_at_once() {
    StopSignals signals =
        new StopSignals(() -> events.add("exit"), status -> events.add("halt " + status));

    signals.received("TERM");
    assertThat(events).containsExactly("exit");
    signals.received("INT");
    assertThat(events).containsExactly("exit", "halt 130");
  }
}
