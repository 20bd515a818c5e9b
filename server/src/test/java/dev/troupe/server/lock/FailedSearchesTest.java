package dev.troupe.server.lock;

import static org.assertj.core.api.Assertions.assertThat;

import dev.troupe.server.error.TroupeException;
import dev.troupe.server.lock.FailedSearches.Start;
import java.io.IOException;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.Executors;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

final class FailedSearchesTest {

  private static final Start A = new Start("n", "a");
  private static final Start B = new Start("n", "b");
  private static final Start C = new Start("n", "c");
  private static final Throwable AWAY = TroupeException.outcomeUnknown(new IOException("away"));

  private final ScheduledExecutorService timers = Executors.newSingleThreadScheduledExecutor();
  private final BlockingQueue<Start> made = new LinkedBlockingQueue<>();
  private final FailedSearches searches = new FailedSearches(timers, made::add);

  @AfterEach
  void stop() {
    timers.shutdownNow();
  }

  private @Nullable Start next() throws InterruptedException {
    return made.poll(60, TimeUnit.SECONDS);
  }

  @Test
  void oneIsMadeAgainUntilItSucceedsAndThenAllTheOthers() throws Exception {
    searches.failed(A, AWAY);
    searches.failed(B, AWAY);
    searches.failed(C, AWAY);
    assertThat(next()).isEqualTo(A);
    searches.failed(A, AWAY);
    assertThat(next()).as("each is tried in turn").isEqualTo(B);
    assertThat(made).isEmpty();
    searches.succeeded(B);
    assertThat(List.of(next(), next())).containsExactlyInAnyOrder(A, C);
    searches.succeeded(A);
    searches.failed(C, AWAY);
    assertThat(next()).isEqualTo(C);
    searches.succeeded(C);
    assertThat(made).isEmpty();
  }

  @Test
  void oneThatFailsByAMistakeOfOursIsNotMadeAgainAndHoldsUpNoOthers() throws Exception {
    searches.failed(A, AWAY);
    searches.failed(B, AWAY);
    assertThat(next()).isEqualTo(A);
    searches.failed(A, new IllegalStateException("a mistake"));
    assertThat(next()).isEqualTo(B);
    searches.succeeded(B);
    assertThat(made).isEmpty();
  }
}
