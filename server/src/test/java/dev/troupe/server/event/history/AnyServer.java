package dev.troupe.server.event.history;

import dev.troupe.server.grpc.Outage;
import dev.troupe.v1.EventStreamServiceGrpc;
import dev.troupe.v1.EventStreamServiceGrpc.EventStreamServiceBlockingStub;
import dev.troupe.v1.ListEventsRequest;
import dev.troupe.v1.ListEventsResponse;
import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

/** Calls to whichever server. Thread-safe. */
final class AnyServer {

  private static final Duration PATIENCE = Duration.ofSeconds(60);

  private final String namespace;
  private final List<ManagedChannel> servers;
  private final Random random;

  AnyServer(String namespace, List<ManagedChannel> servers, long seed) {
    this.namespace = namespace;
    this.servers = servers;
    this.random = new Random(seed);
  }

  /** One that answers within 10 seconds. */
  EventStreamServiceBlockingStub stub() {
    return EventStreamServiceGrpc.newBlockingStub(servers.get(random.nextInt(servers.size())))
        .withDeadlineAfter(10, TimeUnit.SECONDS)
        .withWaitForReady();
  }

  /** Asks again as long as a server has not found its way back to Redis. */
  static <T> T answer(Supplier<T> call) {
    for (long end = System.nanoTime() + PATIENCE.toNanos(); ; Pause.millis(50)) {
      try {
        return call.get();
      } catch (StatusRuntimeException away) {
        if (!Outage.explains(away) || System.nanoTime() > end) {
          throw away;
        }
      }
    }
  }

  /** All that a topic has, from its oldest event to its newest. */
  List<Seen.Got> list(String topic) {
    List<Seen.Got> all = new ArrayList<>();
    String token = "";
    do {
      String from = token;
      ListEventsResponse page = answer(() -> page(topic, 500, from));
      page.getDeliveriesList().forEach(one -> all.add(Seen.Got.of(one)));
      token = page.getNextPageToken();
    } while (!token.isEmpty());
    return all;
  }

  /** A page of what a topic has; nothing while nothing was published to it. */
  ListEventsResponse page(String topic, int size, String token) {
    ListEventsRequest request =
        ListEventsRequest.newBuilder()
            .setNamespace(namespace)
            .setTopic(topic)
            .setPageSize(size)
            .setPageToken(token)
            .build();
    try {
      return stub().listEvents(request);
    } catch (StatusRuntimeException e) {
      if (e.getStatus().getCode() == Status.Code.NOT_FOUND) {
        return ListEventsResponse.getDefaultInstance();
      }
      throw e;
    }
  }
}
