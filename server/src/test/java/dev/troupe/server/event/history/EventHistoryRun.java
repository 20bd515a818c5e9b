package dev.troupe.server.event.history;

import com.google.protobuf.util.Durations;
import dev.troupe.server.redis.Partition;
import dev.troupe.v1.ConsumeOpen;
import dev.troupe.v1.CreateGroupRequest;
import dev.troupe.v1.CreateGroupResponse;
import dev.troupe.v1.GapReason;
import dev.troupe.v1.GetGroupRequest;
import dev.troupe.v1.Group;
import dev.troupe.v1.GroupSettings;
import dev.troupe.v1.GroupStart;
import dev.troupe.v1.SlowPolicy;
import dev.troupe.v1.StartPosition;
import dev.troupe.v1.SubscribeRequest;
import io.grpc.ManagedChannel;
import io.grpc.StatusRuntimeException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.Queue;
import java.util.Random;
import java.util.UUID;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Predicate;
import java.util.stream.IntStream;
import org.awaitility.Awaitility;
import org.awaitility.core.ConditionTimeoutException;

/**
 * One random run: publishers, subscriptions of several kinds and a group, all on several servers,
 * while one thing after the other goes wrong or nothing does; and the check of all that was seen.
 */
public final class EventHistoryRun {

  /** How many partitions the servers must give a namespace. */
  public static final int PARTITIONS = 2;

  private static final List<String> TOPICS = List.of("h.one", "h.two", "h.three");
  private static final String GROUPED = "h.one";
  private static final String GROUP = "members";
  private static final int PUBLISHERS = 3;
  private static final int MEMBERS = 3;
  private static final int STANDING = 5;
  private static final int WITHOUT_FAULTS_MILLIS = 1500;
  private static final Duration PATIENCE = Duration.ofSeconds(60);

  private final String namespace = "history-" + UUID.randomUUID();
  private final Machines machines;
  private final List<ManagedChannel> servers;
  private final HistoryPlan plan;
  private final Random random;
  private final AnyServer anyServer;
  private final LogTrimmer trimmer;
  private final Published published = new Published();
  private final GroupHistory group = new GroupHistory();
  private final Trims trims = new Trims();
  private final List<Subscription> subscriptions = new CopyOnWriteArrayList<>();
  private final List<Member> members = new ArrayList<>();
  private final List<RedisCrash> crashes = new ArrayList<>();
  private final List<Thread> threads = new CopyOnWriteArrayList<>();
  private final Queue<Throwable> failures = new ConcurrentLinkedQueue<>();
  private volatile boolean publishedEnough;
  private List<Seen.Got> log = List.of();

  /** Prepares a run; the same seed makes the same choices, not the same timing. */
  public EventHistoryRun(Machines machines, long seed) {
    this.machines = machines;
    this.servers = machines.channels();
    this.plan = HistoryPlan.of(seed);
    this.random = new Random(plan.seed());
    this.anyServer = new AnyServer(namespace, servers, random.nextLong());
    this.trimmer =
        new LogTrimmer(
            machines::ask,
            IntStream.range(0, PARTITIONS)
                .mapToObj(index -> new Partition(namespace, index, PARTITIONS))
                .toList(),
            plan.logEntries(),
            this::goesOn,
            trims,
            random.nextLong());
  }

  /**
   * What a run was.
   *
   * @param accepted events that publishers were told to be accepted
   * @param lost of them, how many a crash took
   * @param losses how often a subscription was told that the log lost its end
   * @param passedOver how often one was told that it was too slow, as it wanted
   * @param trimmed how often one was told that the log was trimmed
   * @param older events that subscriptions got from the topics, as the log no longer had them
   */
  public record Figures(
      int faults,
      int crashes,
      int accepted,
      int lost,
      long losses,
      long passedOver,
      long trimmed,
      long older) {

    /** Of no run. */
    public static final Figures NONE = new Figures(0, 0, 0, 0, 0, 0, 0, 0);

    /** Of two runs together. */
    public Figures plus(Figures other) {
      return new Figures(
          faults + other.faults,
          crashes + other.crashes,
          accepted + other.accepted,
          lost + other.lost,
          losses + other.losses,
          passedOver + other.passedOver,
          trimmed + other.trimmed,
          older + other.older);
    }
  }

  /** What it was, after it was run. */
  public Figures figures() {
    return new Figures(
        plan.faults().size(),
        crashes.size(),
        published.accepted().size(),
        LogCheck.missing(published, log).size(),
        gaps(GapReason.GAP_REASON_EPOCH_CHANGED),
        gaps(GapReason.GAP_REASON_SLOW_READER),
        gaps(GapReason.GAP_REASON_TRIMMED),
        subscriptions.stream().mapToLong(one -> one.reader().countOlder(trims)).sum());
  }

