package dev.troupe.server.redis;

import java.util.Map;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.redisson.Redisson;
import org.redisson.api.RedissonClient;
import org.redisson.connection.ConnectionManager;
import org.redisson.connection.MasterSlaveEntry;
import org.redisson.misc.AsyncSemaphore;

/**
 * Where commands wait for one of Redisson's connections, so that they do not wait inside Redisson.
 *
 * <p>Where few connections carry many commands, Redisson gives a connection back as soon as a
 * command is written, and serves the next in its own line from within that: one level of the stack
 * for each, for as long as somebody joins the line (its guard against that counts on event loops
 * that have time). When connections break while thousands of commands are wanted, the stack
 * overflows in the midst of its books, and a connection that was lost so is never handed out again.
 * So a command is given to Redisson only when a connection is free and nobody is in that line.
 *
 * <p>When one of those in Redisson gets no connection in time, all who wait here for the same
 * master are told the same: they would wait for one timeout after the other. Thread-safe.
 */
final class ConnectionLine {

  /** How many one thread lets in before it sees to its other work. */
  private static final int MOST_AT_ONCE = 64;

  /** By master, of which a Cluster has few. */
  private final Map<MasterSlaveEntry, Line> lines = new ConcurrentHashMap<>();

  /**
   * Sends a command as soon as a connection is free, which nearly always is at once.
   *
   * @param key says to which master
   */
  <T> CompletionStage<T> send(
      RedissonClient client, String key, Supplier<CompletionStage<T>> command) {
    try {
      ConnectionManager nodes = ((Redisson) client).getCommandExecutor().getConnectionManager();
      MasterSlaveEntry master = nodes.getWriteEntry(nodes.calcSlot(key));
      // Without a master Redisson has the words for it.
      return master == null ? command.get() : lineOf(master).send(command);
    } catch (RuntimeException refused) {
      return CompletableFuture.failedFuture(refused);
    }
  }

  private Line lineOf(MasterSlaveEntry master) {
    Line line = lines.get(master);
    return line == null ? lines.computeIfAbsent(master, Line::new) : line;
  }

  private record Waiting<T>(Supplier<CompletionStage<T>> command, CompletableFuture<T> reply) {}

  /** Of one master. */
  private static final class Line {

    private final MasterSlaveEntry master;
    private final Queue<Waiting<?>> outside = new ConcurrentLinkedQueue<>();
    private final AtomicBoolean admitting = new AtomicBoolean();

    /** Commands that were let in and have no answer yet: their ends let others in. */
    private final AtomicInteger inside = new AtomicInteger();

    Line(MasterSlaveEntry master) {
      this.master = master;
    }

    <T> CompletionStage<T> send(Supplier<CompletionStage<T>> command) {
      if (outside.isEmpty() && mayEnter()) {
        return enter(command);
      }
      Waiting<T> waiting = new Waiting<>(command, new CompletableFuture<>());
      outside.add(waiting);
      admit();
      return waiting.reply;
    }

    /** With nobody inside nobody would come back to let this one in. */
    private boolean mayEnter() {
      // Asked for anew each time: a failover replaces it.
      AsyncSemaphore free = master.getEntry().getConnectionsHolder().getFreeConnectionsCounter();
      return inside.get() == 0 || (free.getCounter() > 0 && free.queueSize() == 0);
    }

    private <T> CompletionStage<T> enter(Supplier<CompletionStage<T>> command) {
      inside.incrementAndGet();
      CompletionStage<T> reply;
      try {
        reply = command.get();
      } catch (RuntimeException | Error refused) {
        reply = CompletableFuture.failedFuture(refused);
      }
      CompletionStage<T> left = reply.whenComplete((done, failure) -> leave(failure));
      // It is written, and its connection free again.
      admit();
      return left;
    }

    private void leave(@Nullable Throwable failure) {
      inside.decrementAndGet();
      if (failure != null && StoreFailures.isWithoutConnection(failure)) {
        refuseAll(failure);
      } else {
        admit();
      }
    }

    private void refuseAll(Throwable failure) {
      for (Waiting<?> next = outside.poll(); next != null; next = outside.poll()) {
        next.reply.completeExceptionally(failure);
      }
    }

    /** Lets in who may enter; one thread at a time, so that it never nests. */
    private void admit() {
      int left = MOST_AT_ONCE;
      while (isNextDue(left) && admitting.compareAndSet(false, true)) {
        try {
          for (; isNextDue(left); left--) {
            Waiting<?> next = outside.poll();
            if (next != null) {
              enter(next);
            }
          }
        } finally {
          admitting.set(false);
        }
      }
    }

    private boolean isNextDue(int left) {
      return !outside.isEmpty() && (left > 0 || inside.get() == 0) && mayEnter();
    }

    private <T> void enter(Waiting<T> waiting) {
      enter(waiting.command)
          .whenComplete(
              (reply, failure) -> {
                if (failure != null) {
                  waiting.reply.completeExceptionally(failure);
                } else {
                  waiting.reply.complete(reply);
                }
              });
    }
  }
}
