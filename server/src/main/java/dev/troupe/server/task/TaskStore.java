package dev.troupe.server.task;

import com.google.inject.Inject;
import com.google.protobuf.Duration;
import com.google.protobuf.util.Durations;
import dev.troupe.server.error.TroupeException;
import dev.troupe.server.outbox.OutboxEvents;
import dev.troupe.server.redis.FencedScripts;
import dev.troupe.server.redis.Fences;
import dev.troupe.server.redis.Namespaces;
import dev.troupe.server.redis.Partition;
import dev.troupe.server.redis.PartitionSweep.Swept;
import dev.troupe.server.redis.Reply;
import dev.troupe.server.redis.Script;
import dev.troupe.server.redis.ScriptRunner;
import dev.troupe.v1.Attempt;
import dev.troupe.v1.ErrorReason;
import dev.troupe.v1.Event;
import dev.troupe.v1.FailResponse;
import dev.troupe.v1.Failure;
import dev.troupe.v1.Fence;
import dev.troupe.v1.LeasedTask;
import dev.troupe.v1.OutboxEvent;
import dev.troupe.v1.Progress;
import dev.troupe.v1.Queue;
import dev.troupe.v1.QueueSettings;
import dev.troupe.v1.RetryPolicy;
import dev.troupe.v1.Task;
import dev.troupe.v1.TaskSpec;
import dev.troupe.v1.TaskState;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ThreadLocalRandom;

/**
 * The tasks of all queues, in Redis.
 *
 * <p>Every method that changes something is one script in one partition: it happens whole or not at
 * all, with its entries in the partition's log. At any moment a task is in exactly one of: a ready
 * set, {@code delayed}, {@code leases}, or one of the sets of ended tasks. A crash of a server
 * between two calls leaves nothing half-done; leases it had handed out run out by themselves.
 *
 * <p>Thread-safe; never blocks. A refusal is a {@link TroupeException} in the stage:
 * TASK_NOT_FOUND, STALE_LEASE, RESULT_CONFLICT, STALE_FENCE, TASK_STATE, QUEUE_NOT_FOUND,
 * REQUEST_ID_REUSED, LIMIT_EXCEEDED, and those of {@link ScriptRunner}.
 */
public final class TaskStore {

  /** Most tasks moved by one script; a longer list is several calls. */
  public static final int MOST_PER_SCRIPT = 64;

  /** Elements of a task in the reply of {@code lease.lua}. */
  private static final int LEASE_ROW = 10;

  private final ScriptRunner scripts;
  private final Namespaces namespaces;

  @Inject
  TaskStore(ScriptRunner scripts, Namespaces namespaces) {
    this.scripts = scripts;
    this.namespaces = namespaces;
  }

  /** The same tasks, of which nothing is written that the fence does not let pass. */
  TaskStore under(Fence fence) {
    return fence.getName().isEmpty()
        ? this
        : new TaskStore(new FencedScripts(scripts, fence), namespaces);
  }

  /** Where a queue lives. */
  public CompletionStage<QueueId> locate(String namespace, String queue) {
    return namespaces
        .locate(namespace, queue)
        .thenApply(partition -> new QueueId(partition, queue));
  }

  /**
   * Adds up to {@value #MOST_PER_SCRIPT} tasks, each with its id, in order.
   *
   * @param requestId when not empty, the same one within 10 minutes gets the first outcomes again
   * @param digest of what the request asks for, to tell a repeat from a reuse of its id
   */
  public CompletionStage<List<EnqueueOutcome>> enqueue(
      QueueId queue, List<TaskSpec> tasks, Fence fence, String requestId, String digest) {
    List<Object> arguments = new ArrayList<>(5 + 5 * tasks.size());
    addAll(
        arguments,
        queue.name(),
        Fences.name(queue.partition(), fence),
        fence.getToken(),
        requestId,
        digest);
    for (TaskSpec task : tasks) {
      addAll(
          arguments,
          task.getTaskId(),
          TaskHeader.pack(task),
          task.toByteArray(),
          task.hasRetention() ? millis(task.getRetention()) : "",
          TaskChanges.enqueued(queue.name(), task));
    }
    return run(TaskScripts.ENQUEUE, queue, arguments)
        .thenApply(
            reply -> {
              List<EnqueueOutcome> outcomes = new ArrayList<>(tasks.size());
              for (int i = 1; i < reply.size(); i += 3) {
                outcomes.add(enqueueOutcome(reply.part(i, 3)));
              }
              return outcomes;
            });
  }

