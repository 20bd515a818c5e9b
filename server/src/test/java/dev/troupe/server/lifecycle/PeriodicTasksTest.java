package dev.troupe.server.lifecycle;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import com.google.common.base.Ticker;
import java.time.Duration;
import java.time.InstantSource;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class PeriodicTasksTest {

  private static final Duration LONG = Duration.ofHours(1);

  private final PeriodicTasks tasks =
      new PeriodicTasks(Ticker.systemTicker(), InstantSource.system());
  private final AtomicInteger runs = new AtomicInteger();

  @AfterEach
  void stop() throws Exception {
    tasks.stop(Duration.ZERO).toCompletableFuture().get(60, TimeUnit.SECONDS);
  }

  private CompletionStage<Duration> after(Duration pause) {
    runs.incrementAndGet();
    return CompletableFuture.completedFuture(pause);
  }

  @Test
  void a_job_runs_at_once_and_then_as_often_as_it_says() {
    tasks.schedule("job", () -> after(Duration.ofMillis(1)));

    await().until(() -> runs.get() >= 5);
    assertThat(tasks.status())
        .singleElement()
        .satisfies(
            status -> {
              assertThat(status.name()).isEqualTo("job");
              assertThat(status.runs()).isGreaterThanOrEqualTo(5);
              assertThat(status.failures()).isZero();
              assertThat(status.lastRun()).isPresent();
            });
  }

  @Test
  void a_poke_runs_a_job_that_would_wait_for_long() {
    PeriodicTask task = tasks.schedule("job", () -> after(LONG));
    await().until(() -> runs.get() == 1 && !task.status().running());

    task.poke();

    await().until(() -> runs.get() == 2);
  }

  @Test
  void a_request_for_a_later_run_does_not_delay_an_earlier_one() {
    PeriodicTask task = tasks.schedule("job", Duration.ofMillis(50), () -> after(LONG));

    task.runWithin(LONG);

    await().until(() -> runs.get() == 1);
  }

  @Test
  void a_poke_during_a_run_leads_to_one_more_run_and_never_to_two_at_a_time() throws Exception {
    ConcurrentLinkedQueue<CompletableFuture<Duration>> rounds = new ConcurrentLinkedQueue<>();
    PeriodicTask task =
        tasks.schedule(
            "job",
            () -> {
              CompletableFuture<Duration> round = new CompletableFuture<>();
              rounds.add(round);
              return round;
            });
    await().until(() -> rounds.size() == 1);

    task.poke();
    task.poke();
    CountDownLatch turn = new CountDownLatch(1);
    tasks.schedule(
        "other",
        () -> {
          turn.countDown();
          return CompletableFuture.completedFuture(LONG);
        });
    assertThat(turn.await(60, TimeUnit.SECONDS)).isTrue();
    assertThat(rounds).hasSize(1);

    rounds.element().complete(LONG);
    await().until(() -> rounds.size() == 2);
    assertThat(task.status().runs()).isEqualTo(2);
    rounds.forEach(round -> round.complete(LONG));
  }

  @Test
  void pokes_from_many_threads_never_make_a_job_overlap_or_multiply() throws Exception {
    AtomicBoolean inside = new AtomicBoolean();
    AtomicInteger overlaps = new AtomicInteger();
    PeriodicTask task =
        tasks.schedule(
            "job",
            () -> {
              if (!inside.compareAndSet(false, true)) {
                overlaps.incrementAndGet();
              }
              return CompletableFuture.supplyAsync(
                  () -> {
                    inside.set(false);
                    return runs.incrementAndGet() > 0 ? LONG : Duration.ZERO;
                  });
            });
    ExecutorService callers = Executors.newFixedThreadPool(4);
    for (int caller = 0; caller < 4; caller++) {
      callers.execute(
          () -> {
            for (int i = 0; i < 5_000; i++) {
              task.poke();
            }
          });
    }
    callers.shutdown();
    assertThat(callers.awaitTermination(30, TimeUnit.SECONDS)).isTrue();

    // At rest there is exactly one run ahead, an hour away: the count stands still.
    await().during(Duration.ofMillis(200)).until(runs::get, count -> count == settled(task));
    assertThat(overlaps).hasValue(0);
  }

  private static int settled(PeriodicTask task) {
    PeriodicTask.Status status = task.status();
    return status.running() ? -1 : (int) status.runs();
  }

  @Test
  void a_failing_job_is_tried_again_with_growing_pauses_and_recovers() {
    AtomicBoolean broken = new AtomicBoolean(true);
    PeriodicTask task =
        tasks.schedule(
            "job",
            () -> {
              runs.incrementAndGet();
              if (broken.get()) {
                throw new IllegalStateException("down");
              }
              return CompletableFuture.completedFuture(LONG);
            });
    await().until(() -> task.status().failuresInARow() >= 2);
    assertThat(runs.get()).as("not a busy loop").isLessThan(10);

    broken.set(false);

    await().until(() -> task.status().failuresInARow() == 0);
    assertThat(task.status().failures()).isGreaterThanOrEqualTo(2);
  }

  @Test
  void a_poke_does_not_cut_the_pause_after_a_failure_short() {
    Ticker stopped =
        new Ticker() {
          @Override
          public long read() {
            return 0;
          }
        };
    PeriodicTasks others = new PeriodicTasks(stopped, InstantSource.system());
    PeriodicTask task =
        others.schedule("job", () -> CompletableFuture.failedFuture(new IllegalStateException()));
    await().until(() -> task.status().failuresInARow() == 6);

    for (int i = 0; i < 1_000; i++) {
      task.poke();
    }

    assertThat(task.status().runs()).isLessThan(8);
    others.stop(Duration.ZERO);
  }

  @Test
  void a_job_that_answers_nothing_counts_as_failed() {
    PeriodicTask task = tasks.schedule("job", () -> CompletableFuture.completedFuture(null));

    await().until(() -> task.status().failures() > 0);
  }

  @Test
  void stop_waits_for_the_run_under_way_and_starts_no_other() throws Exception {
    CompletableFuture<Duration> round = new CompletableFuture<>();
    PeriodicTask task =
        tasks.schedule(
            "job",
            () -> {
              runs.incrementAndGet();
              return round;
            });
    await().until(() -> runs.get() == 1);

    CompletableFuture<?> stopped = tasks.stop(Duration.ofSeconds(1)).toCompletableFuture();
    assertThat(stopped).isNotDone();
    round.complete(Duration.ZERO);

    stopped.get(60, TimeUnit.SECONDS);
    task.poke();
    assertThat(runs).hasValue(1);
    assertThatThrownBy(() -> tasks.schedule("late", () -> after(LONG)))
        .isInstanceOf(IllegalStateException.class);
  }

  @Test
  void two_jobs_of_one_name_are_a_fault() {
    tasks.schedule("job", () -> after(LONG));

    assertThatThrownBy(() -> tasks.schedule("job", () -> after(LONG)))
        .isInstanceOf(IllegalArgumentException.class);
  }
}
