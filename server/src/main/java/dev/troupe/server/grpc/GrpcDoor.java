package dev.troupe.server.grpc;

import com.google.common.base.Ticker;
import dev.troupe.server.lifecycle.Service;
import dev.troupe.server.telemetry.Telemetry;
import io.grpc.BindableService;
import io.grpc.Server;
import io.grpc.ServerInterceptor;
import io.grpc.ServerInterceptors;
import io.grpc.ServerServiceDefinition;
import io.grpc.health.v1.HealthCheckResponse.ServingStatus;
import io.grpc.netty.NettyServerBuilder;
import io.grpc.protobuf.services.ChannelzService;
import io.grpc.protobuf.services.HealthStatusManager;
import io.grpc.protobuf.services.ProtoReflectionServiceV1;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.WriteBufferWaterMark;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * The gRPC server. Everything runs on the event loops: no call has a thread.
 *
 * <p>It stops in this order: health turns NOT_SERVING, streams end with what their clients need to
 * go on elsewhere, no new call is taken, those under way finish.
 */
public final class GrpcDoor implements Service {

  private static final int FLOW_CONTROL_WINDOW = 8 << 20;
  private static final int MAX_HEADERS = 16 << 10;

  private final GrpcConfig config;
  private final EventLoopGroup eventLoops;

  /**
   * What may wait in front of a socket, in bytes. Netty writes what it is handed in rounds as large
   * as that, and an event to hundreds of streams of one connection is more than the usual 64 KiB.
   */
  private static final WriteBufferWaterMark UNWRITTEN =
      new WriteBufferWaterMark(512 << 10, 1 << 20);

  private final Set<BindableService> services;
  private final Set<Drainable> drainables;
  private final Telemetry telemetry;
  private final RefusedCalls refused;
  private final HealthStatusManager health = new HealthStatusManager();
  private @Nullable Server server;

  GrpcDoor(
      GrpcConfig config,
      EventLoopGroup eventLoops,
      Set<BindableService> services,
      Set<Drainable> drainables,
      Telemetry telemetry,
      RefusedCalls refused) {
    this.config = config;
    this.eventLoops = eventLoops;
    this.services = services;
    this.drainables = drainables;
    this.telemetry = telemetry;
    this.refused = refused;
  }

  @Override
  public CompletionStage<?> start() throws IOException {
    MessageWarnings.inOneLine();
    NettyServerBuilder builder =
        NettyServerBuilder.forAddress(new InetSocketAddress(config.host(), config.port()))
            .directExecutor()
            .bossEventLoopGroup(eventLoops)
            .workerEventLoopGroup(eventLoops)
            .channelType(EventLoops.serverChannel())
            .withChildOption(ChannelOption.WRITE_BUFFER_WATER_MARK, UNWRITTEN)
            .maxInboundMessageSize((int) config.maxMessage().bytes())
            .maxInboundMetadataSize(MAX_HEADERS)
            .flowControlWindow(FLOW_CONTROL_WINDOW)
            .permitKeepAliveTime(config.keepaliveFloor().toMillis(), TimeUnit.MILLISECONDS)
            .permitKeepAliveWithoutCalls(true)
            .addService(health.getHealthService())
            .addService(
                ServerInterceptors.intercept(
                    ProtoReflectionServiceV1.newInstance(), new ErrorDetailsReflection()))
            .addService(ChannelzService.newInstance(1000));
    List<ServerInterceptor> interceptors = new ArrayList<>(telemetry.interceptors());
    Ticker ticker = Ticker.systemTicker();
    Admission admission =
        new Admission(config.maxInFlight(), config.targetLatency(), ticker.read());
    interceptors.add(0, new LoadLimit(admission, ticker, refused));
    interceptors.forEach(builder::intercept);
    services.forEach(
        service -> builder.addService(MalformedMessages.refusedBy(service.bindService())));
    Server started;
    try {
      started = builder.build().start();
    } catch (IOException e) {
      throw new IOException(
          "cannot listen on "
              + config.host()
              + ":"
              + config.port()
              + ": "
              + (e.getCause() == null ? e.getMessage() : e.getCause().getMessage()),
          e);
    }
    server = started;
    for (ServerServiceDefinition service : started.getServices()) {
      health.setStatus(service.getServiceDescriptor().getName(), ServingStatus.SERVING);
    }
    return CompletableFuture.completedFuture(null);
  }

  /** The port that it listens on, also when a free one was taken. */
  public int port() {
    Server running = server;
    return running == null ? config.port() : running.getPort();
  }

  @Override
  public CompletionStage<?> stop(Duration grace) throws InterruptedException {
    health.enterTerminalState();
    Server running = server;
    if (running == null) {
      return CompletableFuture.completedFuture(null);
    }
    return CompletableFuture.allOf(
            drainables.stream()
                .map(drainable -> drainable.drain().toCompletableFuture())
                .toArray(CompletableFuture<?>[]::new))
        .handle(
            (done, failure) -> {
              running.shutdown();
              return null;
            })
        .thenRunAsync(() -> await(running, grace));
  }

  /** Runs on a thread of the common pool, which this is the last use of. */
  private static void await(Server running, Duration grace) {
    try {
      if (!running.awaitTermination(grace.toMillis(), TimeUnit.MILLISECONDS)) {
        running.shutdownNow();
        running.awaitTermination(1, TimeUnit.SECONDS);
      }
    } catch (InterruptedException e) {
      running.shutdownNow();
      Thread.currentThread().interrupt();
    }
  }
}
