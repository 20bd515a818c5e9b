package dev.troupe.server.event.history;

import com.google.protobuf.util.Durations;
import dev.troupe.v1.ConsumeOpen;
import dev.troupe.v1.CreateGroupRequest;
import dev.troupe.v1.EventStreamServiceGrpc;
import dev.troupe.v1.GetGroupRequest;
import dev.troupe.v1.Group;
import dev.troupe.v1.GroupSettings;
import dev.troupe.v1.GroupStart;
import dev.troupe.v1.StartPosition;
import dev.troupe.v1.SubscribeRequest;
import io.grpc.ManagedChannel;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import org.awaitility.Awaitility;

/**
 * One random run: publishers, subscriptions of several kinds and a group, all on several servers,
 * while one thing after the other goes wrong or nothing does.
 */
public final class EventHistoryRun {

  private static final List<String> TOPICS = List.of("h.one", "h.two", "h.three");
  private static final String GROUPED = "h.one";
  private static final String GROUP = "members";
  private static final int PUBLISHERS = 3;
  private static final int MEMBERS = 3;
  private static final Duration PATIENCE = Duration.ofSeconds(90);

  /** Something that goes wrong, and is well again when it returns. */
  public interface Fault {
    void happen(Random random) throws Exception;
  }

  private final String namespace = "history-" + UUID.randomUUID();
  private final List<ManagedChannel> servers;
  private final Random random;
  private final Set<Seen.Event> accepted = ConcurrentHashMap.newKeySet();
  private final GroupHistory group = new GroupHistory();

  /** Prepares a run; the same seed makes the same choices, not the same timing. */
  public EventHistoryRun(List<ManagedChannel> servers, long seed) {
    this.servers = servers;
    this.random = new Random(seed);
  }

  /** A subscription and what it wants. */
  private record Wanting(boolean wholeTopics, Predicate<Seen.Event> wanted, Reader reader) {}

  /** How many events were accepted. */
  public int accepted() {
    return accepted.size();
  }

  /**
   * Runs, and yields all that was wrong.
   *
   * @param faults how many things go wrong; with none, each event has to reach the group once
   * @param mayMiss whether what was accepted may be lost, if readers are told so
   */
  public List<String> run(int events, int faults, Fault fault, boolean mayMiss) throws Exception {
    createGroup();
    Map<String, Wanting> readers = readers();
    List<Member> members = new ArrayList<>();
    List<Thread> threads = new ArrayList<>();
    readers.forEach((name, one) -> threads.add(start(name, one.reader)));
    try {
      for (int i = 0; i < MEMBERS; i++) {
        members.add(
            new Member(
                ConsumeOpen.newBuilder()
                    .setNamespace(namespace)
                    .setTopic(GROUPED)
                    .setGroup(GROUP)
                    .setMemberId("member-" + i)
                    .setCredits(1 + random.nextInt(20))
                    .build(),
                servers,
                faults > 0,
                group,
                random.nextLong()));
      }
      List<Thread> publishers = publishers(events);
      for (int i = 0; i < faults; i++) {
        fault.happen(random);
      }
      for (Thread publisher : publishers) {
        publisher.join();
      }
      Awaitility.await()
          .atMost(PATIENCE)
          .until(() -> readers.values().stream().allMatch(this::isDone));
      awaitGroup();
      List<String> violations = new ArrayList<>();
      readers.forEach(
          (name, one) ->
              violations.addAll(
                  new SubscriptionCheck(name)
                      .violations(
                          one.reader.history(), one.wholeTopics, accepted, one.wanted, mayMiss)));
      violations.addAll(
          group.violations(
              accepted.stream().filter(event -> event.topic().equals(GROUPED)).toList(),
              faults == 0));
      return violations;
    } catch (org.awaitility.core.ConditionTimeoutException e) {
      List<String> violations = new ArrayList<>(List.of("not done in time: " + e.getMessage()));
      readers.forEach(
          (name, one) ->
              violations.addAll(
                  new SubscriptionCheck(name)
                      .violations(
                          one.reader.history(), one.wholeTopics, accepted, one.wanted, mayMiss)));
      return violations;
    } finally {
      readers.values().forEach(one -> one.reader.stop());
      members.forEach(Member::close);
      for (Thread thread : threads) {
        thread.join(5_000);
      }
    }
  }

  private boolean isDone(Wanting one) {
    return one.reader.hasHoles()
        || accepted.stream().filter(one.wanted).allMatch(one.reader::hasGot);
  }

  private void createGroup() {
    EventStreamServiceGrpc.newBlockingStub(servers.get(0))
        .withDeadlineAfter(10, TimeUnit.SECONDS)
        .withWaitForReady()
        .createGroup(
            CreateGroupRequest.newBuilder()
                .setNamespace(namespace)
                .setTopic(GROUPED)
                .setGroup(GROUP)
                .setSettings(
                    GroupSettings.newBuilder()
                        .setAckDeadline(Durations.fromSeconds(5))
                        .setMaxDeliveries(1000))
                .setStart(
                    GroupStart.newBuilder().setPosition(StartPosition.START_POSITION_BEGINNING))
                .build());
  }

  private void awaitGroup() {
    Awaitility.await()
        .atMost(PATIENCE)
        .ignoreExceptions()
        .until(
            () -> {
              Group now =
                  EventStreamServiceGrpc.newBlockingStub(servers.get(random.nextInt(2)))
                      .withDeadlineAfter(3, TimeUnit.SECONDS)
                      .getGroup(
                          GetGroupRequest.newBuilder()
                              .setNamespace(namespace)
                              .setTopic(GROUPED)
                              .setGroup(GROUP)
                              .build())
                      .getGroup();
              return now.getLag() == 0 && now.getOutstanding() == 0 && now.getWaiting() == 0;
            });
  }

  private Map<String, Wanting> readers() {
    Map<String, Wanting> readers = new LinkedHashMap<>();
    readers.put(
        "the reader of one topic",
        reader(
            subscription(GROUPED).setMaxBatchSize(1 + random.nextInt(64)),
            true,
            event -> event.topic().equals(GROUPED)));
    readers.put("the reader of all topics", reader(subscription("h.*"), true, event -> true));
    readers.put(
        "the reader of one type",
        reader(
            subscription("h.*").addTypes("third"),
            false,
            event -> Integer.parseInt(event.id()) % 3 == 0));
    return readers;
  }

  private SubscribeRequest.Builder subscription(String topics) {
    return SubscribeRequest.newBuilder().setNamespace(namespace).addTopics(topics);
  }

  private Wanting reader(
      SubscribeRequest.Builder request, boolean wholeTopics, Predicate<Seen.Event> wanted) {
    return new Wanting(
        wholeTopics, wanted, new Reader(request.build(), servers, random.nextLong()));
  }

  private List<Thread> publishers(int events) {
    List<Thread> threads = new ArrayList<>();
    for (int i = 0; i < PUBLISHERS; i++) {
      String name = "publisher-" + i;
      threads.add(
          start(
              name,
              new Publisher(
                  name, namespace, TOPICS, servers, events, accepted, random.nextLong())));
    }
    return threads;
  }

  private static Thread start(String name, Runnable work) {
    Thread thread = new Thread(work, name);
    thread.setDaemon(true);
    thread.start();
    return thread;
  }
}
