package dev.troupe.server.redis;

import static org.assertj.core.api.Assertions.assertThat;

import dev.troupe.server.error.TroupeException;
import dev.troupe.v1.ErrorReason;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import org.junit.jupiter.api.Test;

final class ScriptBatcherTest {

  private static final Partition PLACE = new Partition("default", 0, 1);

  /** The scripts under way, to be answered by the test. */
  private record Script(List<String> items, CompletableFuture<List<String>> answer) {}

  private final List<Script> scripts = new ArrayList<>();
  private final ScriptBatcher<Partition, String, String> batcher =
      new ScriptBatcher<>(
          64,
          (place, items) -> {
            Script script = new Script(items, new CompletableFuture<>());
            scripts.add(script);
            return script.answer;
          },
          String::length);

  @Test
  void whatArrivesDuringAScriptSharesTheNext() {
    CompletableFuture<String> a = add("a");
    CompletableFuture<String> b = add("b");
    CompletableFuture<String> c = add("c");
    assertThat(scripts).hasSize(1);
    scripts.get(0).answer.complete(List.of("A"));
    assertThat(a).isCompletedWithValue("A");
    assertThat(scripts.get(1).items).containsExactly("b", "c");
    scripts.get(1).answer.complete(List.of("B", "C"));
    assertThat(b).isCompletedWithValue("B");
    assertThat(c).isCompletedWithValue("C");
  }

  @Test
  void whatAScriptLeavesIsFirstInTheNext() {
    CompletableFuture<String> a = add("a");
    List<CompletableFuture<String>> behind = List.of(add("b"), add("c"), add("d"));
    scripts.get(0).answer.complete(List.of("A"));
    CompletableFuture<String> late = add("late");
    scripts.get(1).answer.complete(List.of("B"));
    assertThat(a).isCompletedWithValue("A");
    assertThat(behind.get(0)).isCompletedWithValue("B");
    assertThat(behind.get(1)).isNotDone();
    assertThat(scripts.get(2).items).containsExactly("c", "d", "late");
    scripts.get(2).answer.complete(List.of("C", "D", "LATE"));
    assertThat(behind.get(2)).isCompletedWithValue("D");
    assertThat(late).isCompletedWithValue("LATE");
  }

  @Test
  void aScriptThatAnswersForNoneFailsInsteadOfBeingRunForEver() {
    CompletableFuture<String> one = add("one");
    scripts.get(0).answer.complete(List.of());
    assertThat(one).isCompletedExceptionally();
    assertThat(scripts).hasSize(1);
  }

  @Test
  void whenRedisDoesNotAnswerThoseBehindAreRefusedAtOnceAsNotDone() {
    CompletableFuture<String> sent = add("sent");
    CompletableFuture<String> behind = add("behind");
    scripts
        .get(0)
        .answer
        .completeExceptionally(TroupeException.outcomeUnknown(new RuntimeException("timeout")));
    assertThat(reason(sent)).isEqualTo(ErrorReason.ERROR_REASON_OUTCOME_UNKNOWN);
    assertThat(reason(behind)).isEqualTo(ErrorReason.ERROR_REASON_STORE_UNAVAILABLE);
    assertThat(scripts).hasSize(1);

    CompletableFuture<String> later = add("later");
    scripts.get(1).answer.complete(List.of("done"));
    assertThat(later).isCompletedWithValue("done");
  }

  @Test
  void aFaultOfOneScriptDoesNotTouchTheNext() {
    CompletableFuture<String> broken = add("broken");
    CompletableFuture<String> fine = add("fine");
    scripts.get(0).answer.completeExceptionally(new IllegalStateException("a bug"));
    assertThat(broken).isCompletedExceptionally();
    scripts.get(1).answer.complete(List.of("done"));
    assertThat(fine).isCompletedWithValue("done");
  }

  private CompletableFuture<String> add(String item) {
    return batcher.add(PLACE, item).toCompletableFuture();
  }

  private static ErrorReason reason(CompletableFuture<String> failed) {
    try {
      throw new AssertionError("not refused: " + failed.join());
    } catch (CompletionException e) {
      return ((TroupeException) java.util.Objects.requireNonNull(e.getCause())).reason();
    }
  }
}
