package dev.troupe.server.event;

import com.google.common.collect.Interner;
import com.google.common.collect.Interners;
import com.google.inject.Inject;
import dev.troupe.server.error.TroupeException;
import dev.troupe.server.grpc.EncodedMessage;
import dev.troupe.server.grpc.Names;
import dev.troupe.server.grpc.ServiceMethods;
import dev.troupe.server.grpc.StatusMapper;
import dev.troupe.server.grpc.StreamPace;
import dev.troupe.server.grpc.StreamPump;
import dev.troupe.server.grpc.StreamPumps;
import dev.troupe.server.grpc.StreamRules;
import dev.troupe.server.grpc.WhenBehind;
import dev.troupe.v1.EventStreamServiceGrpc;
import dev.troupe.v1.SubscribeRequest;
import dev.troupe.v1.SubscribeWithCreditsRequest;
import io.grpc.ServerServiceDefinition;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import java.util.List;

/**
 * Opens subscriptions. Those that ask for the same share one filter and format, as long as there is
 * one of them. Thread-safe.
 */
final class Subscribing {

  private final EventStarts starts;
  private final StreamPumps pumps;
  private final StreamPace pace;
  private final Interner<EventFilter> filters = Interners.newWeakInterner();
  private final Interner<EventFormat> formats = Interners.newWeakInterner();

  @Inject
  Subscribing(EventStarts starts, StreamPumps pumps, EventConfig config) {
    this.starts = starts;
    this.pumps = pumps;
    this.pace = new StreamPace(config.checkpointInterval(), config.slowReaderTimeout());
  }

  /** The service with these methods, whose responses are encoded here. */
  ServerServiceDefinition into(ServerServiceDefinition service) {
    return ServiceMethods.replace(
        service,
        List.of(
            ServiceMethods.streaming(
                EventStreamServiceGrpc.getSubscribeMethod(),
                (request, caller) ->
                    subscribe(request, (ServerCallStreamObserver<EncodedMessage>) caller)),
            ServiceMethods.bidirectional(
                EventStreamServiceGrpc.getSubscribeWithCreditsMethod(),
                caller ->
                    subscribeWithCredits((ServerCallStreamObserver<EncodedMessage>) caller))));
  }

  private void subscribe(
      SubscribeRequest request, ServerCallStreamObserver<EncodedMessage> caller) {
    try {
      SubscribeChecks.subscribe(request);
    } catch (TroupeException refusal) {
      caller.onError(StatusMapper.toStatus(refusal));
      return;
    }
    begin(request, pumps.open(caller, pace), false);
  }

  private StreamObserver<SubscribeWithCreditsRequest> subscribeWithCredits(
      ServerCallStreamObserver<EncodedMessage> caller) {
    StreamPump<EncodedMessage> pump = pumps.openWithCredits(caller, pace);
    return new CreditedCaller(pump, request -> begin(request, pump, true));
  }

  private void begin(SubscribeRequest request, StreamPump<EncodedMessage> pump, boolean credited) {
    String namespace = Names.namespace(request.getNamespace());
    EventFilter filter =
        filters.intern(
            new EventFilter(
                namespace,
                request.getTopicsList(),
                request.getTypesList(),
                new EventSelector(request.getFilter())));
    EventFormat format =
        formats.intern(EventFormat.of(namespace, filter, request.getMaxBatchSize(), credited));
    starts
        .open(request, filter, format::wants)
        .whenComplete(
            (start, failure) -> {
              if (failure != null) {
                pump.end(failure);
              } else {
                StreamRules rules =
                    new StreamRules(
                        whenBehind(request),
                        start.endMillis(),
                        start.hasEnd() ? start.until() : null);
                pump.begin(format, start.point(), start.readers(), rules);
              }
            });
  }

  private static WhenBehind whenBehind(SubscribeRequest request) {
    return switch (request.getSlowPolicy()) {
      case SLOW_POLICY_UNSPECIFIED, SLOW_POLICY_CATCH_UP, UNRECOGNIZED -> WhenBehind.CATCH_UP;
      case SLOW_POLICY_DISCONNECT -> WhenBehind.DISCONNECT;
      case SLOW_POLICY_DROP_OLDEST -> WhenBehind.DROP_OLDEST;
      case SLOW_POLICY_CONFLATE -> WhenBehind.CONFLATE;
    };
  }
}
