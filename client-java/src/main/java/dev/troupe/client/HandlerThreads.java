package dev.troupe.client;

import com.google.protobuf.ByteString;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.FutureTask;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicInteger;

/** Runs handlers that block, and interrupts those that have to stop. */
final class HandlerThreads {

  private final ExecutorService executor;

  HandlerThreads(String worker, int slots) {
    AtomicInteger number = new AtomicInteger();
    executor =
        Executors.newFixedThreadPool(
            Math.max(1, slots),
            task -> {
              Thread thread = new Thread(task, worker + "-" + number.incrementAndGet());
              thread.setDaemon(true);
              return thread;
            });
  }

  AsyncTaskHandler run(TaskHandler handler) {
    return run(handler, executor);
  }

  void close() {
    executor.shutdown();
  }

  static AsyncTaskHandler run(TaskHandler handler, Executor executor) {
    return task -> {
      CompletableFuture<ByteString> result = new CompletableFuture<>();
      FutureTask<Void> work =
          new FutureTask<>(
              () -> {
                try {
                  result.complete(handler.handle(task));
                } catch (Throwable thrown) {
                  result.completeExceptionally(thrown);
                }
                return null;
              }) {
            @Override
            public void run() {
              super.run();
              // One that was stopped before it began has no other end.
              result.completeExceptionally(new CancellationException("stopped before it began"));
            }
          };
      task.stopped().thenRun(() -> work.cancel(true));
      try {
        executor.execute(work);
      } catch (RejectedExecutionException full) {
        result.completeExceptionally(full);
      }
      return result;
    };
  }
}
