package dev.troupe.server.crash;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.troupe.v1.EnqueueBatchRequest;
import dev.troupe.v1.EventDelivery;
import dev.troupe.v1.EventStreamServiceGrpc;
import dev.troupe.v1.GetQueueRequest;
import dev.troupe.v1.StartPosition;
import dev.troupe.v1.SubscribeRequest;
import dev.troupe.v1.SubscribeResponse;
import dev.troupe.v1.TaskQueueServiceGrpc;
import dev.troupe.v1.TaskSpec;
import io.grpc.ManagedChannel;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** A server before a Redis Cluster of six processes, with 16 partitions over three masters. */
final class ClusterTest {

  private static final int QUEUES = 24;
  private static final int TASKS = 50;

  @Test
  void queuesSpreadOverTheMastersAndEveryTaskIsDoneAndSeenOnce() throws Exception {
    try (RedisCluster cluster = new RedisCluster(Duration.ofSeconds(2));
        TroupeProcess server =
            new TroupeProcess("--redis.url=" + cluster.url(), "--redis.partitions=16")) {
      ManagedChannel channel = server.channel();
      List<CrashWorker> workers = new ArrayList<>();
      try {
        for (int i = 0; i < QUEUES; i++) {
          EnqueueBatchRequest.Builder batch =
              EnqueueBatchRequest.newBuilder().setQueue("queue-" + i);
          for (int k = 0; k < TASKS; k++) {
            batch.addTasks(TaskSpec.newBuilder().setTaskId("task-" + k));
          }
          TaskQueueServiceGrpc.newBlockingStub(channel).enqueueBatch(batch.build());
          workers.add(new CrashWorker(server.port, "worker-" + i, "queue-" + i, 5, 1));
        }
        for (int i = 0; i < QUEUES; i++) {
          String queue = "queue-" + i;
          await()
              .atMost(Duration.ofSeconds(60))
              .until(
                  () ->
                      TaskQueueServiceGrpc.newBlockingStub(channel)
                              .getQueue(GetQueueRequest.newBuilder().setQueue(queue).build())
                              .getQueue()
                              .getStats()
                              .getSucceeded()
                          == TASKS);
        }
        assertThat(cluster.keys()).allMatch(keys -> keys > TASKS);
        assertThat(completions(channel)).hasSize(QUEUES * TASKS);
      } finally {
        for (CrashWorker worker : workers) {
          worker.close();
        }
        channel.shutdownNow();
      }
    }
  }

  /** All completions in the logs of all partitions; one that came twice fails here. */
  private static Set<String> completions(ManagedChannel channel) {
    Set<String> completed = new HashSet<>();
    Iterator<SubscribeResponse> events =
        EventStreamServiceGrpc.newBlockingStub(channel)
            .subscribe(
                SubscribeRequest.newBuilder()
                    .addTopics("troupe.tasks")
                    .addTypes("task.completed")
                    .setStart(StartPosition.START_POSITION_BEGINNING)
                    .build());
    while (events.hasNext()) {
      SubscribeResponse response = events.next();
      for (EventDelivery delivery : response.getBatch().getDeliveriesList()) {
        assertThat(completed.add(delivery.getEvent().getSubject())).isTrue();
      }
      if (response.hasCaughtUp()) {
        break;
      }
    }
    return completed;
  }
}
