package dev.troupe.server.log;

import com.google.inject.Inject;
import dev.troupe.server.lifecycle.Lifecycle;
import dev.troupe.server.lifecycle.PeriodicTasks;
import dev.troupe.server.lifecycle.Service;
import dev.troupe.server.redis.Namespaces;
import dev.troupe.server.redis.Partition;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Trims every log once in a while. */
final class LogTrimming implements Service {

  private static final Logger log = LoggerFactory.getLogger(LogTrimming.class);
  private static final Duration PERIOD = Duration.ofSeconds(2);

  private final LogTrim trim;
  private final Namespaces namespaces;
  private final PeriodicTasks tasks;

  @Inject
  LogTrimming(LogTrim trim, Namespaces namespaces, PeriodicTasks tasks, Lifecycle lifecycle) {
    this.trim = trim;
    this.namespaces = namespaces;
    this.tasks = tasks;
    lifecycle.register("log trimming", this);
  }

  @Override
  public CompletionStage<?> start() {
    tasks.schedule("log-trim", this::run);
    return CompletableFuture.completedFuture(null);
  }

  private CompletionStage<Duration> run() {
    return namespaces
        .known()
        .thenCompose(
            names -> {
              CompletionStage<@Nullable Void> all = CompletableFuture.completedFuture(null);
              for (String name : names) {
                all = all.thenCompose(done -> namespaces.partitions(name)).thenCompose(this::trim);
              }
              return all;
            })
        .thenApply(done -> PERIOD);
  }

  private CompletionStage<@Nullable Void> trim(List<Partition> partitions) {
    CompletionStage<@Nullable Void> all = CompletableFuture.completedFuture(null);
    for (Partition partition : partitions) {
      all = all.thenCompose(done -> trimmed(partition));
    }
    return all;
  }

  /** One that cannot be trimmed now must not keep the others from it. */
  private CompletionStage<@Nullable Void> trimmed(Partition partition) {
    return trim.trim(partition)
        .exceptionally(
            failure -> {
              log.warn("the log of {} cannot be trimmed, which is tried again", partition, failure);
              return null;
            });
  }
}
