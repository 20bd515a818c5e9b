package dev.troupe.server.task;

import dev.troupe.server.grpc.Checks;
import dev.troupe.server.outbox.OutboxEvents;
import dev.troupe.v1.Attempt;
import dev.troupe.v1.AttemptComplete;
import dev.troupe.v1.AttemptFail;
import dev.troupe.v1.AttemptProgress;
import dev.troupe.v1.AttemptRelease;
import dev.troupe.v1.DedupeScope;
import dev.troupe.v1.Failure;
import dev.troupe.v1.Progress;
import dev.troupe.v1.QueueSettings;
import dev.troupe.v1.RetryPolicy;
import dev.troupe.v1.TaskSpec;
import dev.troupe.v1.TaskState;
import dev.troupe.v1.TaskTimers;
import dev.troupe.v1.WorkerHello;
import java.time.Duration;

/** The limits of the task contract, checked at the door. */
final class TaskChecks {

  static final int MOST_SLOTS = 1000;
  private static final Duration SECOND = Duration.ofSeconds(1);
  private static final Duration YEAR = Duration.ofDays(365);
  private static final Duration MONTH = Duration.ofDays(30);
  private static final int CHECKPOINT_BYTES = 64 << 10;

  private TaskChecks() {}

  /** A task to be added; {@code at} is its path in the request. */
  static void task(Checks checks, String at, TaskSpec task, long maxPayload) {
    checks
        .optionalName(at + "task_id", task.getTaskId())
        .bytes(at + "payload", task.getPayload().size(), maxPayload)
        .optionalName(at + "content_type", task.getContentType())
        .optionalName(at + "type", task.getType())
        .range(at + "priority", task.getPriority(), 0, 9)
        .duration(at + "delay", task.hasDelay(), task.getDelay(), Duration.ZERO, YEAR)
        .names(at + "requires", task.getRequiresList(), 8)
        .optionalName(at + "fairness_key", task.getFairnessKey())
        .optionalName(at + "dedupe_key", task.getDedupeKey())
        .labels(at + "labels", task.getLabelsMap(), 32)
        .that(
            task.getRequiresList().stream().noneMatch(needed -> needed.indexOf(',') >= 0),
            at + "requires",
            "a comma in a capability")
        .that(
            task.getDedupeScope() != DedupeScope.UNRECOGNIZED,
            at + "dedupe_scope",
            "unknown value " + task.getDedupeScopeValue())
        .that(
            task.getConflictPolicyValue() >= 0 && task.getConflictPolicyValue() <= 3,
            at + "conflict_policy",
            "unknown value " + task.getConflictPolicyValue())
        .that(
            task.getDedupeScope() != DedupeScope.DEDUPE_SCOPE_FOR_TIME || task.hasDedupeTtl(),
            at + "dedupe_ttl",
            "required with DEDUPE_SCOPE_FOR_TIME")
        .duration(at + "dedupe_ttl", task.hasDedupeTtl(), task.getDedupeTtl(), SECOND, MONTH)
        .duration(
            at + "retention",
            task.hasRetention(),
            task.getRetention(),
            Duration.ofMinutes(1),
            MONTH);
    retry(checks, at + "retry.", task.getRetry());
    timers(checks, at + "timers.", task.getTimers());
  }

  private static void retry(Checks checks, String at, RetryPolicy retry) {
    checks
        .range(at + "max_failures", retry.getMaxFailures(), 0, 1000)
        .duration(
            at + "initial_backoff",
            retry.hasInitialBackoff(),
            retry.getInitialBackoff(),
            Duration.ZERO,
            Duration.ofHours(24))
        .duration(
            at + "max_backoff",
            retry.hasMaxBackoff(),
            retry.getMaxBackoff(),
            Duration.ZERO,
            Duration.ofDays(7))
        .names(at + "non_retryable_kinds", retry.getNonRetryableKindsList(), 32);
  }

  private static void timers(Checks checks, String at, TaskTimers timers) {
    checks
        .duration(
            at + "queue_lifetime",
            timers.hasQueueLifetime(),
            timers.getQueueLifetime(),
            Duration.ofMillis(1),
            YEAR)
        .duration(
            at + "lease_duration",
            timers.hasLeaseDuration(),
            timers.getLeaseDuration(),
            SECOND,
            Duration.ofHours(1))
        .duration(
            at + "stall_timeout",
            timers.hasStallTimeout(),
            timers.getStallTimeout(),
            SECOND,
            Duration.ofHours(24))
        .duration(
            at + "attempt_timeout",
            timers.hasAttemptTimeout(),
            timers.getAttemptTimeout(),
            SECOND,
            MONTH)
        .duration(
            at + "total_deadline",
            timers.hasTotalDeadline(),
            timers.getTotalDeadline(),
            Duration.ofMillis(1),
            YEAR);
  }

