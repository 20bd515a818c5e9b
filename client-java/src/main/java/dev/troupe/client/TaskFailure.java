package dev.troupe.client;

import com.google.protobuf.ByteString;
import dev.troupe.v1.Failure;
import java.time.Duration;

/** Thrown by a handler to fail its attempt with a kind of failure and a say in the retry. */
public final class TaskFailure extends Exception {

  private static final long serialVersionUID = 1L;

  private final transient Failure failure;

  private TaskFailure(Failure failure) {
    super(failure.getKind() + ": " + failure.getMessage());
    this.failure = failure;
  }

  /** Retried by the task's policy. The kind is a short name to branch on, 1 to 256 bytes. */
  public static TaskFailure of(String kind, String message) {
    return new TaskFailure(Failure.newBuilder().setKind(kind).setMessage(message).build());
  }

  /** Ends the task DEAD: no attempt would do better. */
  public static TaskFailure notRetryable(String kind, String message) {
    return new TaskFailure(
        Failure.newBuilder().setKind(kind).setMessage(message).setNonRetryable(true).build());
  }

  /** Retried after this long, up to 7 days, instead of the policy's back-off. */
  public TaskFailure retryAfter(Duration wait) {
    return new TaskFailure(failure.toBuilder().setRetryAfter(Durations.of(wait)).build());
  }

  /** With anything more, up to 64 KiB. */
  public TaskFailure details(ByteString details) {
    return new TaskFailure(failure.toBuilder().setDetails(details).build());
  }

  Failure failure() {
    return failure;
  }
}
