package dev.troupe.server.task;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Timestamp;
import com.google.protobuf.util.Durations;
import com.google.protobuf.util.Timestamps;
import dev.troupe.server.redis.Reply;
import dev.troupe.v1.Attempt;
import dev.troupe.v1.Failure;
import dev.troupe.v1.LeasedTask;
import dev.troupe.v1.Progress;
import dev.troupe.v1.Queue;
import dev.troupe.v1.QueueMode;
import dev.troupe.v1.QueueSettings;
import dev.troupe.v1.QueueStats;
import dev.troupe.v1.Task;
import dev.troupe.v1.TaskSpec;

/** Reads what the task scripts answer. */
final class TaskCodec {

  private TaskCodec() {}

  /** A row of {@code lease.lua}. */
  static LeasedTask leased(String queue, Reply row) {
    return LeasedTask.newBuilder()
        .setAttempt(
            Attempt.newBuilder()
                .setQueue(queue)
                .setTaskId(row.text(1))
                .setFencingToken(row.number(2)))
        .setAttemptNumber((int) row.number(3))
        .setSpec(spec(row.bytes(4)))
        .setCheckpoint(row.bytes(5))
        .setLeaseExpireTime(time(row.number(6)))
        .setFailures((int) row.number(7))
        .setEnqueueTime(time(row.number(8)))
        .setAttemptDeadline(time(row.number(9)))
        .build();
  }

  /**
   * A task from the fields of its hash.
   *
   * @param fields names and values in turn, from {@code first} on
   */
  static Task task(String queue, String id, String leaseUntil, Reply fields, int first) {
    Task.Builder task = Task.newBuilder().setQueue(queue).setTaskId(id);
    if (!leaseUntil.isEmpty()) {
      task.setLeaseExpireTime(time((long) Double.parseDouble(leaseUntil)));
    }
    for (int i = first; i + 1 < fields.size(); i += 2) {
      int value = i + 1;
      switch (fields.text(i)) {
        case "st" -> task.setState(TaskStates.of(fields.text(value)));
        case "p" -> task.setSpec(spec(fields.bytes(value)));
        case "at" -> task.setAttempts((int) fields.number(value));
        case "fl" -> task.setFailures((int) fields.number(value));
        case "lo" -> task.setLosses((int) fields.number(value));
        case "re" -> task.setReleases((int) fields.number(value));
        case "wk" -> task.setWorkerId(fields.text(value));
        case "tok" -> task.setFencingToken(fields.number(value));
        case "ra" -> task.setRunTime(time(fields.number(value)));
        case "pr" -> task.setProgress(progress(fields.bytes(value)));
        case "ck" -> task.setCheckpoint(fields.bytes(value));
        case "r" -> task.setResult(fields.bytes(value));
        case "e" -> task.setFailure(failure(fields.bytes(value)));
        case "cx" -> task.setCancelRequested(true);
        case "ct" -> task.setEnqueueTime(time(fields.number(value)));
        case "bt" -> task.setStartTime(time(fields.number(value)));
        case "ft" -> task.setEndTime(time(fields.number(value)));
        default -> {
          // The rest is the scripts' own.
        }
      }
    }
    switch (task.getState()) {
      case TASK_STATE_DELAYED -> {}
      default -> task.clearRunTime();
    }
    return task.build();
  }

  /** The answer of {@code stats.lua}. */
  static Queue queue(String name, Reply reply) {
    Reply meta = reply.nested(1);
    QueueStats.Builder stats = QueueStats.newBuilder();
    Reply counters = reply.nested(2);
    for (int i = 0; i + 1 < counters.size(); i += 2) {
      long value = counters.number(i + 1);
      switch (counters.text(i)) {
        case "waiting" -> stats.setWaiting(value);
        case "ready" -> stats.setReady(value);
        case "succeeded" -> stats.setSucceeded(value);
        case "dead" -> stats.setDead(value);
        case "cancelled" -> stats.setCancelled(value);
        case "quarantined" -> stats.setQuarantined(value);
        case "purged" -> stats.setPurged(value);
        case "enqueued" -> stats.setEnqueued(value);
        case "granted" -> stats.setLeasesGranted(value);
        case "a_completed" -> stats.setAttemptsCompleted(value);
        case "a_failed" -> stats.setAttemptsFailed(value);
        case "a_expired" -> stats.setAttemptsExpired(value);
        case "a_released" -> stats.setAttemptsReleased(value);
        case "a_cancelled" -> stats.setAttemptsCancelled(value);
        default -> throw new IllegalStateException("unknown counter " + counters.text(i));
      }
    }
    stats.setDelayed(reply.number(3)).setLeased(reply.number(4));
    if (!reply.text(5).isEmpty()) {
      stats.setOldestReadyAge(Durations.fromMicros(reply.number(5)));
    }
    return Queue.newBuilder()
        .setName(name)
        .setMode(mode(meta.text(0)))
        .setSettings(settings(meta.bytes(1)))
        .setStats(stats)
        .build();
  }

  private static QueueMode mode(String letter) {
    return switch (letter) {
      case "P" -> QueueMode.QUEUE_MODE_PAUSED;
      case "D" -> QueueMode.QUEUE_MODE_DRAINING;
      default -> QueueMode.QUEUE_MODE_ACTIVE;
    };
  }

  static Timestamp time(long micros) {
    return Timestamps.fromMicros(micros);
  }

  private static TaskSpec spec(ByteString bytes) {
    try {
      return TaskSpec.parseFrom(bytes);
    } catch (InvalidProtocolBufferException e) {
      throw unreadable(e);
    }
  }

  private static Progress progress(ByteString bytes) {
    try {
      return Progress.parseFrom(bytes);
    } catch (InvalidProtocolBufferException e) {
      throw unreadable(e);
    }
  }

  private static Failure failure(ByteString bytes) {
    try {
      return Failure.parseFrom(bytes);
    } catch (InvalidProtocolBufferException e) {
      throw unreadable(e);
    }
  }

  private static QueueSettings settings(ByteString bytes) {
    try {
      return QueueSettings.parseFrom(bytes);
    } catch (InvalidProtocolBufferException e) {
      throw unreadable(e);
    }
  }

  private static IllegalStateException unreadable(InvalidProtocolBufferException e) {
    return new IllegalStateException("a stored task cannot be read", e);
  }
}
