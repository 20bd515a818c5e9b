package dev.troupe.server.telemetry;

import dev.troupe.server.lifecycle.PeriodicTask;
import dev.troupe.server.lifecycle.PeriodicTasks;
import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.api.metrics.Meter;

/** What each periodic task has done so far; read only when somebody asks. */
final class PeriodicTaskMetrics {

  private static final AttributeKey<String> TASK = AttributeKey.stringKey("task");
  private static final double NANOS_PER_SECOND = 1e9;

  private PeriodicTaskMetrics() {}

  static void register(Meter meter, PeriodicTasks tasks) {
    meter
        .counterBuilder("troupe.periodic.runs")
        .setDescription("Runs of a periodic task.")
        .buildWithCallback(
            value -> tasks.status().forEach(task -> value.record(task.runs(), name(task))));
    meter
        .counterBuilder("troupe.periodic.failures")
        .setDescription("Failed runs of a periodic task.")
        .buildWithCallback(
            value -> tasks.status().forEach(task -> value.record(task.failures(), name(task))));
    meter
        .gaugeBuilder("troupe.periodic.last_duration")
        .setUnit("s")
        .setDescription("How long the last finished run of a periodic task took.")
        .buildWithCallback(
            value ->
                tasks
                    .status()
                    .forEach(
                        task ->
                            value.record(
                                task.lastDuration().toNanos() / NANOS_PER_SECOND, name(task))));
  }

  private static Attributes name(PeriodicTask.Status task) {
    return Attributes.of(TASK, task.name());
  }
}
