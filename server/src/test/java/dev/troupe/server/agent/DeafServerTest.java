package dev.troupe.server.agent;

import static dev.troupe.server.agent.FixedNamespaces.partition;
import static org.assertj.core.api.Assertions.assertThat;

import com.google.common.base.Ticker;
import dev.troupe.server.redis.Doorbell;
import dev.troupe.server.redis.OwnRedis;
import dev.troupe.v1.Agent;
import dev.troupe.v1.AgentCommand;
import dev.troupe.v1.AgentStateServiceGrpc.AgentStateServiceImplBase;
import dev.troupe.v1.CommandAgentRequest;
import dev.troupe.v1.HeartbeatOutcome;
import dev.troupe.v1.HeartbeatRequest;
import dev.troupe.v1.HeartbeatResponse;
import dev.troupe.v1.MessageCommand;
import dev.troupe.v1.RegisterAgentRequest;
import io.grpc.ManagedChannel;
import io.grpc.Server;
import io.grpc.inprocess.InProcessChannelBuilder;
import io.grpc.inprocess.InProcessServerBuilder;
import io.grpc.stub.StreamObserver;
import java.time.Duration;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

/** Commands on a server whose bell is lost, or comes late. */
final class DeafServerTest {

  @Test
  void theNextHeartbeatBringsWhatTheBellDidNotTell() throws Exception {
    try (Fixture fixture = new Fixture((partition, listener) -> new CompletableFuture<>())) {
      fixture.stream.beat(fixture.session);
      fixture.command("m1");
      fixture.command("m2");
      assertThat(fixture.stream.beat(fixture.session))
          .isEqualTo(HeartbeatOutcome.HEARTBEAT_OUTCOME_EXTENDED);
      assertThat(fixture.stream.next().getCommandsList())
          .extracting(command -> command.getMessage().getType())
          .containsExactly("m1", "m2");
    }
  }

  @Test
  void whatWasRungBeforeTheBellIsHeardArrivesOnceItIs() throws Exception {
    CompletableFuture<Runnable> bell = new CompletableFuture<>();
    try (Fixture fixture = new Fixture((partition, listener) -> bell)) {
      fixture.stream.beat(fixture.session);
      fixture.command("m1");
      bell.complete(() -> {});
      assertThat(fixture.stream.next().getCommands(0).getMessage().getType()).isEqualTo("m1");
    }
  }

  @Test
  void aBellThatFailsIsTriedAgainAndStopsNoHeartbeat() throws Exception {
    int[] tries = {0};
    Doorbell broken =
        (partition, listener) -> {
          tries[0]++;
          return CompletableFuture.failedFuture(new IllegalStateException("no connection"));
        };
    try (Fixture fixture = new Fixture(broken)) {
      for (int i = 1; i <= 3; i++) {
        for (int j = 0; j < 3; j++) {
          assertThat(fixture.stream.beat(fixture.session))
              .isEqualTo(HeartbeatOutcome.HEARTBEAT_OUTCOME_EXTENDED);
          assertThat(tries[0]).isEqualTo(i);
        }
        fixture.nanos.addAndGet(Duration.ofSeconds(1).toNanos());
      }
    }
  }

  /** An agent with a stream to a server in this process, before a Redis of its own. */
  private static final class Fixture implements AutoCloseable {
    final OwnRedis redis = new OwnRedis();
    final AtomicLong nanos = new AtomicLong();
    final Ticker ticker =
        new Ticker() {
          @Override
          public long read() {
            return nanos.get();
          }
        };
    final ScheduledExecutorService timers = Executors.newScheduledThreadPool(1);
    final CommandStore commands;
    final Server server;
    final ManagedChannel channel;
    final Agent session;
    final HeartbeatCaller stream;

    Fixture(Doorbell doorbell) throws Exception {
      AgentScripts scripts = new AgentScripts(redis);
      AgentStore store = new AgentStore(scripts, new FixedNamespaces());
      commands = new CommandStore(scripts);
      AgentConfig config = new AgentConfig(Duration.ofHours(1), Duration.ofMillis(1), "1-2");
      HeartbeatStreams streams =
          new HeartbeatStreams(
              store,
              new HeartbeatBatcher(store, config, timers),
              commands,
              new AgentBell(doorbell, ticker));
      String name = UUID.randomUUID().toString();
      server =
          InProcessServerBuilder.forName(name)
              .directExecutor()
              .addService(
                  new AgentStateServiceImplBase() {
                    @Override
                    public StreamObserver<HeartbeatRequest> heartbeat(
                        StreamObserver<HeartbeatResponse> caller) {
                      return streams.open(caller);
                    }
                  })
              .build()
              .start();
      channel = InProcessChannelBuilder.forName(name).directExecutor().build();
      RegisterAgentRequest request =
          RegisterAgentRequest.newBuilder().setAgentId("1").setType("t").build();
      session =
          store
              .register(partition(1), request, "", null)
              .toCompletableFuture()
              .get(60, TimeUnit.SECONDS)
              .agent();
      stream = new HeartbeatCaller(channel, "t");
    }

    void command(String type) throws Exception {
      commands
          .command(
              partition(1),
              CommandAgentRequest.newBuilder()
                  .setAgentId("1")
                  .setCommand(
                      AgentCommand.newBuilder()
                          .setMessage(MessageCommand.newBuilder().setType(type)))
                  .build(),
              "")
          .toCompletableFuture()
          .get(60, TimeUnit.SECONDS);
    }

    @Override
    public void close() throws Exception {
      stream.close();
      channel.shutdownNow();
      server.shutdownNow();
      timers.shutdownNow();
      redis.close();
    }
  }
}
