package dev.troupe.server.task;

import com.google.inject.Inject;
import com.google.inject.Singleton;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;

/** The workers' streams of this server, found by queue and worker. */
@Singleton
final class WorkStreams {

  @Inject
  WorkStreams() {}

  private record Key(QueueId queue, String worker) {}

  private final ConcurrentMap<Key, WorkStream> byWorker = new ConcurrentHashMap<>();
  private final Set<WorkStream> all = ConcurrentHashMap.newKeySet();

  /**
   * Makes a stream known; one of the same worker with a lower epoch is told that it is replaced.
   */
  void add(QueueId queue, String worker, WorkStream stream) {
    all.add(stream);
    WorkStream former = byWorker.put(new Key(queue, worker), stream);
    if (former != null && former != stream) {
      former.replaced();
    }
  }

  void remove(QueueId queue, String worker, WorkStream stream) {
    all.remove(stream);
    byWorker.remove(new Key(queue, worker), stream);
  }

  /** A running task was cancelled: its worker should stop. */
  void cancelled(QueueId queue, String taskId, long token, String worker) {
    WorkStream stream = byWorker.get(new Key(queue, worker));
    if (stream != null) {
      stream.cancelled(queue, taskId, token);
    }
  }

  /** A worker opened a stream, on whichever server. */
  void opened(QueueId queue, String worker, long epoch) {
    WorkStream stream = byWorker.get(new Key(queue, worker));
    if (stream != null && stream.epoch(queue) < epoch) {
      stream.replaced();
    }
  }

  List<WorkStream> all() {
    return new ArrayList<>(all);
  }
}