  static void check(WorkerHello hello) {
    Checks checks =
        new Checks()
            .namespace(hello.getNamespace())
            .name("hello.worker_id", hello.getWorkerId())
            .that(hello.getQueuesCount() > 0, "hello.queues", "expected at least one")
            .names("hello.queues", hello.getQueuesList(), 16)
            .names("hello.capabilities", hello.getCapabilitiesList(), 64)
            .labels("hello.labels", hello.getLabelsMap(), 64)
            .range("hello.slots", hello.getSlots(), 0, MOST_SLOTS)
            .atMost("hello.held", hello.getHeldCount(), MOST_SLOTS);
    hello.getHeldList().stream()
        .limit(MOST_SLOTS)
        .forEach(held -> attempt(checks, "hello.held.", held));
    checks.done();
  }

  static Checks attempt(Checks checks, String at, Attempt attempt) {
    return checks
        .name(at + "queue", attempt.getQueue())
        .name(at + "task_id", attempt.getTaskId())
        .that(attempt.getFencingToken() > 0, at + "fencing_token", "expected a number above 0");
  }

  static void check(AttemptProgress report) {
    Checks checks = attempt(new Checks(), "progress.attempt.", report.getAttempt());
    progress(checks, report.getProgress(), report.getCheckpoint().size());
    checks.done();
  }

  static void progress(Checks checks, Progress progress, long checkpoint) {
    checks
        .that(
            progress.getFraction() >= 0 && progress.getFraction() <= 1,
            "progress.fraction",
            "out of range: " + progress.getFraction() + " (expected 0 to 1)")
        .text("progress.message", progress.getMessage(), 1024)
        .bytes("checkpoint", checkpoint, CHECKPOINT_BYTES);
  }

  static void check(AttemptComplete report, long maxResult) {
    Checks checks =
        attempt(new Checks(), "complete.attempt.", report.getAttempt())
            .bytes("complete.result", report.getResult().size(), maxResult);
    OutboxEvents.check(checks, "complete.events", report.getEventsList());
    checks.done();
  }

  static void check(AttemptFail report) {
    Checks checks = attempt(new Checks(), "fail.attempt.", report.getAttempt());
    failure(checks, "fail.failure.", report.getFailure());
    checks.done();
  }

  static void failure(Checks checks, String at, Failure failure) {
    checks
        .name(at + "kind", failure.getKind())
        .bytes(at + "message", failure.getMessageBytes().size(), 8 << 10)
        .bytes(at + "details", failure.getDetails().size(), 64 << 10)
        .duration(
            at + "retry_after",
            failure.hasRetryAfter(),
            failure.getRetryAfter(),
            Duration.ZERO,
            Duration.ofDays(7));
  }

  static void check(AttemptRelease report) {
    Checks checks = attempt(new Checks(), "release.attempt.", report.getAttempt());
    checks
        .duration("release.delay", report.hasDelay(), report.getDelay(), Duration.ZERO, YEAR)
        .optionalName("release.reason", report.getReason())
        .done();
  }

  static void settings(Checks checks, QueueSettings settings) {
    checks
        .duration(
            "settings.aging_step",
            settings.hasAgingStep(),
            settings.getAgingStep(),
            Duration.ofMillis(1),
            MONTH)
        .range("settings.max_concurrency", settings.getMaxConcurrency(), 0, 1_000_000)
        .range("settings.max_dead", settings.getMaxDead(), 0, 1_000_000)
        .duration(
            "settings.retention",
            settings.hasRetention(),
            settings.getRetention(),
            Duration.ofMinutes(1),
            MONTH)
        .names("settings.fairness_weights", settings.getFairnessWeightsMap().keySet(), 1000);
    settings
        .getFairnessWeightsMap()
        .forEach(
            (key, weight) ->
                checks.that(
                    weight >= 0.001 && weight <= 1000,
                    "settings.fairness_weights[" + key + "]",
                    "out of range: " + weight + " (expected 0.001 to 1000)"));
    retry(checks, "settings.retry.", settings.getRetry());
  }

  static void state(Checks checks, String field, TaskState state) {
    checks.that(!TaskStates.letter(state).isEmpty(), field, "expected one of the states of a task");
  }
}
