package dev.troupe.server.lock;

import static org.assertj.core.api.Assertions.assertThat;

import dev.troupe.server.error.TroupeException;
import dev.troupe.server.lock.FailedSearches.Start;
import java.io.IOException;
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
  void oneIsMadeAgainUntilItSucceedsAndThenTheOthersInTurn() throws Exception {
    searches.failed(A, AWAY);
    searches.failed(B, AWAY);
    searches.failed(C, AWAY);
    assertThat(next()).isEqualTo(A);
    searches.failed(A, AWAY);
    assertThat(next()).as("each is tried in turn").isEqualTo(B);
    assertThat(made).isEmpty();
    searches.succeeded(B);
    assertThat(next()).isEqualTo(C);
    assertThat(made).as("one after the other").isEmpty();
    searches.succeeded(C);
    assertThat(next()).isEqualTo(A);
    searches.succeeded(A);
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

  @Test
  void aSearchThatBeganBeforeAWaitDoesNotStandForTheOneThatFailed() throws Exception {
    searches.failed(A, AWAY);
    searches.failed(B, AWAY);
    searches.succeeded(B);
    assertThat(next()).isEqualTo(A);
    searches.succeeded(A);
    assertThat(next()).isEqualTo(B);
  }

  @Test
  void manyFailuresOfOneAreOneTrial() throws Exception {
    for (int i = 0; i < 1000; i++) {
      searches.failed(A, AWAY);
    }
    assertThat(next()).isEqualTo(A);
    searches.succeeded(A);
    assertThat(made).isEmpty();
  }
}
