package dev.troupe.server.cli;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.troupe.v1.DrainQueueRequest;
import dev.troupe.v1.GetQueueRequest;
import dev.troupe.v1.ListQueuesRequest;
import dev.troupe.v1.ListQueuesResponse;
import dev.troupe.v1.PauseQueueRequest;
import dev.troupe.v1.PurgeQueueRequest;
import dev.troupe.v1.PurgeQueueResponse;
import dev.troupe.v1.Queue;
import dev.troupe.v1.QueueStats;
import dev.troupe.v1.ResumeQueueRequest;
import dev.troupe.v1.TaskQueueServiceGrpc;
import dev.troupe.v1.TaskQueueServiceGrpc.TaskQueueServiceBlockingStub;
import dev.troupe.v1.TaskState;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.util.List;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code troupe queues}: what is in them, and how they are served. */
@Command(
    name = "queues",
    mixinStandardHelpOptions = true,
    description = "What is in the queues, and how they are served.")
final class QueuesCommand {

  private static final int LARGEST_PAGE = 500;

  private final Console console;

  QueuesCommand(Console console) {
    this.console = console;
  }

  @Command(
      name = "list",
      mixinStandardHelpOptions = true,
      description = "Lists the queues with their counters.")
  int list(
      @Mixin ServerOptions options,
      @Option(names = "--limit", defaultValue = "0", description = "How many; 0 means all.")
          int limit) {
    try (Connection connection = options.connect()) {
      List<Queue> queues =
          Pages.read(
              limit,
              LARGEST_PAGE,
              (size, token) ->
                  stub(connection, options)
                      .listQueues(
                          ListQueuesRequest.newBuilder()
                              .setNamespace(options.namespace)
                              .setPageSize(size)
                              .setPageToken(token)
                              .build()),
              ListQueuesResponse::getQueuesList,
              ListQueuesResponse::getNextPageToken);
      new Printer(console.out(), options.output)
          .list(
              queues,
              List.of("QUEUE", "MODE", "READY", "DELAYED", "LEASED", "SUCCEEDED", "DEAD", "OLDEST"),
              queue -> {
                QueueStats stats = queue.getStats();
                return List.of(
                    queue.getName(),
                    Text.of(queue.getMode()),
                    Long.toString(stats.getReady()),
                    Long.toString(stats.getDelayed()),
                    Long.toString(stats.getLeased()),
                    Long.toString(stats.getSucceeded()),
                    Long.toString(stats.getDead() + stats.getQuarantined()),
                    stats.hasOldestReadyAge() ? Text.of(stats.getOldestReadyAge()) : "");
              });
    }
    return ExitStatus.OK;
  }

  @Command(
      name = "get",
      mixinStandardHelpOptions = true,
      description = "Shows one queue with all its counters.")
  int get(
      @Mixin ServerOptions options,
      @Parameters(paramLabel = "QUEUE", description = "Its name.") String name) {
    show(
        options,
        stub ->
            stub.getQueue(
                    GetQueueRequest.newBuilder()
                        .setNamespace(options.namespace)
                        .setQueue(name)
                        .build())
                .getQueue());
    return ExitStatus.OK;
  }

  @Command(
      name = "pause",
      mixinStandardHelpOptions = true,
      description = "Takes tasks in, but gives none out; also before there are any.")
  int pause(
      @Mixin ServerOptions options,
      @Parameters(paramLabel = "QUEUE", description = "Its name.") String name) {
    return change(
        options,
        "it is paused from the start",
        stub ->
            stub.pauseQueue(
                    PauseQueueRequest.newBuilder()
                        .setNamespace(options.namespace)
                        .setQueue(name)
                        .build())
                .getQueue());
  }

  @Command(
      name = "resume",
      mixinStandardHelpOptions = true,
      description = "Ends a pause or a drain.")
  int resume(
      @Mixin ServerOptions options,
      @Parameters(paramLabel = "QUEUE", description = "Its name.") String name) {
    return change(
        options,
        "it is neither paused nor drained",
        stub ->
            stub.resumeQueue(
                    ResumeQueueRequest.newBuilder()
                        .setNamespace(options.namespace)
                        .setQueue(name)
                        .build())
                .getQueue());
  }

