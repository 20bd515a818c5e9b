package dev.troupe.server.redis;

import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.redisson.Redisson;
import org.redisson.api.RedissonClient;
import org.redisson.connection.ConnectionManager;
import org.redisson.connection.MasterSlaveEntry;
import org.redisson.misc.AsyncSemaphore;

/**
 * Keeps the line of commands short that wait inside Redisson for one of its connections.
 *
 * <p>Where few connections carry many commands, Redisson gives a connection back as soon as a
 * command is written, and serves the next in line from within that: one level of the stack for each
 * (its guard against that counts on event loops that have time). When connections break while
 * thousands of commands are wanted, the stack overflows in the midst of its books, and a connection
 * that was lost so is never handed out again. So whoever finds a long line waits here, outside.
 * Thread-safe.
 */
final class ConnectionLine {

  /** With those that do not come by here and those that look at the same time, far below 200. */
  private static final int LONG = 32;

  private final Queue<Waiting<?>> outside = new ConcurrentLinkedQueue<>();
  private final AtomicBoolean admitting = new AtomicBoolean();

  private record Waiting<T>(
      AsyncSemaphore line, Supplier<CompletionStage<T>> command, CompletableFuture<T> reply) {}

  /**
   * Sends a command when the line of its node is short, which it nearly always is.
   *
   * @param key says which node
   */
  <T> CompletionStage<T> send(
      RedissonClient client, String key, Supplier<CompletionStage<T>> command) {
    AsyncSemaphore line = lineOf(client, key);
    if (line == null || isShort(line)) {
      return sent(command);
    }
    Waiting<T> waiting = new Waiting<>(line, command, new CompletableFuture<>());
    outside.add(waiting);
    // All who were in line may have left it since.
    admit();
    return waiting.reply;
  }

  private static @Nullable AsyncSemaphore lineOf(RedissonClient client, String key) {
    ConnectionManager nodes = ((Redisson) client).getCommandExecutor().getConnectionManager();
    MasterSlaveEntry node = nodes.getWriteEntry(nodes.calcSlot(key));
    return node == null ? null : node.getEntry().getConnectionsHolder().getFreeConnectionsCounter();
  }

  private static boolean isShort(AsyncSemaphore line) {
    return line.queueSize() < LONG;
  }

  private <T> CompletionStage<T> sent(Supplier<CompletionStage<T>> command) {
    return command
        .get()
        .whenComplete(
            (reply, failure) -> {
              if (outside.isEmpty()) {
                return;
              }
              if (failure != null && StoreFailures.isWithoutConnection(failure)) {
                refuseAll(failure);
              } else {
                admit();
              }
            });
  }

  /** One in line got no connection in time; those outside would wait for one timeout each. */
  private void refuseAll(Throwable failure) {
    for (Waiting<?> next = outside.poll(); next != null; next = outside.poll()) {
      next.reply.completeExceptionally(failure);
    }
  }

  /** Lets in as many as keep the lines short; one thread at a time, so that it never nests. */
  private void admit() {
    while (isNextDue() && admitting.compareAndSet(false, true)) {
      try {
        admitDue();
      } finally {
        admitting.set(false);
      }
    }
  }

  private boolean isNextDue() {
    Waiting<?> next = outside.peek();
    return next != null && isShort(next.line);
  }

  private void admitDue() {
    while (isNextDue()) {
      Waiting<?> next = outside.poll();
      if (next != null) {
        admit(next);
      }
    }
  }

  private <T> void admit(Waiting<T> waiting) {
    try {
      sent(waiting.command)
          .whenComplete(
              (reply, failure) -> {
                if (failure != null) {
                  waiting.reply.completeExceptionally(failure);
                } else {
                  waiting.reply.complete(reply);
                }
              });
    } catch (RuntimeException refused) {
      waiting.reply.completeExceptionally(refused);
    }
  }
}
