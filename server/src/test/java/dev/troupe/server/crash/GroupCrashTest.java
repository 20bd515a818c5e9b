package dev.troupe.server.crash;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.google.protobuf.util.Durations;
import dev.troupe.v1.ConsumeOpen;
import dev.troupe.v1.ConsumeRequest;
import dev.troupe.v1.ConsumeResponse;
import dev.troupe.v1.CreateGroupRequest;
import dev.troupe.v1.ErrorReason;
import dev.troupe.v1.Event;
import dev.troupe.v1.EventStreamServiceGrpc;
import dev.troupe.v1.EventStreamServiceGrpc.EventStreamServiceBlockingStub;
import dev.troupe.v1.GetGroupRequest;
import dev.troupe.v1.Group;
import dev.troupe.v1.GroupDelivery;
import dev.troupe.v1.GroupSettings;
import dev.troupe.v1.PublishRequest;
import dev.troupe.v1.Settlement;
import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.StreamObserver;
import java.util.Collections;
import java.util.HashSet;
import java.util.Map;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** Consumer groups when what they depend on goes away. */
final class GroupCrashTest {

  private static final int EVENTS = 300;

  private static EventStreamServiceBlockingStub stub(ManagedChannel channel) {
    return EventStreamServiceGrpc.newBlockingStub(channel).withDeadlineAfter(30, TimeUnit.SECONDS);
  }

  private static void create(ManagedChannel channel) {
    stub(channel)
        .createGroup(
            CreateGroupRequest.newBuilder()
                .setTopic("t")
                .setGroup("g")
                .setSettings(
                    GroupSettings.newBuilder()
                        .setAckDeadline(Durations.fromSeconds(1))
                        .setMaxDeliveries(100))
                .build());
  }

  private static Group get(ManagedChannel channel) {
    return stub(channel)
        .getGroup(GetGroupRequest.newBuilder().setTopic("t").setGroup("g").build())
        .getGroup();
  }

  private static void publish(ManagedChannel channel, int from, int to) {
    for (int i = from; i < to; i++) {
      stub(channel)
          .publish(
              PublishRequest.newBuilder()
                  .setTopic("t")
                  .setEvent(Event.newBuilder().setId("" + i).setSource("s").setType("x"))
                  .build());
    }
  }

  /** A member that acknowledges what it gets, and comes back when its stream breaks. */
  private static final class Member implements AutoCloseable {

    final Map<String, Integer> delivered = new ConcurrentHashMap<>();
    final Set<String> settled = Collections.newSetFromMap(new ConcurrentHashMap<>());
    private final ManagedChannel channel;
    private final String id;
    private volatile boolean closed;
    private volatile @Nullable StreamObserver<ConsumeRequest> up;

    Member(ManagedChannel channel, String id) {
      this.channel = channel;
      this.id = id;
      connect();
    }

    private void connect() {
      Queue<String> asked = new ConcurrentLinkedQueue<>();
      StreamObserver<ConsumeRequest> stream =
          EventStreamServiceGrpc.newStub(channel)
              .withWaitForReady()
              .consume(
                  new StreamObserver<>() {
                    @Override
                    public void onNext(ConsumeResponse message) {
                      for (GroupDelivery one : message.getBatch().getDeliveriesList()) {
                        delivered.merge(one.getEvent().getEvent().getId(), 1, Integer::sum);
                        asked.add(one.getEvent().getEvent().getId());
                        StreamObserver<ConsumeRequest> to = up;
                        if (to != null) {
                          to.onNext(
                              ConsumeRequest.newBuilder()
                                  .setSettle(Settlement.newBuilder().addAck(one.getDeliveryId()))
                                  .build());
                        }
                      }
                      for (int i = 0; i < message.getSettled().getOutcomesCount(); i++) {
                        settled.add(asked.remove());
                      }
                    }

                    @Override
                    public void onError(Throwable failure) {
                      if (!closed) {
                        connect();
                      }
                    }

                    @Override
                    public void onCompleted() {}
                  });
      up = stream;
      stream.onNext(
          ConsumeRequest.newBuilder()
              .setOpen(
                  ConsumeOpen.newBuilder()
                      .setTopic("t")
                      .setGroup("g")
                      .setMemberId(id)
                      .setCredits(10))
              .build());
    }

    @Override
    public void close() {
      closed = true;
      channel.shutdownNow();
    }
  }