  private long gaps(GapReason reason) {
    return subscriptions.stream()
        .flatMap(one -> one.reader().history().stream())
        .filter(seen -> seen instanceof Seen.Missing missing && missing.reason() == reason)
        .count();
  }

  /** What it does. */
  @Override
  public String toString() {
    return plan.toString();
  }

  /** Runs, and yields all that was wrong. */
  public List<String> run() throws Exception {
    AnyServer.answer(this::createGroup);
    subscribe();
    try {
      join();
      List<Thread> workers = workers();
      // Or a crash would take the group too.
      Pause.millis(plan.faults().isEmpty() ? 0 : 1_200);
      try {
        for (HistoryPlan.Fault fault : plan.faults()) {
          Pause.millis(fault.quietMillis());
          happen(fault);
        }
        Pause.millis(plan.faults().isEmpty() ? WITHOUT_FAULTS_MILLIS : 300);
      } finally {
        publishedEnough = true;
      }
      for (Thread worker : workers) {
        worker.join();
      }
      List<String> violations = new ArrayList<>();
      try {
        settle();
        violations.addAll(countedByTheGroup());
      } catch (ConditionTimeoutException | StatusRuntimeException e) {
        violations.add("not done in time: " + e.getMessage());
        System.out.println(machines.threads());
      }
      violations.addAll(violations());
      return violations;
    } finally {
      publishedEnough = true;
      subscriptions.forEach(one -> one.reader().stop());
      members.forEach(Member::close);
      for (Thread thread : threads) {
        thread.join(5_000);
      }
    }
  }

  private void happen(HistoryPlan.Fault fault) throws Exception {
    int server = fault.whom() % servers.size();
    switch (fault.kind()) {
      case SERVER_KILLED -> {
        machines.kill(server);
        Pause.millis(fault.millis());
        machines.start(server);
      }
      case REDIS_KILLED -> crash(fault);
      case BOTH_KILLED -> {
        machines.kill(server);
        crash(fault);
        machines.start(server);
      }
      case SERVER_PAUSED -> {
        machines.hold(server, true);
        Pause.millis(fault.millis());
        machines.hold(server, false);
      }
      case REDIS_PAUSED -> {
        machines.holdRedis(true);
        Pause.millis(fault.millis());
        machines.holdRedis(false);
      }
      case REDIS_KILLED_WHILE_A_SERVER_IS_PAUSED -> {
        machines.hold(server, true);
        crash(fault);
        Pause.millis(fault.millis());
        machines.hold(server, false);
      }
      case READER_SLOW -> subscriptions.get(fault.whom() % STANDING).reader().rest(fault.millis());
      case MEMBER_SILENT -> members.get(fault.whom() % members.size()).rest(fault.millis());
    }
  }

  private void crash(HistoryPlan.Fault fault) throws Exception {
    if (machines.mayLose()) {
      trimmer.spareWhatComes();
    }
    crashes.add(machines.crash(fault.share(), fault.millis(), new RedisCrash.Remains(namespace)));
  }

  /** Waits until all have what there is, or what is there will never be enough. */
  private void settle() {
    do {
      log = log();
      Awaitility.await()
          .atMost(PATIENCE)
          .until(
              () ->
                  !failures.isEmpty()
                      || subscriptions.stream()
                          .allMatch(one -> hasTheLast(one) && knowsWhatIsLost(one)));
      awaitGroup();
      // A call that its publisher had given up may have come to the topic meanwhile.
    } while (failures.isEmpty() && !log().equals(log));
  }

  private boolean hasTheLast(Subscription one) {
    List<Seen.Got> last =
        TOPICS.stream().flatMap(topic -> last(topic, one.wanted()).stream()).toList();
    return last.stream().allMatch(one.reader()::hasGot)
        || one.check(trims, mayHaveLost()).accountsFor(last, one.reader().history(), this::home);
  }

  /** When nothing is published after a crash, it may have the last and not be told of more yet. */
  private boolean knowsWhatIsLost(Subscription one) {
    List<Seen> history = one.reader().history();
    return one.check(trims, mayHaveLost()).sawOnly(log, history, this::home)
        || one.check(trims, mayHaveLost()).sawOnly(log(), history, this::home);
  }

  private Optional<Seen.Got> last(String topic, Predicate<Seen.Got> wanted) {
    return log.stream()
        .filter(event -> event.event().topic().equals(topic) && wanted.test(event))
        .max(Comparator.comparingLong(Seen.Got::topicPosition));
  }

  private int home(String topic) {
    return Partition.of(namespace, PARTITIONS, topic).index();
  }

  private boolean mayHaveLost() {
    return crashes.stream().anyMatch(RedisCrash::mayLose);
  }

