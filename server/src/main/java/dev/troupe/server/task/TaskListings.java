package dev.troupe.server.task;

import com.google.inject.Inject;
import dev.troupe.server.grpc.Names;
import dev.troupe.server.grpc.PageTokens;
import dev.troupe.server.grpc.PartitionPages;
import dev.troupe.server.redis.Partition;
import dev.troupe.v1.ListQueuesRequest;
import dev.troupe.v1.ListQueuesResponse;
import dev.troupe.v1.ListTasksRequest;
import dev.troupe.v1.ListTasksResponse;
import dev.troupe.v1.PurgeQueueRequest;
import dev.troupe.v1.PurgeQueueResponse;
import dev.troupe.v1.RedriveTasksRequest;
import dev.troupe.v1.RedriveTasksResponse;
import dev.troupe.v1.TaskState;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/** What goes over many tasks or queues: page by page, or part by part. */
final class TaskListings {

  private static final int TASKS = 50;
  private static final int QUEUES = 100;
  private static final int REDRIVEN = 1000;

  private final TaskStore store;
  private final PartitionPages pages;

  @Inject
  TaskListings(TaskStore store, PartitionPages pages) {
    this.store = store;
    this.pages = pages;
  }

  CompletionStage<ListTasksResponse> tasks(QueueId queue, ListTasksRequest request) {
    String arguments = "tasks\n" + queue + "\n" + request.getState();
    String place = PageTokens.read(arguments, request.getPageToken());
    int most = request.getPageSize() == 0 ? TASKS : request.getPageSize();
    return store
        .list(queue, request.getState(), most, place)
        .thenApply(
            page ->
                ListTasksResponse.newBuilder()
                    .addAllTasks(page.tasks())
                    .setNextPageToken(
                        page.place().isEmpty() ? "" : PageTokens.make(arguments, page.place()))
                    .build());
  }

  CompletionStage<RedriveTasksResponse> redrive(QueueId queue, RedriveTasksRequest request) {
    TaskStore guarded = store.under(request.getFence());
    CompletionStage<Integer> count =
        request.getTaskIdsCount() > 0
            ? redriveNamed(guarded, queue, request.getState(), request.getTaskIdsList(), 0)
            : redriveOldest(
                guarded,
                queue,
                request.getState(),
                request.getMaxTasks() == 0 ? REDRIVEN : request.getMaxTasks(),
                0);
    return count.thenApply(
        redriven -> RedriveTasksResponse.newBuilder().setRedriven(redriven).build());
  }

  private static CompletionStage<Integer> redriveNamed(
      TaskStore store, QueueId queue, TaskState state, List<String> ids, int sofar) {
    if (ids.isEmpty()) {
      return CompletableFuture.completedFuture(sofar);
    }
    int part = Math.min(ids.size(), TaskStore.MOST_PER_SCRIPT);
    return store
        .redrive(queue, state, ids.subList(0, part), 0)
        .thenCompose(
            moved ->
                redriveNamed(
                    store, queue, state, ids.subList(part, ids.size()), sofar + moved.count()));
  }

  private static CompletionStage<Integer> redriveOldest(
      TaskStore store, QueueId queue, TaskState state, int left, int sofar) {
    return store
        .redrive(queue, state, List.of(), left)
        .thenCompose(
            moved ->
                moved.more() && left > moved.count()
                    ? redriveOldest(
                        store, queue, state, left - moved.count(), sofar + moved.count())
                    : CompletableFuture.completedFuture(sofar + moved.count()));
  }

  CompletionStage<PurgeQueueResponse> purge(QueueId queue, PurgeQueueRequest request) {
    List<TaskState> states =
        request.getStatesCount() == 0
            ? List.of(TaskState.TASK_STATE_DELAYED, TaskState.TASK_STATE_READY)
            : request.getStatesList();
    return purge(store.under(request.getFence()), queue, states, 0)
        .thenApply(purged -> PurgeQueueResponse.newBuilder().setPurged(purged).build());
  }

  private static CompletionStage<Long> purge(
      TaskStore store, QueueId queue, List<TaskState> states, long sofar) {
    return store
        .purge(queue, states)
        .thenCompose(
            moved ->
                moved.more()
                    ? purge(store, queue, states, sofar + moved.count())
                    : CompletableFuture.completedFuture(sofar + moved.count()));
  }

  CompletionStage<ListQueuesResponse> queues(ListQueuesRequest request) {
    String namespace = Names.namespace(request.getNamespace());
    QueuePage page = new QueuePage(request.getPageSize() == 0 ? QUEUES : request.getPageSize());
    return pages
        .fill(namespace, "queues\n" + namespace, request.getPageToken(), page)
        .thenApply(next -> page.response.setNextPageToken(next).build());
  }

  private final class QueuePage implements PartitionPages.Page {

    private final int most;
    private final ListQueuesResponse.Builder response = ListQueuesResponse.newBuilder();

    QueuePage(int most) {
      this.most = most;
    }

    @Override
    public boolean isFull() {
      return response.getQueuesCount() == most;
    }

    @Override
    public CompletionStage<Optional<String>> add(Partition partition, String after) {
      int room = most - response.getQueuesCount();
      return store
          .names(partition, room, after)
          .thenCompose(
              names ->
                  addStats(partition, names, 0, response)
                      .thenApply(
                          added ->
                              names.size() < room
                                  ? Optional.empty()
                                  : Optional.of(names.get(names.size() - 1))));
    }
  }

  private CompletionStage<Void> addStats(
      Partition partition, List<String> names, int index, ListQueuesResponse.Builder response) {
    if (index == names.size()) {
      return CompletableFuture.completedFuture(null);
    }
    return store
        .stats(new QueueId(partition, names.get(index)))
        .thenCompose(
            queue -> {
              response.addQueues(queue);
              return addStats(partition, names, index + 1, response);
            });
  }
}