  @Test
  void whatAKilledServerHadTakenComesAgain() throws Exception {
    try (RedisProcess redis = RedisProcess.redis();
        TroupeProcess one = new TroupeProcess("--redis.url=redis://127.0.0.1:" + redis.port);
        TroupeProcess two = new TroupeProcess("--redis.url=redis://127.0.0.1:" + redis.port)) {
      ManagedChannel publisher = two.channel();
      try (Member dying = new Member(one.channel(), "dying");
          Member living = new Member(two.channel(), "living")) {
        create(publisher);
        publish(publisher, 0, EVENTS / 3);
        one.killAndRestart();
        publish(publisher, EVENTS / 3, 2 * EVENTS / 3);
        one.killAndRestart();
        publish(publisher, 2 * EVENTS / 3, EVENTS);
        await().until(() -> get(publisher).getAcknowledgedCount() == EVENTS);
        Set<String> all = new HashSet<>(dying.delivered.keySet());
        all.addAll(living.delivered.keySet());
        assertThat(all).hasSize(EVENTS);
        Group group = get(publisher);
        assertThat(group.getOutstanding() + group.getWaiting() + group.getLag()).isZero();
        assertThat(group.getDeadCount()).isZero();
      } finally {
        publisher.shutdownNow();
      }
    }
  }

  @Test
  void whatIsInFlightSurvivesARestartOfRedis() throws Exception {
    try (TroupeProcess server = new TroupeProcess()) {
      ManagedChannel publisher = server.channel();
      try (Member member = new Member(server.channel(), "m")) {
        create(publisher);
        publish(publisher, 0, 50);
        server.killRedis();
        await()
            .ignoreExceptions()
            .until(
                () -> {
                  publish(publisher, 0, 100);
                  return true;
                });
        await().ignoreExceptions().until(() -> get(publisher).getAcknowledgedCount() >= 100);
        Group group = get(publisher);
        assertThat(group.getOutstanding() + group.getWaiting() + group.getLag()).isZero();
        assertThat(member.delivered.keySet()).hasSize(100);
      } finally {
        publisher.shutdownNow();
      }
    }
  }

  @Test
  void aServerThatStopsSaysSoAndNothingIsLost() throws Exception {
    CompletableFuture<ConsumeResponse> goodbye = new CompletableFuture<>();
    CompletableFuture<Throwable> ended = new CompletableFuture<>();
    CountDownLatch started = new CountDownLatch(1);
    try (RedisProcess redis = RedisProcess.redis()) {
      String url = "--redis.url=redis://127.0.0.1:" + redis.port;
      try (TroupeProcess other = new TroupeProcess(url)) {
        TroupeProcess stopping = new TroupeProcess(url);
        ManagedChannel channel = stopping.channel();
        ManagedChannel second = other.channel();
        create(second);
        StreamObserver<ConsumeRequest> up =
            EventStreamServiceGrpc.newStub(channel)
                .consume(
                    new StreamObserver<>() {
                      @Override
                      public void onNext(ConsumeResponse message) {
                        if (message.hasGoAway()) {
                          goodbye.complete(message);
                        }
                        started.countDown();
                      }

                      @Override
                      public void onError(Throwable failure) {
                        ended.complete(failure);
                      }

                      @Override
                      public void onCompleted() {}
                    });
        up.onNext(
            ConsumeRequest.newBuilder()
                .setOpen(
                    ConsumeOpen.newBuilder()
                        .setTopic("t")
                        .setGroup("g")
                        .setMemberId("m")
                        .setCredits(10))
                .build());
        assertThat(started.await(60, TimeUnit.SECONDS)).isTrue();
        publish(second, 0, 5);
        await().until(() -> get(second).getOutstanding() == 5);
        stopping.close();
        Throwable end = ended.get(60, TimeUnit.SECONDS);
        assertThat(goodbye.get(1, TimeUnit.SECONDS).getGoAway().getReason())
            .isEqualTo(ErrorReason.ERROR_REASON_SHUTTING_DOWN);
        assertThat(((StatusRuntimeException) end).getStatus().getCode())
            .isEqualTo(Status.Code.UNAVAILABLE);
        try (Member member = new Member(second, "m")) {
          await().until(() -> get(second).getAcknowledgedCount() == 5);
          assertThat(member.delivered).hasSize(5);
        }
        channel.shutdownNow();
      }
    }
  }
}
