package dev.troupe.server.cli;

import com.google.common.base.Ticker;
import com.google.protobuf.util.Durations;
import dev.troupe.v1.CancelTaskRequest;
import dev.troupe.v1.CancelTaskResponse;
import dev.troupe.v1.EnqueueRequest;
import dev.troupe.v1.EnqueueResponse;
import dev.troupe.v1.GetTaskRequest;
import dev.troupe.v1.ListTasksRequest;
import dev.troupe.v1.ListTasksResponse;
import dev.troupe.v1.RedriveTasksRequest;
import dev.troupe.v1.RedriveTasksResponse;
import dev.troupe.v1.RetryPolicy;
import dev.troupe.v1.Task;
import dev.troupe.v1.TaskQueueServiceGrpc;
import dev.troupe.v1.TaskQueueServiceGrpc.TaskQueueServiceBlockingStub;
import dev.troupe.v1.TaskSpec;
import dev.troupe.v1.TaskState;
import dev.troupe.v1.WaitTaskRequest;
import dev.troupe.v1.WaitTaskResponse;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code troupe tasks}: put in, look at, wait for, cancel, put back. */
@Command(
    name = "tasks",
    mixinStandardHelpOptions = true,
    description = "Put tasks in, look at them, wait for them, cancel them.")
final class TasksCommand {

  private static final int LARGEST_PAGE = 500;

  /** The longest wait that one call may ask for. */
  private static final Duration LONGEST_WAIT = Duration.ofMinutes(59);

  private static final Duration USUAL_WAIT = Duration.ofSeconds(30);

  private final Console console;
  private final Ticker ticker;

  TasksCommand(Console console, Ticker ticker) {
    this.console = console;
    this.ticker = ticker;
  }

  @Command(
      name = "enqueue",
      mixinStandardHelpOptions = true,
      description = "Adds a task to a queue.")
  int enqueue(
      @Mixin ServerOptions options,
      @Parameters(paramLabel = "QUEUE", description = "The queue.") String queue,
      @Option(names = "--id", defaultValue = "", description = "Its id (default: chosen).")
          String taskId,
      @Option(names = "--type", defaultValue = "", description = "Which handler it is for.")
          String type,
      @Option(names = "--payload", paramLabel = "TEXT", description = "What it is about.")
          Optional<String> payload,
      @Option(names = "--payload-file", paramLabel = "FILE", description = "The same; - is stdin.")
          Optional<String> payloadFile,
      @Option(names = "--content-type", defaultValue = "", description = "Of the payload.")
          String contentType,
      @Option(names = "--priority", defaultValue = "0", description = "0 to 9, higher first.")
          int priority,
      @Option(
              names = "--delay",
              paramLabel = "DURATION",
              description = "Not before this much time has passed.")
          Optional<Duration> delay,
      @Option(names = "--max-failures", defaultValue = "0", description = "Failures that end it.")
          int maxFailures,
      @Option(names = "--requires", description = "A capability that it needs; repeatable.")
          @Nullable List<String> requires,
      @Option(names = "--label", description = "KEY=VALUE for the worker; repeatable.")
          @Nullable Map<String, String> labels,
      @Option(names = "--fairness-key", defaultValue = "", description = "Takes turns by it.")
          String fairnessKey,
      @Option(names = "--dedupe-key", defaultValue = "", description = "Only one with it.")
          String dedupeKey)
      throws IOException {
    TaskSpec.Builder task =
        TaskSpec.newBuilder()
            .setTaskId(taskId)
            .setType(type)
            .setPayload(Payloads.read(payload, payloadFile, console))
            .setContentType(contentType)
            .setPriority(priority)
            .addAllRequires(Given.list(requires))
            .putAllLabels(Given.map(labels))
            .setFairnessKey(fairnessKey)
            .setDedupeKey(dedupeKey);
    delay.ifPresent(time -> task.setDelay(Durations.fromNanos(time.toNanos())));
    if (maxFailures != 0) {
      task.setRetry(RetryPolicy.newBuilder().setMaxFailures(maxFailures));
    }
    try (Connection connection = options.connect()) {
      EnqueueResponse response =
          stub(connection, options.timeoutOrUsual())
              .enqueue(
                  EnqueueRequest.newBuilder()
                      .setNamespace(options.namespace)
                      .setQueue(queue)
                      .setTask(task)
                      .setRequestId(UUID.randomUUID().toString())
                      .build());
      new Printer(console.out(), options.output)
          .one(
              response,
              "task",
              response.getTaskId(),
              "created",
              response.getCreated() ? "yes" : "no, it was there",
              "state",
              Text.of(response.getState()));
    }
    return ExitStatus.OK;
  }