  @Command(
      name = "drain",
      mixinStandardHelpOptions = true,
      description = "Works off what is there, takes nothing new; also before there are any tasks.")
  int drain(
      @Mixin ServerOptions options,
      @Parameters(paramLabel = "QUEUE", description = "Its name.") String name) {
    return change(
        options,
        "it takes none until it is resumed",
        stub ->
            stub.drainQueue(
                    DrainQueueRequest.newBuilder()
                        .setNamespace(options.namespace)
                        .setQueue(name)
                        .build())
                .getQueue());
  }

  @Command(
      name = "purge",
      mixinStandardHelpOptions = true,
      description = "Removes tasks that are not running, for good.")
  int purge(
      @Mixin ServerOptions options,
      @Parameters(paramLabel = "QUEUE", description = "Its name.") String name,
      @Option(
              names = "--state",
              description = "Remove the tasks in this state; repeatable (default: delayed, ready).")
          @Nullable List<String> states,
      @Option(names = "--yes", description = "Do not ask.") boolean yes)
      throws IOException {
    PurgeQueueRequest.Builder request =
        PurgeQueueRequest.newBuilder().setNamespace(options.namespace).setQueue(name);
    for (String state : Given.list(states)) {
      request.addStates(Names.constant("--state", TaskState.class, state));
    }
    if (!yes && !confirmed(name)) {
      console.err().println("nothing was removed");
      console.err().flush();
      return ExitStatus.USAGE;
    }
    try (Connection connection = options.connect()) {
      PurgeQueueResponse response = stub(connection, options).purgeQueue(request.build());
      new Printer(console.out(), options.output)
          .one(response, "purged", Long.toString(response.getPurged()));
    }
    return ExitStatus.OK;
  }

  private boolean confirmed(String name) throws IOException {
    console.err().print("Remove tasks of queue " + Text.printable(name) + " for good? [y/N] ");
    console.err().flush();
    String answer = new BufferedReader(new InputStreamReader(console.in(), UTF_8)).readLine();
    return answer != null && (answer.strip().equalsIgnoreCase("y") || answer.strip().equals("yes"));
  }

  /** The server begins a queue that is not there; a mistyped name would not be noticed. */
  private int change(
      ServerOptions options, String unused, Function<TaskQueueServiceBlockingStub, Queue> call) {
    Queue queue = show(options, call);
    if (queue.getStats().getEnqueued() == 0 && options.output == OutputFormat.TABLE) {
      console
          .err()
          .println("queue " + Text.printable(queue.getName()) + " has had no tasks yet; " + unused);
      console.err().flush();
    }
    return ExitStatus.OK;
  }

  private Queue show(ServerOptions options, Function<TaskQueueServiceBlockingStub, Queue> call) {
    try (Connection connection = options.connect()) {
      Queue queue = call.apply(stub(connection, options));
      QueueStats stats = queue.getStats();
      new Printer(console.out(), options.output)
          .one(
              queue,
              "queue",
              queue.getName(),
              "mode",
              Text.of(queue.getMode()),
              "enqueued",
              Long.toString(stats.getEnqueued()),
              "waiting",
              Long.toString(stats.getWaiting()),
              "delayed",
              Long.toString(stats.getDelayed()),
              "ready",
              Long.toString(stats.getReady()),
              "leased",
              Long.toString(stats.getLeased()),
              "succeeded",
              Long.toString(stats.getSucceeded()),
              "dead",
              Long.toString(stats.getDead()),
              "cancelled",
              Long.toString(stats.getCancelled()),
              "quarantined",
              Long.toString(stats.getQuarantined()),
              "purged",
              Long.toString(stats.getPurged()),
              "oldest ready",
              stats.hasOldestReadyAge() ? Text.of(stats.getOldestReadyAge()) : "");
      return queue;
    }
  }

  private static TaskQueueServiceBlockingStub stub(Connection connection, ServerOptions options) {
    return Connection.within(
        TaskQueueServiceGrpc.newBlockingStub(connection.channel()), options.timeoutOrUsual());
  }
}
