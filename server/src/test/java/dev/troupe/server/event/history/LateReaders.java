package dev.troupe.server.event.history;

import com.google.protobuf.util.Timestamps;
import dev.troupe.server.grpc.Outage;
import dev.troupe.v1.ListEventsResponse;
import dev.troupe.v1.StartPosition;
import dev.troupe.v1.SubscribeRequest;
import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.util.List;
import java.util.Random;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.function.Predicate;
import java.util.function.ToIntFunction;

/**
 * Begins subscriptions while a run goes on, and one at its end: at the beginning, where another one
 * came by, behind a page of a listing, at a time. So they have to read what the log may no longer
 * have.
 */
final class LateReaders implements Runnable {

  private static final int PACE_MILLIS = 400;
  private static final int MOST_PER_PAGE = 200;

  private final String namespace;
  private final List<String> topics;
  private final List<ManagedChannel> servers;
  private final AnyServer anyServer;
  private final List<Subscription> others;
  private final ToIntFunction<String> home;
  private final Consumer<Subscription> begin;
  private final BooleanSupplier goOn;
  private final Random random;
  private int number;

  private enum Start {
    AT_THE_BEGINNING,
    BY_A_PATTERN,
    WHERE_ANOTHER_CAME_BY,
    BEHIND_A_PAGE,
    AT_A_TIME
  }

  /**
   * Prepares them.
   *
   * @param others that began before, and whose tokens are taken
   * @param home the partition of a topic
   * @param begin lets one begin
   */
  LateReaders(
      String namespace,
      List<String> topics,
      List<ManagedChannel> servers,
      List<Subscription> others,
      ToIntFunction<String> home,
      Consumer<Subscription> begin,
      BooleanSupplier goOn,
      long seed) {
    this.namespace = namespace;
    this.topics = topics;
    this.servers = servers;
    this.others = others;
    this.home = home;
    this.begin = begin;
    this.goOn = goOn;
    this.random = new Random(seed);
    this.anyServer = new AnyServer(namespace, servers, random.nextLong());
  }

  @Override
  public void run() {
    Start[] starts = Start.values();
    while (goOn.getAsBoolean()) {
      Pause.millis(random.nextInt(2 * PACE_MILLIS));
      begin(starts[random.nextInt(starts.length)]);
    }
    begin(Start.AT_THE_BEGINNING);
  }

  private void begin(Start start) {
    switch (start) {
      case AT_THE_BEGINNING -> atTheBeginning();
      case BY_A_PATTERN ->
          begin(start, fromTheBeginning().addTopics("h.*"), event -> true, Bookmark.NONE);
      case WHERE_ANOTHER_CAME_BY -> whereAnotherCameBy();
      case BEHIND_A_PAGE -> behindAPage();
      case AT_A_TIME -> atATime();
    }
  }

  private void atTheBeginning() {
    List<String> some = topics.subList(0, 1 + random.nextInt(topics.size()));
    begin(
        Start.AT_THE_BEGINNING,
        fromTheBeginning().addAllTopics(some),
        event -> some.contains(event.event().topic()),
        Bookmark.NONE);
  }

  private void whereAnotherCameBy() {
    Subscription other = others.get(random.nextInt(others.size()));
    begin(
        Start.WHERE_ANOTHER_CAME_BY,
        other.request().toBuilder(),
        other.wanted(),
        other.reader().bookmark(random));
  }

  private void behindAPage() {
    String topic = anyTopic();
    ListEventsResponse page = page(topic);
    if (page.getResumeToken().isEmpty()) {
      return;
    }
    List<Seen.Got> events = page.getDeliveriesList().stream().map(Seen.Got::of).toList();
    long last = events.get(events.size() - 1).position();
    Seen seen = new Seen.Batch(home.applyAsInt(topic), true, 0, last, events);
    begin(
        Start.BEHIND_A_PAGE,
        request().addTopics(topic),
        event -> event.event().topic().equals(topic),
        new Bookmark(page.getResumeToken(), List.of(seen), System.nanoTime()));
  }

  private void atATime() {
    String topic = anyTopic();
    List<Long> times =
        page(topic).getDeliveriesList().stream()
            .map(one -> Timestamps.toMillis(one.getAcceptTime()))
            .toList();
    if (times.isEmpty()) {
      return;
    }
    long time = times.get(random.nextInt(times.size()));
    begin(
        Start.AT_A_TIME,
        request().addTopics(topic).setStartTime(Timestamps.fromMillis(time)),
        event -> event.event().topic().equals(topic) && event.acceptedMillis() >= time,
        Bookmark.NONE);
  }

  private void begin(
      Start start,
      SubscribeRequest.Builder request,
      Predicate<Seen.Got> wanted,
      Bookmark bookmark) {
    SubscribeRequest open = request.setMaxBatchSize(1 + random.nextInt(64)).build();
    String name = "the late reader " + number++ + " " + start;
    Reader reader = new Reader(open, bookmark, servers, random.nextLong());
    begin.accept(new Subscription(name, open, wanted, reader));
  }

  private SubscribeRequest.Builder request() {
    return SubscribeRequest.newBuilder().setNamespace(namespace);
  }

  private SubscribeRequest.Builder fromTheBeginning() {
    return request().setStart(StartPosition.START_POSITION_BEGINNING);
  }

  private String anyTopic() {
    return topics.get(random.nextInt(topics.size()));
  }

  /** The first page of a topic; nothing while servers or Redis are away. */
  private ListEventsResponse page(String topic) {
    try {
      return anyServer.page(topic, 1 + random.nextInt(MOST_PER_PAGE), "");
    } catch (StatusRuntimeException unanswered) {
      boolean late = unanswered.getStatus().getCode() == Status.Code.DEADLINE_EXCEEDED;
      if (!late && !Outage.explains(unanswered)) {
        throw unanswered;
      }
      return ListEventsResponse.getDefaultInstance();
    }
  }
}