  private static EnqueueOutcome enqueueOutcome(Reply row) {
    return switch (row.code()) {
      case "CREATED" -> new EnqueueOutcome.Created(row.text(1), TaskStates.of(row.text(2)));
      case "EXISTS" -> new EnqueueOutcome.Existing(row.text(1), TaskStates.of(row.text(2)));
      case "CONFLICT" -> new EnqueueOutcome.Conflict(row.text(1));
      case "DRAINING" -> new EnqueueOutcome.Draining();
      case "CLASSES" -> new EnqueueOutcome.TooManyClasses();
      default -> throw new IllegalStateException("unknown outcome " + row.code());
    };
  }

  /**
   * Leases ready tasks to workers that share the same capabilities: the highest priority first
   * within a fairness key, fairness keys in turn by weight. What comes back short of the wishes was
   * not there; the partition's bell rings when that changes.
   *
   * @param window how long the worker has to acknowledge the delivery; zero when the answer itself
   *     is the delivery
   */
  public CompletionStage<LeaseGrant> lease(
      QueueId queue, Set<String> capabilities, Duration window, List<LeaseWish> wishes) {
    List<Object> arguments = new ArrayList<>(5 + capabilities.size() + 3 * wishes.size());
    addAll(
        arguments,
        queue.name(),
        MOST_PER_SCRIPT,
        Durations.toMicros(window),
        TaskChanges.leased(queue.name()),
        capabilities.size());
    arguments.addAll(capabilities);
    for (LeaseWish wish : wishes) {
      addAll(arguments, wish.worker(), wish.epoch(), wish.wanted());
    }
    return run(TaskScripts.LEASE, queue, arguments)
        .thenApply(reply -> grant(queue.name(), wishes.size(), reply));
  }

  private static LeaseGrant grant(String queue, int wishes, Reply reply) {
    List<List<LeasedTask>> tasks = new ArrayList<>(wishes);
    for (int i = 0; i < wishes; i++) {
      tasks.add(new ArrayList<>());
    }
    Set<Integer> replaced = new HashSet<>();
    int first = 2 + (int) reply.number(1);
    for (int i = 2; i < first; i++) {
      replaced.add((int) reply.number(i));
    }
    for (int i = first; i < reply.size(); i += LEASE_ROW) {
      Reply row = reply.part(i, LEASE_ROW);
      tasks.get((int) row.number(0)).add(TaskCodec.leased(queue, row));
    }
    return new LeaseGrant(tasks, replaced);
  }

  /**
   * Extends up to {@value #MOST_PER_SCRIPT} leases; none is ever shortened. The first extension of
   * a delivered attempt also records that it arrived.
   *
   * @param worker and
   * @param epoch of the stream that asks, which is then the one that holds them; "" and 0 for none
   * @param duration from now; zero for each task's own
   * @return in the order of the attempts; empty when a newer stream of the worker exists
   */
  public CompletionStage<List<Extension>> extend(
      QueueId queue, String worker, long epoch, List<Attempt> attempts, Duration duration) {
    List<Object> arguments = new ArrayList<>(3 + 3 * attempts.size());
    addAll(arguments, queue.name(), worker, epoch);
    for (Attempt attempt : attempts) {
      addAll(
          arguments, attempt.getTaskId(), attempt.getFencingToken(), Durations.toMicros(duration));
    }
    return run(TaskScripts.EXTEND, queue, arguments)
        .thenApply(
            reply -> {
              List<Extension> extensions = new ArrayList<>(attempts.size());
              for (int i = 1; i < reply.size(); i++) {
                extensions.add(extension(reply.nested(i)));
              }
              return extensions;
            });
  }

