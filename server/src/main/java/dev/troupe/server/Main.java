package dev.troupe.server;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.google.inject.Module;
import dev.troupe.server.agent.AgentConfig;
import dev.troupe.server.agent.AgentModule;
import dev.troupe.server.cli.Console;
import dev.troupe.server.cli.TroupeCli;
import dev.troupe.server.event.EventConfig;
import dev.troupe.server.event.EventModule;
import dev.troupe.server.grpc.GrpcConfig;
import dev.troupe.server.grpc.GrpcModule;
import dev.troupe.server.lifecycle.LifecycleConfig;
import dev.troupe.server.lifecycle.StopSignals;
import dev.troupe.server.lock.LockConfig;
import dev.troupe.server.lock.LockModule;
import dev.troupe.server.log.LogConfig;
import dev.troupe.server.log.LogModule;
import dev.troupe.server.memory.MemoryConfig;
import dev.troupe.server.memory.MemoryModule;
import dev.troupe.server.redis.RedisConfig;
import dev.troupe.server.redis.RedisModule;
import dev.troupe.server.task.TaskConfig;
import dev.troupe.server.task.TaskModule;
import dev.troupe.server.telemetry.TelemetryConfig;
import dev.troupe.server.telemetry.TelemetryModule;
import java.io.OutputStreamWriter;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.util.List;

/** The entry point: which settings there are, and which modules make a server. */
public final class Main {

  private static final List<Class<? extends Record>> SETTINGS =
      List.of(
          GrpcConfig.class,
          RedisConfig.class,
          LogConfig.class,
          TaskConfig.class,
          AgentConfig.class,
          EventConfig.class,
          LockConfig.class,
          MemoryConfig.class,
          LifecycleConfig.class,
          TelemetryConfig.class);

  private static final List<Module> MODULES =
      List.of(
          new TelemetryModule(),
          new RedisModule(),
          new LogModule(),
          new GrpcModule(),
          new TaskModule(),
          new AgentModule(),
          new EventModule(),
          new LockModule(),
          new MemoryModule(),
          new ServerModule());

  private Main() {}

  /** Runs one command line and ends the process with its exit status. */
  public static void main(String[] arguments) {
    Console console = new Console(writer(System.out), writer(System.err), System.in);
    System.exit(
        new TroupeCli(
                console,
                SETTINGS,
                System.getenv(),
                new ServerAssembly(MODULES, StopSignals::install))
            .run(arguments));
  }

  /** What we print is UTF-8, whatever the locale: JSON has to be. */
  private static PrintWriter writer(PrintStream stream) {
    return new PrintWriter(new OutputStreamWriter(stream, UTF_8), true);
  }
}
