package dev.troupe.examples.survey;

import com.google.gson.Gson;
import com.google.protobuf.ByteString;
import dev.troupe.client.AgentSession;
import dev.troupe.client.TaskContext;
import dev.troupe.client.TaskFailure;
import dev.troupe.client.TroupeClient;
import dev.troupe.client.Worker;
import dev.troupe.v1.AgentStatus;
import dev.troupe.v1.Event;
import dev.troupe.v1.RegisterAgentRequest;
import java.io.IOException;
import java.net.InetAddress;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** An agent that surveys source files: one task, one file. */
@Command(
    name = "survey-worker",
    mixinStandardHelpOptions = true,
    description = "Surveys source files for the tasks of a queue, until it is told to stop.")
final class SurveyWorker implements Callable<Integer> {

  private static final Duration STOP_GRACE = Duration.ofSeconds(60);

  @Option(names = "--server", required = true, paramLabel = "HOST:PORT")
  private String server = "";

  @Option(names = "--namespace", description = "Empty means default.")
  private String namespace = "";

  @Option(names = "--queue", required = true)
  private String queue = "";

  @Option(names = "--worker-id", required = true)
  private String workerId = "";

  @Option(names = "--slots", description = "Tasks at a time (${DEFAULT-VALUE}).")
  private int slots = 4;

  @Option(names = "--capability", paramLabel = "KEY=VALUE")
  private List<String> capabilities = List.of();

  @Option(names = "--root", required = true, description = "Directory that the paths are below.")
  private Path root = Path.of(".");

  public static void main(String[] arguments) {
    System.exit(new CommandLine(new SurveyWorker()).execute(arguments));
  }

  @Override
  public Integer call() throws Exception {
    root = root.toRealPath();
    CountDownLatch left = new CountDownLatch(1);
    try {
      work(left);
    } finally {
      left.countDown();
    }
    return 0;
  }

  private void work(CountDownLatch left) throws Exception {
    try (TroupeClient client = TroupeClient.builder(server).namespace(namespace).build();
        AgentSession session = client.blockingAgents().register(registration())) {
      Worker worker =
          client
              .worker(queue)
              .id(workerId)
              .slots(slots)
              .capabilities(capabilities.toArray(String[]::new))
              .start(task -> survey(client, task));
      Runtime.getRuntime().addShutdownHook(new Thread(() -> stop(worker, left), "stop"));
      session.lost().thenRun(() -> worker.stop(Duration.ZERO));
      worker.done().get();
    }
  }

  /** The JVM ends when this returns, so it waits until the agent is off the registry. */
  private static void stop(Worker worker, CountDownLatch left) {
    worker.stop(STOP_GRACE);
    try {
      if (!left.await(2 * STOP_GRACE.toSeconds(), TimeUnit.SECONDS)) {
        System.err.println("gave up waiting for the last answers");
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private RegisterAgentRequest registration() throws IOException {
    return RegisterAgentRequest.newBuilder()
        .setAgentId(workerId)
        .setType("surveyor")
        .setStatus(AgentStatus.AGENT_STATUS_RUNNING)
        .addAllCapabilities(capabilities)
        .setHost(InetAddress.getLocalHost().getHostName())
        .setProcessId(ProcessHandle.current().pid())
        .build();
  }

  private ByteString survey(TroupeClient client, TaskContext task)
      throws TaskFailure, InterruptedException {
    SurveyTask wanted;
    try {
      wanted = SurveyTask.of(task.payload());
    } catch (IllegalArgumentException e) {
      throw TaskFailure.notRetryable("bad_payload", String.valueOf(e.getMessage()));
    }
    if (wanted.pauseMillis() > 0 && task.attemptNumber() == 1) {
      Thread.sleep(wanted.pauseMillis());
    }
    byte[] content = read(wanted.path());
    task.progress(0.5, "read");
    String language =
        wanted.language() == null ? SurveyRules.languageOf(wanted.path()) : wanted.language();
    Counts counts = SurveyRules.count(language, content);
    if (counts.todos() > 0) {
      publish(client, task, wanted.path(), counts.todos());
    }
    return SurveyResult.of(wanted.path(), language, counts, workerId).toBytes();
  }

  private byte[] read(String path) throws TaskFailure {
    try {
      Path file = root.resolve(path).toRealPath();
      // A task names files of the surveyed directory, whatever its producer wrote.
      if (!file.startsWith(root)) {
        throw TaskFailure.notRetryable("unreadable", path + ": outside of the root");
      }
      return Files.readAllBytes(file);
    } catch (IOException | InvalidPathException e) {
      throw TaskFailure.notRetryable("unreadable", path + ": " + e);
    }
  }

  private void publish(TroupeClient client, TaskContext task, String path, long todos) {
    client
        .blockingEvents()
        .publish(
            "survey.findings",
            Event.newBuilder()
                // The same for every repeat of this attempt, so that it is taken once.
                .setId(task.leased().getAttempt().getTaskId() + "/" + task.fencingToken())
                .setSource("agents/" + workerId)
                .setType("survey.finding")
                .setSubject(path)
                .setDatacontenttype("application/json")
                .setTextData(new Gson().toJson(Map.of("path", path, "todos", todos)))
                .build());
  }
}
