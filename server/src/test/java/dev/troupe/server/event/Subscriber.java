package dev.troupe.server.event;

import dev.troupe.v1.EventDelivery;
import dev.troupe.v1.EventStreamServiceGrpc.EventStreamServiceStub;
import dev.troupe.v1.SubscribeRequest;
import dev.troupe.v1.SubscribeResponse;
import dev.troupe.v1.SubscribeResponse.MessageCase;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.ClientCallStreamObserver;
import io.grpc.stub.ClientResponseObserver;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** A subscription as its caller sees it. */
final class Subscriber implements AutoCloseable {

  private final BlockingQueue<Object> received = new LinkedBlockingQueue<>();
  private @Nullable ClientCallStreamObserver<SubscribeRequest> call;

  /**
   * Opens a subscription.
   *
   * @param greedy whether to take messages as they come; else each one has to be asked for
   */
  Subscriber(EventStreamServiceStub stub, SubscribeRequest request, boolean greedy) {
    stub.subscribe(
        request,
        new ClientResponseObserver<SubscribeRequest, SubscribeResponse>() {
          @Override
          public void beforeStart(ClientCallStreamObserver<SubscribeRequest> requests) {
            call = requests;
            if (!greedy) {
              requests.disableAutoRequestWithInitial(0);
            }
          }

          @Override
          public void onNext(SubscribeResponse message) {
            received.add(message);
          }

          @Override
          public void onError(Throwable failure) {
            received.add(failure);
          }

          @Override
          public void onCompleted() {
            received.add("completed");
          }
        });
  }

  void ask(int messages) {
    if (call != null) {
      call.request(messages);
    }
  }

  /** The next message, whatever it is. */
  SubscribeResponse next() throws InterruptedException {
    Object message = received.poll(60, TimeUnit.SECONDS);
    if (message instanceof SubscribeResponse response) {
      return response;
    }
    throw new AssertionError("no message, but " + message);
  }

  /** The next message of a kind; others before it are dropped. */
  SubscribeResponse next(MessageCase kind) throws InterruptedException {
    while (true) {
      SubscribeResponse message = next();
      if (message.getMessageCase() == kind) {
        return message;
      }
    }
  }

  /** The next so many deliveries, and no more in the message of the last one. */
  List<EventDelivery> deliveries(int count) throws InterruptedException {
    List<EventDelivery> deliveries = new ArrayList<>();
    while (deliveries.size() < count) {
      deliveries.addAll(next(MessageCase.BATCH).getBatch().getDeliveriesList());
    }
    if (deliveries.size() > count) {
      throw new AssertionError("more than " + count + " deliveries: " + deliveries.size());
    }
    return deliveries;
  }

  /** Whether a message came that was not yet taken. */
  boolean isQuiet() {
    return received.isEmpty();
  }

  /** All messages up to the stream's end, which is a good one. */
  List<SubscribeResponse> toTheEnd() throws InterruptedException {
    List<SubscribeResponse> messages = new ArrayList<>();
    Object message = received.poll(60, TimeUnit.SECONDS);
    while (message instanceof SubscribeResponse response) {
      messages.add(response);
      message = received.poll(60, TimeUnit.SECONDS);
    }
    if (!"completed".equals(message)) {
      throw new AssertionError("not the end: " + message);
    }
    return messages;
  }

  /** How the stream ended; messages before it are dropped. */
  StatusRuntimeException failure() throws InterruptedException {
    while (true) {
      Object message = received.poll(60, TimeUnit.SECONDS);
      if (message instanceof StatusRuntimeException failure) {
        return failure;
      }
      if (!(message instanceof SubscribeResponse)) {
        throw new AssertionError("not a failure: " + message);
      }
    }
  }

  @Override
  public void close() {
    if (call != null) {
      call.cancel("the test is over", null);
    }
  }
}