  /** Extends the lease of one attempt that hangs on no stream. */
  public CompletionStage<Extension.Extended> extendOne(
      QueueId queue, Attempt attempt, Duration duration) {
    return extend(queue, "", 0, List.of(attempt), duration)
        .thenApply(
            extensions -> {
              Extension extension = extensions.get(0);
              if (extension instanceof Extension.Extended extended) {
                return extended;
              }
              throw (extension instanceof Extension.Missing ? taskMissing() : staleLease())
                  .about(names(queue, attempt.getTaskId()));
            });
  }

  private static Extension extension(Reply row) {
    return switch ((int) row.number(0)) {
      case 1 -> new Extension.Extended(row.number(1), false);
      case 2 -> new Extension.Extended(row.number(1), true);
      case 0 -> new Extension.Stale();
      default -> new Extension.Missing();
    };
  }

  /**
   * Notes progress and, unless empty, a checkpoint; extends the lease and restarts the stall timer.
   *
   * @return whether the attempt should stop
   */
  public CompletionStage<Boolean> progress(
      QueueId queue, Attempt attempt, Progress progress, byte[] checkpoint) {
    return ofTask(
            TaskScripts.PROGRESS,
            queue,
            attempt.getTaskId(),
            attempt.getFencingToken(),
            progress.toBuilder().clearTime().build().toByteArray(),
            checkpoint,
            Double.toString(progress.getFraction()),
            progress.getMessage())
        .thenApply(reply -> reply.number(1) == 1);
  }

  /**
   * Ends up to {@value #MOST_PER_SCRIPT} tasks of a queue with their results, each on its own. A
   * repeat with the same result is answered the same.
   *
   * @return in the order of the completions
   */
  CompletionStage<List<Completion.Outcome>> complete(QueueId queue, List<Completion> completions) {
    List<Object> arguments = new ArrayList<>(1 + 7 * completions.size());
    arguments.add(queue.name());
    for (Completion completion : completions) {
      addAll(
          arguments,
          completion.attempt().getTaskId(),
          completion.attempt().getFencingToken(),
          completion.result(),
          TaskChanges.completed(queue.name(), completion.attempt()),
          Fences.name(queue.partition(), completion.fence()),
          completion.fence().getToken(),
          completion.events().size());
      for (OutboxEvent given : completion.events()) {
        String task = completion.attempt().getTaskId();
        Event event = OutboxEvents.event(given, "tasks/" + task, task);
        addAll(
            arguments,
            given.getTopic(),
            event.getActor().isEmpty() ? "1" : "0",
            event.toByteArray());
      }
    }
    return run(TaskScripts.COMPLETE, queue, arguments)
        .thenApply(
            reply -> {
              List<Completion.Outcome> outcomes = new ArrayList<>(completions.size());
              for (int i = 1; i < reply.size(); i += 2) {
                Reply row = reply.part(i, 2);
                outcomes.add(
                    row.ok()
                        ? new Completion.Completed()
                        : new Completion.Refused(
                            (row.code().equals("NOT_FOUND") ? taskMissing() : refusal(row))
                                .about(
                                    names(queue, completions.get(i / 2).attempt().getTaskId()))));
              }
              return outcomes;
            });
  }

  /** Ends an attempt with a failure. A repeat with the same failure is answered the same. */
  public CompletionStage<FailResponse> fail(
      QueueId queue, Attempt attempt, Failure failure, Fence fence) {
    return ofTask(
            TaskScripts.FAIL,
            queue,
            attempt.getTaskId(),
            attempt.getFencingToken(),
            failure.toByteArray(),
            failure.getKind(),
            failure.getNonRetryable() ? 1 : 0,
            failure.hasRetryAfter() ? Durations.toMicros(failure.getRetryAfter()) : -1L,
            chance(),
            Fences.name(queue.partition(), fence),
            fence.getToken())
        .thenApply(
            reply -> {
              FailResponse.Builder response =
                  FailResponse.newBuilder().setState(TaskStates.of(reply.text(1)));
              if (reply.number(2) > 0) {
                response.setRetryTime(TaskCodec.time(reply.number(2)));
              }
              return response.build();
            });
  }

