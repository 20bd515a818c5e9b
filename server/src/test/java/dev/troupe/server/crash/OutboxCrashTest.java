package dev.troupe.server.crash;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.google.common.util.concurrent.ListenableFuture;
import dev.troupe.v1.CompleteRequest;
import dev.troupe.v1.CompleteResponse;
import dev.troupe.v1.EnqueueBatchRequest;
import dev.troupe.v1.EventDelivery;
import dev.troupe.v1.EventStreamServiceGrpc;
import dev.troupe.v1.LeaseRequest;
import dev.troupe.v1.LeasedTask;
import dev.troupe.v1.ListEventsRequest;
import dev.troupe.v1.ListEventsResponse;
import dev.troupe.v1.ListTasksRequest;
import dev.troupe.v1.ListTasksResponse;
import dev.troupe.v1.OutboxEvent;
import dev.troupe.v1.Task;
import dev.troupe.v1.TaskQueueServiceGrpc;
import dev.troupe.v1.TaskSpec;
import dev.troupe.v1.TaskState;
import io.grpc.ManagedChannel;
import io.grpc.StatusRuntimeException;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Function;
import org.junit.jupiter.api.Test;

/**
 * A server is killed between completions and the publishing of their events: whoever completed has
 * its events in their topics, once and in order, and nobody else has.
 */
final class OutboxCrashTest {

  private static final int AT_ONCE = 60;
  private static final int EVENTS = 4;
  private static final int MOST_ROUNDS = 12;

  @Test
  void theEventsOfEveryCompletionAreInTheirTopicsThoughTheServerIsKilledInBetween()
      throws Exception {
    try (RedisProcess redis = RedisProcess.redis();
        TroupeProcess one = new TroupeProcess("--redis.url=redis://127.0.0.1:" + redis.port);
        TroupeProcess two = new TroupeProcess("--redis.url=redis://127.0.0.1:" + redis.port)) {
      int leftBehind = 0;
      int rounds = 0;
      // Where the kill falls is chance; some rounds leave events behind, or the test shows nothing.
      while (leftBehind < 3 && rounds < MOST_ROUNDS) {
        leftBehind += killInBetween(redis, one, rounds++) ? 1 : 0;
      }
      assertThat(leftBehind).isPositive();
      Set<String> completed = new TreeSet<>();
      with(two, channel -> completed(channel, completed));
      assertThat(completed).isNotEmpty();
      await()
          .untilAsserted(
              () -> assertThat(redis.ask("EXISTS troupe:{default/0}:ob")).contains(":0"));
      for (int t = 0; t < 2; t++) {
        String topic = "done-" + t;
        List<EventDelivery> kept = with(two, channel -> kept(channel, topic));
        List<String> all =
            kept.stream().map(delivery -> delivery.getEvent().getTextData()).toList();
        Set<String> expected = new TreeSet<>();
        for (String task : completed) {
          for (int part = t; part < EVENTS; part += 2) {
            expected.add(task + "." + part);
          }
        }
        assertThat(all).doesNotHaveDuplicates();
        assertThat(new TreeSet<>(all)).isEqualTo(expected);
        for (String task : completed) {
          int first = all.indexOf(task + "." + t);
          assertThat(all.get(first + 1)).isEqualTo(task + "." + (t + 2));
        }
      }
    }
  }

  /** Completes tasks, all at once, and kills the server; says whether it left events behind. */
  private static boolean killInBetween(RedisProcess redis, TroupeProcess server, int round)
      throws Exception {
    ManagedChannel channel = server.channel();
    try {
      EnqueueBatchRequest.Builder batch = EnqueueBatchRequest.newBuilder().setQueue("q");
      for (int i = 0; i < AT_ONCE; i++) {
        batch.addTasks(TaskSpec.newBuilder().setTaskId(round + "-" + i));
      }
      TaskQueueServiceGrpc.newBlockingStub(channel).enqueueBatch(batch.build());
      List<LeasedTask> leased =
          TaskQueueServiceGrpc.newBlockingStub(channel)
              .lease(
                  LeaseRequest.newBuilder()
                      .setQueue("q")
                      .setWorkerId("w")
                      .setMaxTasks(AT_ONCE)
                      .build())
              .getTasksList();
      List<ListenableFuture<CompleteResponse>> answers = new ArrayList<>();
      for (LeasedTask task : leased) {
        CompleteRequest.Builder completion =
            CompleteRequest.newBuilder().setAttempt(task.getAttempt());
        for (int part = 0; part < EVENTS; part++) {
          completion.addEvents(
              OutboxEvent.newBuilder()
                  .setTopic("done-" + part % 2)
                  .setType("done")
                  .setTextData(task.getAttempt().getTaskId() + "." + part));
        }
        answers.add(TaskQueueServiceGrpc.newFutureStub(channel).complete(completion.build()));
      }
      answers.get(round % leased.size()).get();
    } finally {
      server.kill();
      channel.shutdownNow();
    }
    boolean left = redis.ask("EXISTS troupe:{default/0}:ob").contains(":1");
    server.startAgain();
    return left;
  }

  private static <T> T with(TroupeProcess server, Function<ManagedChannel, T> question) {
    ManagedChannel channel = server.channel();
    try {
      return question.apply(channel);
    } finally {
      channel.shutdownNow();
    }
  }

  private static Set<String> completed(ManagedChannel channel, Set<String> completed) {
    String token = "";
    do {
      ListTasksResponse page =
          TaskQueueServiceGrpc.newBlockingStub(channel)
              .listTasks(
                  ListTasksRequest.newBuilder()
                      .setQueue("q")
                      .setState(TaskState.TASK_STATE_SUCCEEDED)
                      .setPageSize(500)
                      .setPageToken(token)
                      .build());
      page.getTasksList().stream().map(Task::getTaskId).forEach(completed::add);
      token = page.getNextPageToken();
    } while (!token.isEmpty());
    return completed;
  }

  private static List<EventDelivery> kept(ManagedChannel channel, String topic) {
    List<EventDelivery> all = new ArrayList<>();
    String token = "";
    do {
      try {
        ListEventsResponse page =
            EventStreamServiceGrpc.newBlockingStub(channel)
                .listEvents(
                    ListEventsRequest.newBuilder()
                        .setTopic(topic)
                        .setPageSize(500)
                        .setPageToken(token)
                        .build());
        all.addAll(page.getDeliveriesList());
        token = page.getNextPageToken();
      } catch (StatusRuntimeException failure) {
        throw new AssertionError("history of " + topic, failure);
      }
    } while (!token.isEmpty());
    return all;
  }
}