  @Command(
      name = "list",
      mixinStandardHelpOptions = true,
      description = "Lists the tasks of a queue that are in one state; by default the ready ones.")
  int list(
      @Mixin ServerOptions options,
      @Parameters(paramLabel = "QUEUE", description = "The queue.") String queue,
      @Option(
              names = "--state",
              description =
                  "waiting, delayed, ready, leased, succeeded, dead, cancelled or quarantined"
                      + " (default: ready).")
          Optional<String> state,
      @Option(names = "--limit", defaultValue = "50", description = "How many; 0 means all.")
          int limit) {
    ListTasksRequest.Builder request =
        ListTasksRequest.newBuilder()
            .setNamespace(options.namespace)
            .setQueue(queue)
            .setState(Names.constant("--state", TaskState.class, state.orElse("ready")));
    try (Connection connection = options.connect()) {
      List<Task> tasks =
          Pages.read(
              limit,
              LARGEST_PAGE,
              (size, token) ->
                  stub(connection, options.timeoutOrUsual())
                      .listTasks(request.setPageSize(size).setPageToken(token).build()),
              ListTasksResponse::getTasksList,
              ListTasksResponse::getNextPageToken);
      new Printer(console.out(), options.output)
          .list(
              tasks,
              List.of(
                  "TASK",
                  "STATE",
                  "TYPE",
                  "PRIORITY",
                  "ATTEMPTS",
                  "FAILURES",
                  "WORKER",
                  "ENQUEUED"),
              task ->
                  List.of(
                      task.getTaskId(),
                      Text.of(task.getState()),
                      task.getSpec().getType(),
                      Integer.toString(task.getSpec().getPriority()),
                      Integer.toString(task.getAttempts()),
                      Integer.toString(task.getFailures()),
                      task.getWorkerId(),
                      Text.of(task.getEnqueueTime())));
      if (state.isEmpty() && options.output == OutputFormat.TABLE) {
        console.err().println("these are the ready ones; others: --state leased, dead, ...");
        console.err().flush();
      }
    }
    return ExitStatus.OK;
  }

  @Command(
      name = "get",
      mixinStandardHelpOptions = true,
      description = "Shows a task with all that is known of it.")
  int get(
      @Mixin ServerOptions options,
      @Parameters(paramLabel = "QUEUE", description = "The queue.") String queue,
      @Parameters(paramLabel = "TASK", description = "Its id.") String taskId) {
    try (Connection connection = options.connect()) {
      print(
          options,
          stub(connection, options.timeoutOrUsual())
              .getTask(
                  GetTaskRequest.newBuilder()
                      .setNamespace(options.namespace)
                      .setQueue(queue)
                      .setTaskId(taskId)
                      .build())
              .getTask());
    }
    return ExitStatus.OK;
  }

  @Command(
      name = "cancel",
      mixinStandardHelpOptions = true,
      description = "Cancels a task; a running one is asked to stop.")
  int cancel(
      @Mixin ServerOptions options,
      @Parameters(paramLabel = "QUEUE", description = "The queue.") String queue,
      @Parameters(paramLabel = "TASK", description = "Its id.") String taskId,
      @Option(names = "--reason", defaultValue = "", description = "Why.") String reason) {
    try (Connection connection = options.connect()) {
      CancelTaskResponse response =
          stub(connection, options.timeoutOrUsual())
              .cancelTask(
                  CancelTaskRequest.newBuilder()
                      .setNamespace(options.namespace)
                      .setQueue(queue)
                      .setTaskId(taskId)
                      .setReason(reason)
                      .build());
      new Printer(console.out(), options.output)
          .one(response, "task", taskId, "state", Text.of(response.getState()));
    }
    return ExitStatus.OK;
  }

