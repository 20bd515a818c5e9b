package dev.troupe.examples.survey;

import dev.troupe.client.Subscription;
import dev.troupe.client.TroupeClient;
import dev.troupe.client.TroupeClientException;
import dev.troupe.examples.survey.KillDrill.Kill;
import dev.troupe.v1.EnqueueResult;
import dev.troupe.v1.StartPosition;
import dev.troupe.v1.SubscribeRequest;
import dev.troupe.v1.Task;
import dev.troupe.v1.TaskSpec;
import dev.troupe.v1.TaskState;
import java.io.IOException;
import java.io.PrintStream;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;

/** One survey, from the first task to the last result. */
final class SurveyRun {

  private static final long STALLED_SECONDS = 90;
  private static final int FETCHED_AT_A_TIME = 64;
  private static final long FINDINGS_MILLIS = 10_000;

  private final TroupeClient client;
  private final String queue;
  private final SourceTree tree;
  private final Map<String, Counts> plain;
  private final Fleet fleet;
  private final PrintStream out;
  private final Board board;
  private final ProgressBar bar;

  SurveyRun(
      TroupeClient client,
      String queue,
      SourceTree tree,
      Map<String, Counts> plain,
      Fleet fleet,
      PrintStream out) {
    this.client = client;
    this.queue = queue;
    this.tree = tree;
    this.plain = plain;
    this.fleet = fleet;
    this.out = out;
    this.board = new Board(queue);
    this.bar = new ProgressBar(out, tree.files().size());
  }

  /**
   * Lets the fleet work through all files, and kills so many workers on the way.
   *
   * <p>The files are handed out in one portion more than there are kills. Each kill comes when half
   * of its portion is done, and the next portion is in the queue by then: it always hits a fleet
   * that is busy.
   */
  List<Kill> run(int kills) throws InterruptedException, IOException {
    List<String> files = new ArrayList<>(tree.files());
    // Mixed, so that all languages are about all the time; the same each time.
    Collections.shuffle(files, new Random(1));
    List<String> baits = files.subList(0, kills);
    List<String> rest = files.subList(kills, files.size());
    List<Kill> killed = new ArrayList<>();
    try (Subscription changes = client.events().subscribe(everything(), board)) {
      KillDrill.Waiting waiting = condition -> require(condition, changes);
      waiting.until(board.live()::isDone);
      fleet.start();
      KillDrill drill = new KillDrill(client, queue, board, fleet, waiting);
      int given = enqueue(portion(rest, 0, kills + 1));
      for (int i = 0; i < kills; i++) {
        int half = given - portion(rest, i, kills + 1).size() / 2;
        waiting.until(() -> board.ended() >= half);
        List<String> next = portion(rest, i + 1, kills + 1);
        Kill kill = drill.kill(baits.get(i), () -> enqueue(next));
        given += next.size() + 1;
        killed.add(kill);
        bar.say(
            "killed %s (SIGKILL); its work was taken up elsewhere after %.2f s"
                .formatted(kill.worker(), kill.againSeconds()));
      }
      waiting.until(() -> board.ended() == files.size());
      // A finding is published before its task completes, but by another path.
      board.await(() -> board.findings().containsAll(withTodos()), FINDINGS_MILLIS);
      bar.show(board.ended(), "");
      bar.finish();
    }
    return killed;
  }

  private List<String> withTodos() {
    return plain.entrySet().stream()
        .filter(entry -> entry.getValue().todos() > 0)
        .map(Map.Entry::getKey)
        .toList();
  }

  private static SubscribeRequest everything() {
    return SubscribeRequest.newBuilder()
        .addTopics("troupe.tasks")
        .addTopics("survey.findings")
        .setStart(StartPosition.START_POSITION_NOW)
        .build();
  }

  private static List<String> portion(List<String> files, int index, int portions) {
    return files.subList(files.size() * index / portions, files.size() * (index + 1) / portions);
  }

  private int enqueue(List<String> files) {
    List<TaskSpec> tasks = files.stream().map(file -> Tasks.of(file, 0, 0)).toList();
    for (EnqueueResult result : client.blockingTasks().enqueueAll(queue, tasks)) {
      if (result.hasError()) {
        throw TroupeClientException.of(result.getError());
      }
    }
    return files.size();
  }

  /** Waits with the bar moving, as long as anything moves. */
  private void require(BooleanSupplier condition, Subscription changes)
      throws InterruptedException {
    int ended = board.ended();
    long movedNanos = System.nanoTime();
    while (!board.await(condition, 200)) {
      Fleet.Member fallen = fleet.fallen();
      if (fallen != null) {
        throw new IllegalStateException(
            "worker %s ended by itself, see its log".formatted(fallen.id()));
      }
      if (changes.done().isDone()) {
        changes.done().join();
      }
      if (board.ended() != ended) {
        ended = board.ended();
        movedNanos = System.nanoTime();
      } else if (System.nanoTime() - movedNanos > TimeUnit.SECONDS.toNanos(STALLED_SECONDS)) {
        throw new IllegalStateException(
            "nothing moved for %d s: %s"
                .formatted(STALLED_SECONDS, client.blockingTasks().queue(queue).getStats()));
      }
      bar.show(ended, "workers: " + String.join(" ", fleet.ids()));
    }
  }

  /** Gathers the results, and holds them against the plain count. */
  SurveyReport report() {
    Map<String, SurveyResult> results = new TreeMap<>();
    List<String> misrouted = new ArrayList<>();
    for (Task task : fetch(tree.files())) {
      if (task.getState() != TaskState.TASK_STATE_SUCCEEDED) {
        out.printf("%s: %s %s%n", task.getTaskId(), task.getState(), task.getFailure());
        continue;
      }
      SurveyResult result = SurveyResult.of(task.getResult());
      results.put(result.path(), result);
      if (!fleet.languagesOf(result.worker()).contains(result.language())) {
        misrouted.add(result.path());
      }
    }
    Map<String, Integer> byWorker = new HashMap<>();
    results.values().forEach(result -> byWorker.merge(result.worker(), 1, Integer::sum));
    return new SurveyReport(
        results,
        plain,
        new TreeMap<>(byWorker),
        misrouted,
        board.completedTwice(),
        board.findings());
  }

  private List<Task> fetch(List<String> files) {
    List<Task> tasks = new ArrayList<>();
    for (int from = 0; from < files.size(); from += FETCHED_AT_A_TIME) {
      List<CompletableFuture<Task>> some =
          files.subList(from, Math.min(files.size(), from + FETCHED_AT_A_TIME)).stream()
              .map(file -> client.tasks().get(queue, Tasks.idOf(file)))
              .toList();
      some.forEach(task -> tasks.add(task.join()));
    }
    return tasks;
  }
}
