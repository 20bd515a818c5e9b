package dev.troupe.client;

import com.google.protobuf.ByteString;

/** Works on one task, on a thread of its own. */
@FunctionalInterface
public interface TaskHandler {

  /**
   * Returns the task's result, up to 256 KiB unless the server is configured otherwise.
   *
   * <p>The thread is interrupted when the attempt has to stop: it was cancelled, its lease was
   * lost, or the worker ends. A task may be delivered again after a crash, so what it does should
   * bear repeating.
   *
   * @throws TaskFailure to fail with a kind of failure and a say in the retry
   * @throws TaskRelease to give the task back without a failure
   * @throws Exception fails the attempt too, with the exception's class as the kind; it is retried
   */
  ByteString handle(TaskContext task) throws Exception;
}
