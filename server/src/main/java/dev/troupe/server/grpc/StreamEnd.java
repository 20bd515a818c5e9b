package dev.troupe.server.grpc;

import com.google.common.base.Ticker;
import dev.troupe.server.log.PartitionLogs.Until;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.function.IntFunction;
import org.jspecify.annotations.Nullable;

/**
 * Finds out where the partitions of a stream end that ends at a time. Only the clock of Redis tells
 * that the time is over, and it is asked once more when it should be. A question that fails is
 * asked again.
 *
 * <p>Belongs to whoever has the stream's turn, but for the answers.
 */
final class StreamEnd {

  private static final long AGAIN_NANOS = TimeUnit.SECONDS.toNanos(1);

  private final IntFunction<CompletionStage<Until>> until;
  private final Ticker ticker;
  private final Runnable onAnswer;
  private final Map<StreamSource, Question> open = new HashMap<>();
  private boolean asked;

  /** What is known of one partition. */
  private static final class Question {
    volatile @Nullable Until answer;
    volatile boolean failed;
    long dueNanos;
    boolean waiting;
  }

  StreamEnd(IntFunction<CompletionStage<Until>> until, Ticker ticker, Runnable onAnswer) {
    this.until = until;
    this.ticker = ticker;
    this.onAnswer = onAnswer;
  }

  /** Asks what is to be asked now, and tells the sources what is known. */
  void ask(List<StreamSource> sources) {
    if (!asked) {
      asked = true;
      sources.forEach(source -> open.put(source, new Question()));
    }
    open.entrySet().removeIf(each -> isAnswered(each.getKey(), each.getValue()));
    open.forEach(this::ask);
  }

  private boolean isAnswered(StreamSource source, Question question) {
    Until answer = question.answer;
    if (question.failed) {
      question.failed = false;
      again(question, AGAIN_NANOS);
    } else if (answer != null && answer.last() != null) {
      source.endAt(answer.last());
      return true;
    } else if (answer != null) {
      question.answer = null;
      again(question, TimeUnit.MILLISECONDS.toNanos(answer.leftMillis()));
    }
    return false;
  }

  private void again(Question question, long inNanos) {
    question.waiting = false;
    question.dueNanos = ticker.read() + inNanos;
  }

  private void ask(StreamSource source, Question question) {
    if (question.waiting || (question.dueNanos != 0 && ticker.read() - question.dueNanos < 0)) {
      return;
    }
    question.waiting = true;
    until
        .apply(source.partition)
        .whenComplete(
            (answer, failure) -> {
              question.answer = answer;
              question.failed = failure != null;
              onAnswer.run();
            });
  }
}
