package dev.troupe.server.cli;

import io.grpc.ManagedChannel;
import io.grpc.netty.NettyChannelBuilder;
import io.grpc.stub.AbstractStub;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.logging.Level;
import java.util.logging.Logger;
import org.jspecify.annotations.Nullable;

/** A channel to a server for the time of one command. */
final class Connection implements AutoCloseable {

  private static final int MAX_MESSAGE = 64 << 20;

  /** What it logs on a name that is not known is told by the call that fails. */
  private static final Logger GRPC = Logger.getLogger("io.grpc");

  static {
    GRPC.setLevel(Level.OFF);
  }

  private final ManagedChannel channel;

  Connection(String server) {
    this.channel =
        NettyChannelBuilder.forTarget(server)
            .usePlaintext()
            .maxInboundMessageSize(MAX_MESSAGE)
            .build();
  }

  ManagedChannel channel() {
    return channel;
  }

  /** The stub with a deadline, unless there is to be none. */
  static <S extends AbstractStub<S>> S within(S stub, @Nullable Duration timeout) {
    return timeout == null
        ? stub
        : stub.withDeadlineAfter(timeout.toMillis(), TimeUnit.MILLISECONDS);
  }

  @Override
  public void close() {
    channel.shutdownNow();
  }
}
