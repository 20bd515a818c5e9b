package dev.troupe.bench;

import io.nats.client.Connection;
import io.nats.client.Dispatcher;
import io.nats.client.JetStream;
import io.nats.client.JetStreamSubscription;
import io.nats.client.Nats;
import io.nats.client.Options;
import io.nats.client.PushSubscribeOptions;
import io.nats.client.api.ConsumerConfiguration;
import io.nats.client.api.DeliverPolicy;
import io.nats.client.api.StorageType;
import io.nats.client.api.StreamConfiguration;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/**
 * NATS JetStream: a stream in files, read by an ordered push consumer per subscriber, which is what
 * it has for readers that get everything in order and acknowledge nothing.
 */
final class NatsFanOut implements FanOutPeer {

  private static final int CONNECTIONS = 4;
  private static final String SUBJECT = "fan-out";

  private final NatsProcess nats;
  private final List<Connection> connections = new ArrayList<>();
  private final JetStream publisher;

  private NatsFanOut(NatsProcess nats) throws Exception {
    this.nats = nats;
    for (int i = 0; i < CONNECTIONS; i++) {
      Options options = Options.builder().server("nats://127.0.0.1:" + nats.port).build();
      connections.add(Nats.connect(options));
    }
    connections
        .get(0)
        .jetStreamManagement()
        .addStream(
            StreamConfiguration.builder()
                .name("bench")
                .subjects(SUBJECT)
                .storageType(StorageType.File)
                .build());
    publisher = connections.get(0).jetStream();
  }

  static NatsFanOut start() throws Exception {
    return new NatsFanOut(NatsProcess.start());
  }

  @Override
  public String label() {
    return "NATS JetStream";
  }

  @Override
  public AutoCloseable subscribe(int subscribers, Received received) throws Exception {
    List<Dispatcher> dispatchers = new ArrayList<>();
    for (Connection connection : connections) {
      dispatchers.add(connection.createDispatcher());
    }
    List<JetStreamSubscription> subscriptions = new ArrayList<>();
    PushSubscribeOptions ordered =
        PushSubscribeOptions.builder()
            .ordered(true)
            .configuration(ConsumerConfiguration.builder().deliverPolicy(DeliverPolicy.New).build())
            .build();
    for (int i = 0; i < subscribers; i++) {
      int connection = i % CONNECTIONS;
      subscriptions.add(
          connections
              .get(connection)
              .jetStream()
              .subscribe(
                  SUBJECT,
                  dispatchers.get(connection),
                  message -> received.at(connection, ByteBuffer.wrap(message.getData()).getLong()),
                  false,
                  ordered));
    }
    return () -> {
      for (int i = 0; i < subscriptions.size(); i++) {
        dispatchers.get(i % CONNECTIONS).unsubscribe(subscriptions.get(i));
      }
      for (int i = 0; i < CONNECTIONS; i++) {
        connections.get(i).closeDispatcher(dispatchers.get(i));
      }
    };
  }

  @Override
  public AutoCloseable stall(int subscribers) throws UnavailableException {
    throw new UnavailableException("an ordered consumer that stalls is not measured");
  }

  @Override
  public CompletionStage<?> publish(List<byte[]> events) {
    return CompletableFuture.allOf(
        events.stream()
            .map(data -> publisher.publishAsync(SUBJECT, data))
            .toArray(CompletableFuture<?>[]::new));
  }

  @Override
  public Duration serverCpu() {
    return nats.cpu();
  }

  @Override
  public Duration storeCpu() {
    return Duration.ZERO;
  }

  @Override
  public double heap() {
    return Double.NaN;
  }

  @Override
  public double storeCommands() {
    return Double.NaN;
  }

  @Override
  public void close() throws Exception {
    for (Connection connection : connections) {
      connection.close();
    }
    nats.close();
  }
}
