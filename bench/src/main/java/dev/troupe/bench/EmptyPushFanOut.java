package dev.troupe.bench;

import com.google.protobuf.Timestamp;
import dev.troupe.v1.CaughtUp;
import dev.troupe.v1.EventBatch;
import dev.troupe.v1.EventDelivery;
import dev.troupe.v1.SubscribeResponse;
import io.grpc.CallOptions;
import io.grpc.ManagedChannel;
import io.grpc.MethodDescriptor;
import io.grpc.stub.ClientCalls;
import java.io.File;
import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletionStage;

/**
 * The least that pushing costs with gRPC: a server that only passes on the bytes of messages. The
 * publisher sends it what Troupe's server would make of the events, so messages are as large as
 * Troupe's, and subscribers read them as they read Troupe's.
 */
final class EmptyPushFanOut implements FanOutPeer {

  /** Of the length that they have in a namespace of one partition. */
  private static final String RESUME_TOKEN = "A".repeat(47);

  private static final String EVENT_ID = "00000000-0000-0000-0000-000000000000";

  /** Takes as many bytes as the time does now. */
  private static final Timestamp TIME =
      Timestamp.newBuilder().setSeconds(1_800_000_000).setNanos(999_000_000).build();

  /** Positions grow; this is one of a few seconds after the start. */
  private static final long POSITION = 1000;

  private static final MethodDescriptor<byte[], DeliveryTimes> SUBSCRIBE =
      EmptyPush.SUBSCRIBE.toBuilder(
              EmptyPush.SUBSCRIBE.getRequestMarshaller(), DeliveryTimes.MARSHALLER)
          .build();

  private final JvmUnderTest server;
  private final List<ManagedChannel> channels;
  private final Subscriptions<byte[]> subscriptions =
      new Subscriptions<>(
          SUBSCRIBE,
          SubscribeResponse.newBuilder()
              .setCaughtUp(CaughtUp.newBuilder().setResumeToken(RESUME_TOKEN))
              .build()
              .toByteArray());

  private EmptyPushFanOut(JvmUnderTest server) {
    this.server = server;
    this.channels = ClosedLoop.channels(server.port, TroupeFanOut.CHANNELS);
  }

  /**
   * Starts one.
   *
   * @param jar of Troupe's server, whose gRPC and Netty it takes, native transport included
   */
  static EmptyPushFanOut start(Path jar) throws IOException, URISyntaxException {
    Path own =
        Path.of(EmptyPushServer.class.getProtectionDomain().getCodeSource().getLocation().toURI());
    return new EmptyPushFanOut(
        new JvmUnderTest(
            List.of("-cp", own + File.pathSeparator + jar, EmptyPushServer.class.getName())));
  }

  @Override
  public String label() {
    return "empty gRPC push";
  }

  @Override
  public AutoCloseable subscribe(int subscribers, Received received) throws InterruptedException {
    return subscriptions.open(channels, subscribers, received);
  }

  @Override
  public AutoCloseable stall(int subscribers) throws UnavailableException {
    throw new UnavailableException("an empty push to those that stall is not measured");
  }

  /** All in one message, as Troupe does with those of one call. */
  @Override
  public CompletionStage<?> publish(List<byte[]> events) {
    Answer<byte[]> answer = new Answer<>();
    ClientCalls.asyncUnaryCall(
        channels.get(0).newCall(EmptyPush.PUBLISH, CallOptions.DEFAULT), message(events), answer);
    return answer.future;
  }

  private static byte[] message(List<byte[]> events) {
    EventBatch.Builder batch =
        EventBatch.newBuilder()
            .setResumeToken(RESUME_TOKEN)
            .setPreviousPosition(POSITION)
            .setReadPosition(POSITION);
    for (byte[] data : events) {
      batch.addDeliveries(
          EventDelivery.newBuilder()
              .setTopic(TroupeFanOut.TOPIC)
              .setEvent(TroupeFanOut.event(data).toBuilder().setId(EVENT_ID).setTime(TIME))
              .setAcceptTime(TIME)
              .setPosition(POSITION)
              .setTopicPosition(POSITION));
    }
    return SubscribeResponse.newBuilder().setBatch(batch).build().toByteArray();
  }

  @Override
  public Duration serverCpu() {
    return server.cpu();
  }

  @Override
  public Duration storeCpu() {
    return Duration.ZERO;
  }

  @Override
  public double heap() throws IOException, InterruptedException {
    return server.heapAfterCollection();
  }

  @Override
  public double storeCommands() {
    return Double.NaN;
  }

  @Override
  public void close() throws InterruptedException {
    channels.forEach(ManagedChannel::shutdownNow);
    server.close();
  }
}
