package dev.troupe.server.event;

import dev.troupe.server.error.TroupeException;
import dev.troupe.server.grpc.Checks;
import dev.troupe.server.grpc.StreamPump;
import dev.troupe.v1.ErrorReason;
import dev.troupe.v1.SubscribeRequest;
import dev.troupe.v1.SubscribeWithCreditsRequest;
import io.grpc.stub.StreamObserver;
import java.util.function.Consumer;

/** What a reader with credits says: first what it wants, then how much of it. */
final class CreditedCaller implements StreamObserver<SubscribeWithCreditsRequest> {

  private final StreamPump<?> pump;
  private final Consumer<SubscribeRequest> open;
  private boolean opened;
  private boolean refused;

  CreditedCaller(StreamPump<?> pump, Consumer<SubscribeRequest> open) {
    this.pump = pump;
    this.open = open;
  }

  @Override
  public void onNext(SubscribeWithCreditsRequest message) {
    if (refused) {
      return;
    }
    try {
      take(message);
    } catch (TroupeException refusal) {
      refused = true;
      pump.end(refusal);
    }
  }

  private void take(SubscribeWithCreditsRequest message) {
    switch (message.getMessageCase()) {
      case OPEN -> {
        require(!opened, "the stream is open already (expected: credits)");
        opened = true;
        SubscribeChecks.subscribe(message.getOpen());
        open.accept(message.getOpen());
      }
      case CREDITS -> {
        require(opened, "the first message does not open the stream (expected: open)");
        new Checks().range("credits", message.getCredits(), 1, SubscribeChecks.MOST_CREDITS).done();
        pump.allow(message.getCredits());
      }
      case MESSAGE_NOT_SET -> require(false, "an empty message (expected: open or credits)");
    }
  }

  private static void require(boolean holds, String message) {
    if (!holds) {
      throw TroupeException.of(ErrorReason.ERROR_REASON_PROTOCOL_VIOLATION, message);
    }
  }

  /** The pump hears of a cancelled call by itself. */
  @Override
  public void onError(Throwable cancelled) {}

  @Override
  public void onCompleted() {
    if (opened) {
      pump.allowNoMore();
    } else {
      pump.end(
          TroupeException.of(
              ErrorReason.ERROR_REASON_PROTOCOL_VIOLATION,
              "the stream ended before it was opened (expected: open)"));
    }
  }
}