  /** Gives an attempt back without counting a failure. A repeat is answered the same. */
  public CompletionStage<TaskState> release(
      QueueId queue, Attempt attempt, Duration delay, String reason) {
    return ofTask(
            TaskScripts.RELEASE,
            queue,
            attempt.getTaskId(),
            attempt.getFencingToken(),
            Durations.toMicros(delay),
            reason)
        .thenApply(reply -> TaskStates.of(reply.text(1)));
  }

  /** Cancels a task, or marks a running one and rings for its worker. */
  public CompletionStage<TaskState> cancel(
      QueueId queue, String taskId, String reason, Fence fence) {
    return ofTask(
            TaskScripts.CANCEL,
            queue,
            taskId,
            reason,
            Fences.name(queue.partition(), fence),
            fence.getToken())
        .thenApply(reply -> TaskStates.of(reply.text(1)));
  }

  /** Reads one task. */
  public CompletionStage<Task> get(QueueId queue, String taskId) {
    return ofTask(TaskScripts.GET, queue, taskId)
        .thenApply(
            reply -> TaskCodec.task(queue.name(), taskId, reply.text(2), reply.nested(1), 0));
  }

  /** Lists tasks of one state from behind a place on, without payloads. */
  public CompletionStage<TaskPage> list(QueueId queue, TaskState state, int most, String place) {
    return run(TaskScripts.LIST, queue, queue.name(), TaskStates.letter(state), most, place)
        .thenApply(
            reply -> {
              List<Task> tasks = new ArrayList<>(reply.size());
              for (int i = 2; i < reply.size(); i++) {
                Reply row = reply.nested(i);
                Task task = TaskCodec.task(queue.name(), row.text(0), row.text(1), row, 2);
                tasks.add(
                    task.toBuilder().setSpec(task.getSpec().toBuilder().clearPayload()).build());
              }
              return new TaskPage(tasks, reply.text(1));
            });
  }

  /**
   * Puts ended tasks back: the named ones, at most {@value #MOST_PER_SCRIPT}, or as many of the
   * oldest.
   *
   * @return how many were put back, and of how many looked at
   */
  public CompletionStage<Moved> redrive(
      QueueId queue, TaskState state, List<String> taskIds, int most) {
    List<Object> arguments = new ArrayList<>(3 + taskIds.size());
    addAll(arguments, queue.name(), TaskStates.letter(state), most);
    arguments.addAll(taskIds);
    return run(TaskScripts.REDRIVE, queue, arguments)
        .thenApply(reply -> new Moved((int) reply.number(1), reply.number(2) >= MOST_PER_SCRIPT));
  }

  /** Removes up to {@value #MOST_PER_SCRIPT} tasks of these states for good. */
  public CompletionStage<Moved> purge(QueueId queue, List<TaskState> states) {
    List<Object> arguments = new ArrayList<>(1 + states.size());
    arguments.add(queue.name());
    states.forEach(state -> arguments.add(TaskStates.letter(state)));
    return run(TaskScripts.PURGE, queue, arguments)
        .thenApply(reply -> new Moved((int) reply.number(1), reply.number(2) == 1));
  }

  /**
   * How far a bounded move came.
   *
   * @param count how many tasks were moved
   * @param more whether another call has more to do
   */
  public record Moved(int count, boolean more) {}

  /** How a queue is to be served from now on. */
  public enum Mode {
    ACTIVE("A"),
    PAUSED("P"),
    DRAINING("D");

    private final String letter;

    Mode(String letter) {
      this.letter = letter;
    }
  }

  /** Pauses, drains or resumes a queue, creating it if need be. */
  public CompletionStage<Queue> mode(QueueId queue, Mode mode) {
    return run(TaskScripts.CONFIGURE, queue, queue.name(), mode.letter, "", "", 0)
        .thenCompose(reply -> stats(queue));
  }

