package dev.troupe.server.event;

import dev.troupe.v1.EventDelivery;
import dev.troupe.v1.EventStreamServiceGrpc.EventStreamServiceStub;
import dev.troupe.v1.SubscribeRequest;
import dev.troupe.v1.SubscribeResponse;
import dev.troupe.v1.SubscribeWithCreditsRequest;
import dev.troupe.v1.SubscribeWithCreditsResponse;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.ClientCallStreamObserver;
import io.grpc.stub.StreamObserver;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/** A subscription with credits as its caller sees it. */
final class CreditedSubscriber
    implements StreamObserver<SubscribeWithCreditsResponse>, AutoCloseable {

  private final List<SubscribeResponse> messages = new CopyOnWriteArrayList<>();
  private final BlockingQueue<Object> end = new LinkedBlockingQueue<>();
  private final StreamObserver<SubscribeWithCreditsRequest> requests;

  CreditedSubscriber(EventStreamServiceStub stub) {
    requests = stub.subscribeWithCredits(this);
  }

  CreditedSubscriber open(SubscribeRequest.Builder request) {
    requests.onNext(SubscribeWithCreditsRequest.newBuilder().setOpen(request).build());
    return this;
  }

  CreditedSubscriber give(int credits) {
    requests.onNext(SubscribeWithCreditsRequest.newBuilder().setCredits(credits).build());
    return this;
  }

  void send(SubscribeWithCreditsRequest message) {
    requests.onNext(message);
  }

  void halfClose() {
    requests.onCompleted();
  }

  List<SubscribeResponse> messages() {
    return messages;
  }

  List<String> texts() {
    return messages.stream()
        .flatMap(message -> message.getBatch().getDeliveriesList().stream())
        .map(EventDelivery::getEvent)
        .map(event -> event.getTextData())
        .toList();
  }

  /** How it ended badly. */
  StatusRuntimeException failure() throws InterruptedException {
    Object ended = end.poll(60, TimeUnit.SECONDS);
    if (ended instanceof StatusRuntimeException failure) {
      return failure;
    }
    throw new AssertionError("not a failure: " + ended);
  }

  boolean endsWell() throws InterruptedException {
    return "completed".equals(end.poll(60, TimeUnit.SECONDS));
  }

  @Override
  public void onNext(SubscribeWithCreditsResponse message) {
    messages.add(message.getMessage());
  }

  @Override
  public void onError(Throwable failure) {
    end.add(failure);
  }

  @Override
  public void onCompleted() {
    end.add("completed");
  }

  @Override
  public void close() {
    ((ClientCallStreamObserver<SubscribeWithCreditsRequest>) requests)
        .cancel("the test is over", null);
  }
}
