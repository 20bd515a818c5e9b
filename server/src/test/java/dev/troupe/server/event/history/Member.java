package dev.troupe.server.event.history;

import dev.troupe.server.grpc.Outage;
import dev.troupe.v1.ConsumeOpen;
import dev.troupe.v1.ConsumeRequest;
import dev.troupe.v1.ConsumeResponse;
import dev.troupe.v1.EventStreamServiceGrpc;
import dev.troupe.v1.GroupDelivery;
import dev.troupe.v1.Nack;
import dev.troupe.v1.SettleOutcome;
import dev.troupe.v1.Settlement;
import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.stub.StreamObserver;
import java.util.ArrayDeque;
import java.util.List;
import java.util.Queue;
import java.util.Random;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A member of a group that acknowledges what it gets, or gives it back now and then, and joins
 * again through whichever server when its stream breaks.
 */
final class Member implements AutoCloseable {

  private final String id;
  private final ConsumeOpen open;
  private final List<ManagedChannel> servers;
  private final boolean givesBack;
  private final GroupHistory history;
  private final Consumer<Throwable> failures;
  private final Random random;
  private final ScheduledExecutorService thread = Executors.newSingleThreadScheduledExecutor();
  private @Nullable Stream stream;
  private boolean closed;

  Member(
      ConsumeOpen open,
      List<ManagedChannel> servers,
      boolean givesBack,
      GroupHistory history,
      Consumer<Throwable> failures,
      long seed) {
    this.id = open.getMemberId();
    this.open = open;
    this.servers = servers;
    this.givesBack = givesBack;
    this.history = history;
    this.failures = failures;
    this.random = new Random(seed);
    does(this::join);
  }

  /** Takes nothing and says nothing for a while from now. */
  void rest(long millis) {
    does(() -> Pause.millis(millis));
  }

  private void does(Runnable step) {
    thread.execute(
        () -> {
          try {
            step.run();
          } catch (RuntimeException | Error failure) {
            failures.accept(failure);
          }
        });
  }

  private void join() {
    if (!closed) {
      stream = new Stream();
      stream.begin();
    }
  }

  /** One stream; everything of it happens on the member's thread. */
  private final class Stream implements StreamObserver<ConsumeResponse> {

    private final Queue<String> unanswered = new ArrayDeque<>();
    private @Nullable StreamObserver<ConsumeRequest> requests;

    void begin() {
      requests =
          EventStreamServiceGrpc.newStub(servers.get(random.nextInt(servers.size())))
              .withWaitForReady()
              .consume(this);
      requests.onNext(ConsumeRequest.newBuilder().setOpen(open).build());
    }

    @Override
    public void onNext(ConsumeResponse response) {
      does(() -> take(response));
    }

    private void take(ConsumeResponse response) {
      response.getBatch().getDeliveriesList().forEach(this::settle);
      for (SettleOutcome outcome : response.getSettled().getOutcomesList()) {
        String delivery = unanswered.remove();
        if (delivery.startsWith("ack ") && outcome == SettleOutcome.SETTLE_OUTCOME_DONE) {
          history.acknowledged(delivery.substring(4));
        }
      }
    }

    private void settle(GroupDelivery delivery) {
      history.delivered(id, delivery);
      StreamObserver<ConsumeRequest> to = requests;
      if (to == null) {
        return;
      }
      Settlement.Builder settlement = Settlement.newBuilder();
      if (givesBack && random.nextInt(10) == 0) {
        settlement.addNack(
            Nack.newBuilder().setDeliveryId(delivery.getDeliveryId()).setReason("at random"));
        unanswered.add("nack " + delivery.getDeliveryId());
      } else {
        settlement.addAck(delivery.getDeliveryId());
        unanswered.add("ack " + delivery.getDeliveryId());
      }
      to.onNext(ConsumeRequest.newBuilder().setSettle(settlement).build());
    }

    @Override
    public void onError(Throwable failure) {
      // A former stream of the same member is ended by the next one.
      boolean replaced = Status.fromThrowable(failure).getCode() == Status.Code.ABORTED;
      if (!replaced && !Outage.explains(failure)) {
        failures.accept(failure);
      }
      again();
    }

    @Override
    public void onCompleted() {
      again();
    }

    private void again() {
      if (!thread.isShutdown()) {
        thread.schedule(Member.this::join, 50, TimeUnit.MILLISECONDS);
      }
    }
  }

  @Override
  public void close() {
    thread.execute(
        () -> {
          closed = true;
          Stream open = stream;
          if (open != null && open.requests != null) {
            open.requests.onCompleted();
          }
        });
    thread.shutdown();
  }
}
