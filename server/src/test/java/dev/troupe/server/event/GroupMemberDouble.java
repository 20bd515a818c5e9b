package dev.troupe.server.event;

import dev.troupe.v1.ConsumeOpen;
import dev.troupe.v1.ConsumeRequest;
import dev.troupe.v1.ConsumeResponse;
import dev.troupe.v1.ConsumeResponse.MessageCase;
import dev.troupe.v1.EventStreamServiceGrpc;
import dev.troupe.v1.GroupDelivery;
import dev.troupe.v1.SettleOutcome;
import dev.troupe.v1.Settlement;
import io.grpc.ManagedChannel;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.ClientCallStreamObserver;
import io.grpc.stub.ClientResponseObserver;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** A member's stream, message by message. */
final class GroupMemberDouble implements AutoCloseable {

  private final BlockingQueue<Object> received = new LinkedBlockingQueue<>();
  private final Deque<GroupDelivery> deliveries = new ArrayDeque<>();
  private final Deque<List<SettleOutcome>> settled = new ArrayDeque<>();
  private @Nullable ClientCallStreamObserver<ConsumeRequest> call;

  GroupMemberDouble(
      ManagedChannel channel,
      String namespace,
      String topic,
      String group,
      String member,
      int credits) {
    this(channel, true);
    send(
        ConsumeRequest.newBuilder()
            .setOpen(
                ConsumeOpen.newBuilder()
                    .setNamespace(namespace)
                    .setTopic(topic)
                    .setGroup(group)
                    .setMemberId(member)
                    .setCredits(credits)));
    if (take(MessageCase.STARTED) == null) {
      throw new AssertionError("not started, but " + received);
    }
  }

  /** A stream that is not opened yet. */
  GroupMemberDouble(ManagedChannel channel, boolean greedy) {
    EventStreamServiceGrpc.newStub(channel)
        .consume(
            new ClientResponseObserver<ConsumeRequest, ConsumeResponse>() {
              @Override
              public void beforeStart(ClientCallStreamObserver<ConsumeRequest> requests) {
                call = requests;
                if (!greedy) {
                  requests.disableAutoRequestWithInitial(0);
                }
              }

              @Override
              public void onNext(ConsumeResponse message) {
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

  void send(ConsumeRequest.Builder request) {
    if (call != null) {
      call.onNext(request.build());
    }
  }

  void credits(int more) {
    send(ConsumeRequest.newBuilder().setCredits(more));
  }

  void halfClose() {
    if (call != null) {
      call.onCompleted();
    }
  }

  /** The next message of a kind; of others the content is kept, as far as it matters. */
  private @Nullable ConsumeResponse take(MessageCase kind) {
    try {
      while (true) {
        Object next = received.poll(60, TimeUnit.SECONDS);
        if (!(next instanceof ConsumeResponse message)) {
          if (next != null) {
            received.add(next);
          }
          return null;
        }
        if (message.hasBatch()) {
          deliveries.addAll(message.getBatch().getDeliveriesList());
        }
        if (message.hasSettled()) {
          settled.add(message.getSettled().getOutcomesList());
        }
        if (message.getMessageCase() == kind) {
          return message;
        }
      }
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  ConsumeResponse next(MessageCase kind) {
    ConsumeResponse message = take(kind);
    if (message == null) {
      throw new AssertionError("no " + kind + ", but " + received);
    }
    return message;
  }

  GroupDelivery delivery() {
    while (deliveries.isEmpty()) {
      next(MessageCase.BATCH);
    }
    return deliveries.remove();
  }

  /** What came, waiting for it for a while. */
  List<GroupDelivery> poll(Duration wait) {
    try {
      Object next = received.poll(wait.toMillis(), TimeUnit.MILLISECONDS);
      while (next instanceof ConsumeResponse message) {
        deliveries.addAll(message.getBatch().getDeliveriesList());
        next = received.poll();
      }
      if (next != null) {
        throw new AssertionError("the stream ended: " + next);
      }
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
    List<GroupDelivery> all = List.copyOf(deliveries);
    deliveries.clear();
    return all;
  }

  List<GroupDelivery> deliveries(int count) {
    List<GroupDelivery> all = new ArrayList<>();
    while (all.size() < count) {
      all.add(delivery());
    }
    return all;
  }

  /** How many deliveries have come that were not looked at; those on their way do not count. */
  int unread() {
    int count = deliveries.size();
    for (Object message : received) {
      count +=
          message instanceof ConsumeResponse response
              ? response.getBatch().getDeliveriesCount()
              : 0;
    }
    return count;
  }

  List<SettleOutcome> settle(Settlement.Builder settlement) {
    send(ConsumeRequest.newBuilder().setSettle(settlement));
    while (settled.isEmpty()) {
      next(MessageCase.SETTLED);
    }
    return settled.remove();
  }

  SettleOutcome ack(GroupDelivery delivery) {
    return settle(Settlement.newBuilder().addAck(delivery.getDeliveryId())).get(0);
  }

  /** How the stream ended; messages before it are dropped. */
  StatusRuntimeException failure() throws InterruptedException {
    while (true) {
      Object message = received.poll(60, TimeUnit.SECONDS);
      if (message instanceof StatusRuntimeException failure) {
        return failure;
      }
      if (!(message instanceof ConsumeResponse)) {
        throw new AssertionError("not a failure: " + message);
      }
    }
  }

  /** Waits for the server's own end of the stream. */
  void completed() throws InterruptedException {
    while (true) {
      Object message = received.poll(60, TimeUnit.SECONDS);
      if ("completed".equals(message)) {
        return;
      }
      if (!(message instanceof ConsumeResponse)) {
        throw new AssertionError("not the end: " + message);
      }
    }
  }

  /** Ends the stream as a broken connection would. */
  @Override
  public void close() {
    if (call != null) {
      call.cancel("broken by the test", null);
    }
  }
}