  /** Replaces a queue's settings, creating it if need be. */
  public CompletionStage<Queue> configure(QueueId queue, QueueSettings settings, Fence fence) {
    RetryPolicy retry = settings.getRetry();
    List<Object> arguments = new ArrayList<>();
    addAll(
        arguments,
        queue.name(),
        "",
        settings.toByteArray(),
        Fences.name(queue.partition(), fence),
        fence.getToken(),
        agingMicros(settings),
        settings.getMaxConcurrency(),
        settings.hasRetention() ? millis(settings.getRetention()) : "86400000",
        settings.getMaxDead() == 0 ? 10_000 : settings.getMaxDead(),
        TaskHeader.maxFailures(retry),
        (long) TaskHeader.firstBackoff(retry),
        (long) TaskHeader.longestBackoff(retry),
        TaskHeader.fatalKinds(retry));
    settings
        .getFairnessWeightsMap()
        .forEach((key, weight) -> addAll(arguments, key, Double.toString(weight)));
    return run(TaskScripts.CONFIGURE, queue, arguments).thenCompose(reply -> stats(queue));
  }

  private static long agingMicros(QueueSettings settings) {
    if (settings.getStrictPriority()) {
      // Longer than any task waits, and 9 levels of it still count exactly in a double.
      return 500_000_000_000_000L;
    }
    return settings.hasAgingStep() ? Durations.toMicros(settings.getAgingStep()) : 60_000_000L;
  }

  /** Reads a queue's settings and counters. */
  public CompletionStage<Queue> stats(QueueId queue) {
    return run(TaskScripts.STATS, queue, queue.name())
        .thenApply(reply -> TaskCodec.queue(queue.name(), reply));
  }

  /** Lists the names of a partition's queues, from behind a name on. */
  public CompletionStage<List<String>> names(Partition partition, int most, String after) {
    return scripts
        .run(TaskScripts.NAMES, partition, most, after)
        .thenApply(
            elements -> {
              Reply reply = new Reply(elements);
              List<String> names = new ArrayList<>(reply.size());
              for (int i = 1; i < reply.size(); i++) {
                names.add(reply.text(i));
              }
              return names;
            });
  }

  /** Opens a stream of a worker; every older one of the same worker is void from now on. */
  public CompletionStage<Long> openStream(QueueId queue, String worker) {
    return run(TaskScripts.OPEN_STREAM, queue, queue.name(), worker)
        .thenApply(reply -> reply.number(1));
  }

  /**
   * Gives back what a stream holds, or what earlier streams of the same worker still hold.
   *
   * @param older the earlier ones' instead of its own
   * @param grace until when the worker may come back and keep them; zero gives them back now, at
   *     most {@value #MOST_PER_SCRIPT} a call
   */
  public CompletionStage<Moved> giveBack(
      QueueId queue, String worker, long epoch, boolean older, Duration grace, String reason) {
    return run(
            TaskScripts.GIVE_BACK,
            queue,
            queue.name(),
            worker,
            epoch,
            older ? 1 : 0,
            Durations.toMicros(grace),
            reason)
        .thenApply(reply -> new Moved((int) reply.number(1), reply.number(2) == 1));
  }

  /**
   * Takes away, in one partition, what a worker was leased before a time, unless a stream that it
   * opened since has picked it up. At most {@value #MOST_PER_SCRIPT} tasks a call.
   *
   * @param endedMicros the time, microseconds since 1970
   * @param lost whether the tasks count as lost with the worker, else as released
   * @param from the queue to go on with; empty to begin
   * @return the queue to go on with; empty when there is no more
   */
  public CompletionStage<String> endWorker(
      Partition partition,
      String worker,
      long endedMicros,
      boolean lost,
      String reason,
      String from) {
    return scripts
        .run(TaskScripts.END_WORKER, partition, worker, endedMicros, lost ? 1 : 0, reason, from)
        .thenApply(elements -> new Reply(elements).text(2));
  }