  private List<String> violations() {
    List<String> violations = new ArrayList<>();
    failures.forEach(failure -> violations.add("failed: " + failure));
    violations.addAll(new LogCheck(published, crashes).violations(log));
    for (Subscription one : subscriptions) {
      violations.addAll(
          one.check(trims, mayHaveLost())
              .violations(one.reader().history(), log, one.wanted(), this::home));
    }
    violations.addAll(
        group.violations(grouped(), plan.faults().isEmpty(), plan.ordered(), crashes));
    return violations;
  }

  private List<Seen.Got> grouped() {
    return log.stream().filter(event -> event.event().topic().equals(GROUPED)).toList();
  }

  private List<String> countedByTheGroup() {
    Group counted = getGroup();
    return counted.getAcknowledgedCount() == grouped().size() && counted.getDeadCount() == 0
        ? List.of()
        : List.of("of " + grouped().size() + " events the group counted " + counted);
  }

  private CreateGroupResponse createGroup() {
    return anyServer
        .stub()
        .createGroup(
            CreateGroupRequest.newBuilder()
                .setNamespace(namespace)
                .setTopic(GROUPED)
                .setGroup(GROUP)
                .setSettings(
                    GroupSettings.newBuilder()
                        .setAckDeadline(Durations.fromSeconds(plan.ackSeconds()))
                        .setMaxDeliveries(1000)
                        .setOrderedByKey(plan.ordered()))
                .setStart(
                    GroupStart.newBuilder().setPosition(StartPosition.START_POSITION_BEGINNING))
                .build());
  }

  private Group getGroup() {
    GetGroupRequest request =
        GetGroupRequest.newBuilder()
            .setNamespace(namespace)
            .setTopic(GROUPED)
            .setGroup(GROUP)
            .build();
    return AnyServer.answer(() -> anyServer.stub().getGroup(request).getGroup());
  }

  private void awaitGroup() {
    Awaitility.await()
        .atMost(PATIENCE)
        .until(
            () -> {
              Group now = getGroup();
              return !failures.isEmpty()
                  || (now.getLag() == 0 && now.getOutstanding() == 0 && now.getWaiting() == 0);
            });
  }

  /** All that the topics have, each from its oldest event to its newest. */
  private List<Seen.Got> log() {
    return TOPICS.stream().flatMap(topic -> anyServer.list(topic).stream()).toList();
  }

  private void subscribe() {
    subscribe(
        "the reader of one topic",
        SubscribeRequest.newBuilder().addTopics(GROUPED).setMaxBatchSize(1 + random.nextInt(64)),
        event -> event.event().topic().equals(GROUPED));
    subscribe(
        "the reader of all topics by name",
        SubscribeRequest.newBuilder().addAllTopics(TOPICS),
        event -> true);
    subscribe(
        "the reader of all topics", SubscribeRequest.newBuilder().addTopics("h.*"), event -> true);
    subscribe(
        "the reader of one type",
        SubscribeRequest.newBuilder().addTopics("h.*").addTypes("third"),
        event -> Integer.parseInt(event.event().id()) % 3 == 0);
    subscribe(
        "the reader that passes over",
        SubscribeRequest.newBuilder()
            .addTopics("h.*")
            .setSlowPolicy(SlowPolicy.SLOW_POLICY_DROP_OLDEST),
        event -> true);
  }

  private void subscribe(
      String name, SubscribeRequest.Builder request, Predicate<Seen.Got> wanted) {
    SubscribeRequest open =
        request.setNamespace(namespace).setStart(StartPosition.START_POSITION_BEGINNING).build();
    Reader reader = new Reader(open, Bookmark.NONE, servers, random.nextLong());
    begin(new Subscription(name, open, wanted, reader));
  }

  private void begin(Subscription one) {
    subscriptions.add(one);
    threads.add(start(one.name(), one.reader()));
  }

  private void join() {
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
              !plan.faults().isEmpty(),
              group,
              failures::add,
              random.nextLong()));
    }
  }

  private boolean goesOn() {
    return !publishedEnough && failures.isEmpty();
  }

  private List<Thread> workers() {
    List<Thread> workers = new ArrayList<>();
    for (int i = 0; i < PUBLISHERS; i++) {
      String name = "publisher-" + i;
      workers.add(
          start(
              name,
              new Publisher(
                  name,
                  namespace,
                  TOPICS,
                  servers,
                  plan.paceMillis(),
                  this::goesOn,
                  published,
                  random.nextLong())));
    }
    if (plan.logEntries() > 0) {
      workers.add(start("trimmer", trimmer));
    }
    workers.add(
        start(
            "late readers",
            new LateReaders(
                namespace,
                TOPICS,
                servers,
                List.copyOf(subscriptions),
                this::home,
                this::begin,
                this::goesOn,
                random.nextLong())));
    return workers;
  }

  private Thread start(String name, Runnable work) {
    Thread thread =
        new Thread(
            () -> {
              try {
                work.run();
              } catch (RuntimeException | Error failure) {
                failures.add(failure);
              }
            },
            name);
    thread.setDaemon(true);
    thread.start();
    return thread;
  }
}