  @Command(
      name = "wait",
      mixinStandardHelpOptions = true,
      description =
          "Waits until a task has ended and shows it. Exit status: 0 it succeeded, 1 it ended"
              + " otherwise, 5 it has not ended within --timeout (default: 30s).")
  int await(
      @Mixin ServerOptions options,
      @Parameters(paramLabel = "QUEUE", description = "The queue.") String queue,
      @Parameters(paramLabel = "TASK", description = "Its id.") String taskId) {
    Duration patience = options.timeout == null ? USUAL_WAIT : options.timeout;
    long begun = ticker.read();
    try (Connection connection = options.connect()) {
      WaitTaskResponse response;
      Duration left = patience;
      do {
        Duration part = left.compareTo(LONGEST_WAIT) < 0 ? left : LONGEST_WAIT;
        response =
            stub(connection, part.plus(ServerOptions.MARGIN))
                .waitTask(
                    WaitTaskRequest.newBuilder()
                        .setNamespace(options.namespace)
                        .setQueue(queue)
                        .setTaskId(taskId)
                        .setTimeout(Durations.fromNanos(part.toNanos()))
                        .build());
        left = patience.minusNanos(ticker.read() - begun);
      } while (!response.getEnded() && left.compareTo(Duration.ofMillis(1)) > 0);
      print(options, response.getTask());
      if (!response.getEnded()) {
        console.err().println("the task has not ended yet");
        console.err().flush();
        return ExitStatus.TIMED_OUT;
      }
      return response.getTask().getState() == TaskState.TASK_STATE_SUCCEEDED
          ? ExitStatus.OK
          : ExitStatus.REFUSED;
    }
  }

  @Command(
      name = "redrive",
      mixinStandardHelpOptions = true,
      description = "Puts dead or quarantined tasks back.")
  int redrive(
      @Mixin ServerOptions options,
      @Parameters(index = "0", paramLabel = "QUEUE", description = "The queue.") String queue,
      @Parameters(
              index = "1..*",
              arity = "0..*",
              paramLabel = "TASK",
              description = "These only (default: the oldest).")
          @Nullable List<String> taskIds,
      @Option(names = "--state", defaultValue = "dead", description = "dead or quarantined.")
          String state,
      @Option(names = "--max", defaultValue = "0", description = "How many (default: 1000).")
          int max) {
    try (Connection connection = options.connect()) {
      RedriveTasksResponse response =
          stub(connection, options.timeoutOrUsual())
              .redriveTasks(
                  RedriveTasksRequest.newBuilder()
                      .setNamespace(options.namespace)
                      .setQueue(queue)
                      .setState(Names.constant("--state", TaskState.class, state))
                      .addAllTaskIds(Given.list(taskIds))
                      .setMaxTasks(max)
                      .build());
      new Printer(console.out(), options.output)
          .one(response, "redriven", Integer.toString(response.getRedriven()));
    }
    return ExitStatus.OK;
  }

  private void print(ServerOptions options, Task task) {
    new Printer(console.out(), options.output)
        .one(
            task,
            "task",
            task.getTaskId(),
            "queue",
            task.getQueue(),
            "state",
            Text.of(task.getState()) + (task.getCancelRequested() ? " (to be cancelled)" : ""),
            "type",
            task.getSpec().getType(),
            "priority",
            Integer.toString(task.getSpec().getPriority()),
            "attempts",
            task.getAttempts()
                + " ("
                + task.getFailures()
                + " failed, "
                + task.getLosses()
                + " lost, "
                + task.getReleases()
                + " released)",
            "worker",
            task.getWorkerId(),
            "progress",
            task.hasProgress() && !ended(task)
                ? Math.round(task.getProgress().getFraction() * 100)
                    + "% "
                    + task.getProgress().getMessage()
                : "",
            "failure",
            task.hasFailure()
                ? task.getFailure().getKind() + ": " + task.getFailure().getMessage()
                : "",
            "enqueued",
            Text.of(task.getEnqueueTime()),
            "started",
            Text.of(task.getStartTime()),
            "ended",
            Text.of(task.getEndTime()),
            "payload",
            Text.of(task.getSpec().getPayload()),
            "result",
            Text.of(task.getResult()));
  }

  /** Whether nothing more becomes of it; how far its last attempt had come says nothing then. */
  private static boolean ended(Task task) {
    return switch (task.getState()) {
      case TASK_STATE_SUCCEEDED, TASK_STATE_DEAD, TASK_STATE_CANCELLED, TASK_STATE_QUARANTINED ->
          true;
      case TASK_STATE_UNSPECIFIED,
          TASK_STATE_WAITING,
          TASK_STATE_DELAYED,
          TASK_STATE_READY,
          TASK_STATE_LEASED,
          UNRECOGNIZED ->
          false;
    };
  }

  private static TaskQueueServiceBlockingStub stub(Connection connection, Duration timeout) {
    return Connection.within(TaskQueueServiceGrpc.newBlockingStub(connection.channel()), timeout);
  }
}