  /**
   * Does what time brings in one partition, at most {@value #MOST_PER_SCRIPT} tasks a call. Any
   * number of servers may do so.
   *
   * @return whether there is more to do at once, and how long until something is due
   */
  public CompletionStage<Swept> sweep(Partition partition) {
    return scripts
        .run(TaskScripts.SWEEP, partition, chance())
        .thenApply(
            elements -> {
              Reply reply = new Reply(elements);
              return new Swept(reply.number(1) >= MOST_PER_SCRIPT, reply.number(2));
            });
  }

  private CompletionStage<Reply> run(Script script, QueueId queue, Object... arguments) {
    return call(script, queue, "", arguments);
  }

  private CompletionStage<Reply> run(Script script, QueueId queue, List<Object> arguments) {
    return run(script, queue, arguments.toArray());
  }

  /** The same for a script about one task, whose id stands behind the name of the queue. */
  private CompletionStage<Reply> ofTask(
      Script script, QueueId queue, String taskId, Object... others) {
    List<Object> arguments = new ArrayList<>(2 + others.length);
    addAll(arguments, queue.name(), taskId);
    addAll(arguments, others);
    return call(script, queue, taskId, arguments.toArray());
  }

  private CompletionStage<Reply> call(
      Script script, QueueId queue, String taskId, Object[] arguments) {
    return scripts
        .run(script, queue.partition(), arguments)
        .thenApply(
            elements -> {
              Reply reply = new Reply(elements);
              if (!reply.ok()) {
                throw refusal(reply).about(names(queue, taskId));
              }
              return reply;
            });
  }

  private static String[] names(QueueId queue, String taskId) {
    return new String[] {
      "namespace", queue.partition().namespace(), "queue", queue.name(), "task_id", taskId
    };
  }

  private static TroupeException refusal(Reply reply) {
    return switch (reply.code()) {
      case "NOT_FOUND" -> reply.size() > 1 ? queueMissing() : taskMissing();
      case "STALE" -> staleLease();
      case "CONFLICT" ->
          TroupeException.of(
              ErrorReason.ERROR_REASON_RESULT_CONFLICT,
              "this attempt was already ended, with another result",
              Map.of("state", TaskStates.of(reply.text(1)).name()));
      case "STALE_FENCE" -> TroupeException.staleFence(reply.number(1));
      case "STATE" ->
          TroupeException.of(
              ErrorReason.ERROR_REASON_TASK_STATE,
              "the task has ended",
              Map.of("state", TaskStates.of(reply.text(1)).name()));
      case "REUSED" -> TroupeException.requestIdReused();
      case "REPLACED" ->
          TroupeException.of(
              ErrorReason.ERROR_REASON_SESSION_REPLACED,
              "another stream with the same worker id was opened");
      case "LIMIT" ->
          TroupeException.of(
              ErrorReason.ERROR_REASON_LIMIT_EXCEEDED,
              "too many queues",
              Map.of("limit", reply.text(1)));
      default -> throw new IllegalStateException("unknown reply " + reply.code());
    };
  }

  private static TroupeException staleLease() {
    return TroupeException.of(
        ErrorReason.ERROR_REASON_STALE_LEASE, "the lease is no longer this attempt's");
  }

  private static TroupeException taskMissing() {
    return TroupeException.of(ErrorReason.ERROR_REASON_TASK_NOT_FOUND, "no such task");
  }

  private static TroupeException queueMissing() {
    return TroupeException.of(ErrorReason.ERROR_REASON_QUEUE_NOT_FOUND, "no such queue");
  }

  private static String millis(Duration duration) {
    return Long.toString(Durations.toMillis(duration));
  }

  /** The scripts draw no random numbers of their own: those of Redis are the same every time. */
  private static String chance() {
    return Double.toString(ThreadLocalRandom.current().nextDouble());
  }

  private static void addAll(List<Object> arguments, Object... more) {
    arguments.addAll(List.of(more));
  }
}
