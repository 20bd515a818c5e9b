package dev.troupe.server.event;

import com.google.common.base.Ticker;
import com.google.inject.Inject;
import com.google.protobuf.util.Durations;
import dev.troupe.server.grpc.RefusedCalls;
import dev.troupe.server.lifecycle.Lifecycle;
import dev.troupe.server.lifecycle.PeriodicTasks;
import dev.troupe.server.lifecycle.Service;
import dev.troupe.server.redis.Namespaces;
import dev.troupe.server.redis.Reply;
import dev.troupe.server.redis.Script;
import dev.troupe.server.redis.ScriptRunner;
import dev.troupe.v1.SystemAlert;
import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/**
 * Tells operators, in the topic {@value #TOPIC}, when the store answers again and when calls were
 * refused. Looks once a second; one round at a time.
 */
final class SystemAlerts implements Service {

  static final String TOPIC = "troupe.system";
  static final String TYPE = "system.alert";

  private static final Script ALERT = Script.load("event/alert");
  private static final Duration PERIOD = Duration.ofSeconds(1);
  private static final String NAMESPACE = "default";

  private final ScriptRunner scripts;
  private final Namespaces namespaces;
  private final RefusedCalls refused;
  private final Ticker ticker;
  private final @Nullable PeriodicTasks tasks;
  private final String server = ManagementFactory.getRuntimeMXBean().getName();

  // Of the round under way alone.
  private boolean away;
  private long awaySinceNanos;
  private long toldRefused;
  private long quietSinceNanos;

  @Inject
  SystemAlerts(
      ScriptRunner scripts,
      Namespaces namespaces,
      RefusedCalls refused,
      Ticker ticker,
      PeriodicTasks tasks,
      Lifecycle lifecycle) {
    this(scripts, namespaces, refused, ticker, tasks);
    lifecycle.register("system alerts", this);
  }

  /** Looks only when it is told to. */
  SystemAlerts(
      ScriptRunner scripts,
      Namespaces namespaces,
      RefusedCalls refused,
      Ticker ticker,
      @Nullable PeriodicTasks tasks) {
    this.scripts = scripts;
    this.namespaces = namespaces;
    this.refused = refused;
    this.ticker = ticker;
    this.tasks = tasks;
    this.quietSinceNanos = ticker.read();
  }

  @Override
  public CompletionStage<?> start() {
    if (tasks != null) {
      tasks.schedule("system-alerts", this::look);
    }
    return CompletableFuture.completedFuture(null);
  }

  /** Looks once, tells what there is to tell, and says when to look again. */
  CompletionStage<Duration> look() {
    long begun = ticker.read();
    // Any question will do, and every server asks this one anyway.
    return namespaces
        .known()
        .handle((known, failure) -> failure == null)
        .thenCompose(
            answers -> {
              if (!answers) {
                if (!away) {
                  away = true;
                  awaySinceNanos = begun;
                }
                return CompletableFuture.completedFuture(false);
              }
              return recovered().thenCompose(told -> overloaded());
            })
        // What cannot be told now is told in a later round, or not at all.
        .handle((told, failure) -> PERIOD);
  }

  private CompletionStage<Boolean> recovered() {
    if (!away) {
      return CompletableFuture.completedFuture(false);
    }
    SystemAlert.Builder alert =
        SystemAlert.newBuilder()
            .setKind("store_recovered")
            .setMessage("the store answers again")
            .setDuration(Durations.fromNanos(ticker.read() - awaySinceNanos));
    return tell(alert)
        .thenApply(
            told -> {
              away = false;
              return told;
            });
  }

  private CompletionStage<Boolean> overloaded() {
    long now = ticker.read();
    long count = refused.count();
    if (count == toldRefused) {
      quietSinceNanos = now;
      return CompletableFuture.completedFuture(false);
    }
    SystemAlert.Builder alert =
        SystemAlert.newBuilder()
            .setKind("overloaded")
            .setMessage("calls were refused because too many were under way")
            .setRefusedCalls(count - toldRefused)
            .setDuration(Durations.fromNanos(now - quietSinceNanos));
    return tell(alert)
        .thenApply(
            told -> {
              // One that came too soon is counted in the next.
              if (told) {
                toldRefused = count;
                quietSinceNanos = now;
              }
              return told;
            });
  }

  private CompletionStage<Boolean> tell(SystemAlert.Builder alert) {
    return namespaces
        .locate(NAMESPACE, TOPIC)
        .thenCompose(
            partition ->
                scripts.run(
                    ALERT,
                    partition,
                    alert.getKind(),
                    alert.setServer(server).build().toByteArray()))
        .thenApply(reply -> new Reply(reply).ok());
  }
}
