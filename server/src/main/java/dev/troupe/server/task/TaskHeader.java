package dev.troupe.server.task;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.google.protobuf.Duration;
import com.google.protobuf.util.Durations;
import dev.troupe.v1.RetryPolicy;
import dev.troupe.v1.TaskSpec;
import dev.troupe.v1.TaskTimers;
import java.nio.ByteBuffer;
import java.util.TreeSet;

/**
 * Packs what the scripts need to know of a task, so that they need not read Protobuf. The layout is
 * described in {@code lua/task/header.lua}; times are microseconds as doubles, which hold them
 * exactly.
 */
final class TaskHeader {

  private static final Duration LEASE = Durations.fromSeconds(30);
  private static final Duration ATTEMPT = Durations.fromHours(1);
  private static final Duration FIRST_BACKOFF = Durations.fromSeconds(1);
  private static final Duration LONGEST_BACKOFF = Durations.fromMinutes(10);
  private static final int MAX_FAILURES = 5;

  /** Something outside of the task's own hash is to be undone when it begins or ends. */
  private static final int CLAIMS = 1;

  /** It does not simply stand behind the task enqueued before it. */
  private static final int PLACED = 2;

  /** Bytes of what is always there: flags, times, and the lengths of the texts. */
  private static final int FIXED = 4 + 9 * Double.BYTES + 5 * Short.BYTES;

  private TaskHeader() {}

  static byte[] pack(TaskSpec spec) {
    TaskTimers timers = spec.getTimers();
    byte[] fairness = spec.getFairnessKey().getBytes(UTF_8);
    byte[] signature = String.join(",", new TreeSet<>(spec.getRequiresList())).getBytes(UTF_8);
    byte[] dedupe = spec.getDedupeKey().getBytes(UTF_8);
    byte[] fatal = fatalKinds(spec.getRetry()).getBytes(UTF_8);
    double delay = micros(spec.getDelay());
    double lifetime = micros(timers.getQueueLifetime());
    double total = micros(timers.getTotalDeadline());
    ByteBuffer out =
        ByteBuffer.allocate(
            FIXED + signature.length + fairness.length + dedupe.length + fatal.length);
    int claims = dedupe.length > 0 || lifetime > 0 || total > 0 ? CLAIMS : 0;
    int placed =
        spec.getPriority() > 0 || signature.length > 0 || fairness.length > 0 || delay > 0
            ? PLACED
            : 0;
    out.put((byte) (claims | placed));
    out.put((byte) spec.getPriority());
    out.putDouble(micros(timers.hasLeaseDuration() ? timers.getLeaseDuration() : LEASE));
    out.putDouble(micros(timers.hasAttemptTimeout() ? timers.getAttemptTimeout() : ATTEMPT));
    out.putDouble(micros(timers.getStallTimeout()));
    out.putDouble(lifetime);
    out.putDouble(total);
    out.put((byte) spec.getDedupeScopeValue());
    put(out, signature);
    put(out, fairness);
    put(out, dedupe);
    out.putDouble(delay);
    out.put((byte) spec.getConflictPolicyValue());
    out.putDouble(Durations.toMillis(spec.getDedupeTtl()));
    RetryPolicy retry = spec.getRetry();
    out.putShort(spec.hasRetry() ? (short) maxFailures(retry) : 0);
    out.putDouble(firstBackoff(retry));
    out.putDouble(longestBackoff(retry));
    put(out, fatal);
    return out.array();
  }

  private static void put(ByteBuffer out, byte[] text) {
    out.putShort((short) text.length);
    out.put(text);
  }

  static int maxFailures(RetryPolicy retry) {
    return retry.getMaxFailures() == 0 ? MAX_FAILURES : retry.getMaxFailures();
  }

  static double firstBackoff(RetryPolicy retry) {
    return micros(retry.hasInitialBackoff() ? retry.getInitialBackoff() : FIRST_BACKOFF);
  }

  static double longestBackoff(RetryPolicy retry) {
    return micros(retry.hasMaxBackoff() ? retry.getMaxBackoff() : LONGEST_BACKOFF);
  }

  static String fatalKinds(RetryPolicy retry) {
    return String.join("\n", retry.getNonRetryableKindsList());
  }

  static double micros(Duration duration) {
    return Durations.toMicros(duration);
  }
}
