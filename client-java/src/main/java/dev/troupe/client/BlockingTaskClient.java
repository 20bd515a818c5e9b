package dev.troupe.client;

import static dev.troupe.client.Blocking.await;

import dev.troupe.v1.EnqueueResponse;
import dev.troupe.v1.EnqueueResult;
import dev.troupe.v1.ListTasksRequest;
import dev.troupe.v1.ListTasksResponse;
import dev.troupe.v1.Queue;
import dev.troupe.v1.QueueSettings;
import dev.troupe.v1.RedriveTasksRequest;
import dev.troupe.v1.Task;
import dev.troupe.v1.TaskSpec;
import dev.troupe.v1.TaskState;
import dev.troupe.v1.WaitTaskResponse;
import java.time.Duration;
import java.util.List;

/**
 * {@link TaskClient} for callers who wait. Every call throws {@link TroupeClientException}, also
 * when its thread is interrupted.
 */
public final class BlockingTaskClient {

  private final TaskClient tasks;

  BlockingTaskClient(TaskClient tasks) {
    this.tasks = tasks;
  }

  /** See {@link TaskClient#enqueue(String, TaskSpec)}. */
  public EnqueueResponse enqueue(String queue, TaskSpec task) {
    return await(tasks.enqueue(queue, task));
  }

  /** See {@link TaskClient#enqueueAll}. */
  public List<EnqueueResult> enqueueAll(String queue, List<TaskSpec> all) {
    return await(tasks.enqueueAll(queue, all));
  }

  /** See {@link TaskClient#get}. */
  public Task get(String queue, String taskId) {
    return await(tasks.get(queue, taskId));
  }

  /** See {@link TaskClient#await}. */
  public WaitTaskResponse awaitEnd(String queue, String taskId, Duration timeout) {
    return await(tasks.await(queue, taskId, timeout));
  }

  /** See {@link TaskClient#cancel}. */
  public TaskState cancel(String queue, String taskId, String reason) {
    return await(tasks.cancel(queue, taskId, reason));
  }

  /** See {@link TaskClient#list}. */
  public ListTasksResponse list(ListTasksRequest request) {
    return await(tasks.list(request));
  }

  /** See {@link TaskClient#redrive}. */
  public int redrive(RedriveTasksRequest request) {
    return await(tasks.redrive(request));
  }

  /** See {@link TaskClient#queue}. */
  public Queue queue(String queue) {
    return await(tasks.queue(queue));
  }

  /** See {@link TaskClient#configure}. */
  public Queue configure(String queue, QueueSettings settings) {
    return await(tasks.configure(queue, settings));
  }

  /** See {@link TaskClient#pause}. */
  public Queue pause(String queue) {
    return await(tasks.pause(queue));
  }

  /** See {@link TaskClient#resume}. */
  public Queue resume(String queue) {
    return await(tasks.resume(queue));
  }

  /** See {@link TaskClient#drain}. */
  public Queue drain(String queue) {
    return await(tasks.drain(queue));
  }

  /** See {@link TaskClient#purge}. */
  public long purge(String queue, TaskState... states) {
    return await(tasks.purge(queue, states));
  }
}
