package dev.troupe.server.lock;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import com.google.common.base.Ticker;
import com.google.protobuf.util.Durations;
import com.google.protobuf.util.Timestamps;
import dev.troupe.server.agent.RedisWire;
import dev.troupe.server.config.DataSize;
import dev.troupe.server.error.TroupeException;
import dev.troupe.server.log.LogConfig;
import dev.troupe.server.log.RedisPartitionLogs;
import dev.troupe.server.redis.Namespaces;
import dev.troupe.server.redis.Partition;
import dev.troupe.server.redis.Script;
import dev.troupe.server.redis.TestRedis;
import dev.troupe.v1.AcquireAllRequest;
import dev.troupe.v1.AcquireRequest;
import dev.troupe.v1.Fence;
import dev.troupe.v1.LockInfo;
import dev.troupe.v1.LockLease;
import dev.troupe.v1.LockMode;
import dev.troupe.v1.LockTarget;
import dev.troupe.v1.SessionBinding;
import io.grpc.Context;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/**
 * What a repeat of an acquire finds, at every point where the first call or its server may have got
 * lost. Two servers without the work that time brings, so that each step is the test's.
 */
@SuppressWarnings("NullAway.Init")
final class LockRepeatsTest {

  private static final int PARTITIONS = 4;
  private static final long LEASE_MICROS = 20_000_000;

  private static TestRedis redis;
  private static ScheduledExecutorService timers;
  private static RedisPartitionLogs logs;

  private final String namespace = "t-" + UUID.randomUUID();
  private final Server a = new Server();
  private final Server b = new Server();

  @BeforeAll
  static void start() throws Exception {
    redis = TestRedis.single();
    timers = Executors.newScheduledThreadPool(2);
    logs =
        new RedisPartitionLogs(
            redis,
            redis,
            new LogConfig(
                200_000, Duration.ofHours(24), new DataSize(1 << 20), new DataSize(1 << 28)),
            timers,
            Ticker.systemTicker());
  }

  @AfterAll
  static void stop() throws Exception {
    logs.close();
    timers.shutdownNow();
    redis.close();
  }

  @AfterEach
  void audit() throws Exception {
    try (RedisWire wire = new RedisWire(redis.masters().get(0))) {
      LockAudit.check(namespace, List.of(wire));
    }
  }

  /** The partitions of the test's namespace, and of no other. */
  private final class OneNamespace implements Namespaces {
    @Override
    public CompletionStage<Partition> locate(String given, String name) {
      return CompletableFuture.completedFuture(Partition.of(given, PARTITIONS, name));
    }

    @Override
    public CompletionStage<List<Partition>> partitions(String given) {
      return CompletableFuture.completedFuture(
          IntStream.range(0, PARTITIONS)
              .mapToObj(i -> new Partition(given, i, PARTITIONS))
              .toList());
    }

    @Override
    public CompletionStage<List<String>> known() {
      return CompletableFuture.completedFuture(List.of(namespace));
    }
  }

  /** What a server has of locks. */
  private final class Server {
    private final OneNamespace namespaces = new OneNamespace();
    private final AtomicBoolean losesAnAnswer = new AtomicBoolean();
    private volatile UnaryOperator<CompletionStage<List<Object>>> keeping = answer -> answer;
    private volatile boolean killed;
    private final LockStore store = new LockStore(this::run, namespaces, new LockConfig(1000));
    private final Wishes wishes = new Wishes();
    private final LockWaits waits =
        new LockWaits(store, new Deadlocks(store, namespaces, timers), logs, timers);
    private final LockSets sets = new LockSets(store, waits, timers);

    private CompletionStage<List<Object>> run(
        Script script, Partition partition, Object... arguments) {
      if (killed) {
        return new CompletableFuture<>();
      }
      CompletionStage<List<Object>> answer = redis.run(script, partition, arguments);
      if (script.name().equals("lock/keep")) {
        return keeping.apply(answer);
      }
      return losesAnAnswer.compareAndSet(true, false) ? lost(answer) : answer;
    }

    static CompletionStage<List<Object>> lost(CompletionStage<List<Object>> answer) {
      return answer.thenCompose(
          lost ->
              CompletableFuture.failedFuture(
                  TroupeException.outcomeUnknown(new IOException("lost"))));
    }

    CompletableFuture<LockAnswer> begin(AcquireRequest request) {
      return sets.acquire(namespace, wishes.of(request), Context.ROOT).toCompletableFuture();
    }

    LockAnswer acquire(Wish wish) throws Exception {
      return LockRepeatsTest.get(store.acquire(home(wish.targets().get(0).name()), wish));
    }

    void detach(Wish wish) throws Exception {
      LockRepeatsTest.get(store.detach(home(wish.targets().get(0).name()), wish));
    }

    CompletableFuture<LockAnswer> all(AcquireAllRequest request, Context caller) {
      return sets.acquire(namespace, wishes.of(request), caller).toCompletableFuture();
    }
  }

  private Partition home(String name) {
    return Partition.of(namespace, PARTITIONS, name);
  }

  /** A name that belongs to a partition. */
  private String in(int partition) {
    return in(partition, 0);
  }

  private String in(int partition, int which) {
    return Stream.iterate(0, i -> i + 1)
        .map(i -> "l" + i)
        .filter(name -> home(name).index() == partition)
        .skip(which)
        .findFirst()
        .orElseThrow();
  }

  private static AcquireRequest.Builder lock(String name, String owner) {
    return AcquireRequest.newBuilder()
        .setName(name)
        .setOwner(owner)
        .setTtl(Durations.fromMicros(LEASE_MICROS));
  }

  private static AcquireAllRequest all(String owner, String... names) {
    AcquireAllRequest.Builder request =
        AcquireAllRequest.newBuilder()
            .setOwner(owner)
            .setTtl(Durations.fromMicros(LEASE_MICROS))
            .setWait(Durations.fromSeconds(30))
            .setRequestId("r");
    for (String name : names) {
      request.addLocks(LockTarget.newBuilder().setName(name));
    }
    return request.build();
  }

  private static <T> T get(CompletionStage<T> stage) throws Exception {
    return stage.toCompletableFuture().get(60, TimeUnit.SECONDS);
  }

  private static LockLease lease(LockAnswer answer) {
    assertThat(answer).isInstanceOf(LockAnswer.Granted.class);
    return ((LockAnswer.Granted) answer).leases().get(0);
  }

  private LockInfo see(String name) throws Exception {
    return get(a.store.get(home(name), List.of(name))).get(0);
  }

  private void release(LockLease lease) throws Exception {
    LockChangeRequest.Release release =
        new LockChangeRequest.Release(
            lease.getName(), lease.getLeaseId(), "", "", Fence.getDefaultInstance());
    assertThat(get(b.store.release(home(lease.getName()), release)).released()).isTrue();
  }

  private static void pass(Duration time) {
    long end = System.nanoTime() + time.toNanos();
    Awaiting.until(() -> System.nanoTime() > end);
  }

  @Test
  void aFirstCallThatGivesUpLateTakesNothingFromItsRepeat() throws Exception {
    AcquireRequest request = lock("l", "o").setRequestId("r").build();
    Wish first = a.wishes.of(request);
    lease(a.acquire(first));
    LockLease repeated = lease(b.acquire(b.wishes.of(request)));
    a.detach(first);
    assertThat(see("l").getHolders(0).getExpireTime())
        .as("what the repeat was told")
        .isEqualTo(repeated.getExpireTime());
    release(repeated);
  }

  @Test
  void aLeaseThatRanOutAndIsAskedForAgainCountsOnce() throws Exception {
    AcquireRequest request =
        lock("l", "o")
            .setMode(LockMode.LOCK_MODE_SHARED)
            .setTtl(Durations.fromSeconds(1))
            .setRequestId("r")
            .build();
    Wish first = a.wishes.of(request);
    LockLease lost = lease(a.acquire(first));
    a.detach(first);
    pass(Duration.ofMillis(1100));
    // Nobody has swept yet.
    LockLease again = lease(b.acquire(b.wishes.of(request)));
    assertThat(again.getFencingToken()).isGreaterThan(lost.getFencingToken());
    assertThat(see("l").getHeld()).isEqualTo(1);
    release(again);
    assertThat(see("l").getHeld()).isZero();
  }

  @Test
  void aServerThatAsksIsNotPassedOver() throws Exception {
    LockLease held = lease(a.acquire(a.wishes.of(lock("l", "holder").build())));
    AcquireRequest.Builder waits = lock("l", "paused").setWait(Durations.fromSeconds(30));
    Wish paused = b.wishes.of(waits.build());
    b.acquire(paused);
    release(held);
    // The server is paused and does not claim what it was granted.
    pass(Duration.ofMillis(5100));
    held = lease(a.acquire(a.wishes.of(lock("l", "holder").build())));
    assertThat(b.acquire(paused.again(-20_000_000))).isInstanceOf(LockAnswer.Waiting.class);
    Wish behind = a.wishes.of(lock("l", "behind").setWait(Durations.fromSeconds(30)).build());
    a.acquire(behind);
    release(held);
    assertThat(see("l").getHolders(0).getOwner()).isEqualTo("paused");
    release(lease(b.acquire(paused.again(-20_000_000))));
    release(lease(a.acquire(behind.again(-20_000_000))));
  }

  @Test
  void aSetThatIsAskedForAgainElsewhereIsNotGivenBackByTheFirstCall() throws Exception {
    String x = in(0);
    String y = in(1);
    LockLease held = lease(a.acquire(a.wishes.of(lock(y, "holder").build())));
    Context.CancellableContext caller = Context.ROOT.withCancellation();
    CompletableFuture<LockAnswer> first = a.all(all("o", x, y), caller);
    Awaiting.until(() -> see(y).getWaiterCount() == 1);
    CompletableFuture<LockAnswer> again = b.all(all("o", x, y), Context.ROOT);
    // Heard of as soon as the repeat took over its place.
    Awaiting.until(() -> get(b.store.get(home(x), List.of(x))).get(0).getHeld() == 1);
    pass(Duration.ofMillis(300));
    caller.cancel(null);
    get(first);
    pass(Duration.ofMillis(300));
    release(held);
    lease(get(again));
    for (String name : List.of(x, y)) {
      LockInfo info = see(name);
      assertThat(info.getHolders(0).getOwner()).isEqualTo("o");
      release(((LockAnswer.Granted) get(again)).leases().get(name.equals(x) ? 0 : 1));
    }
  }

  @Test
  void aSetGoesOnByAnotherServerWhenItsOwnStops() throws Exception {
    String x = in(0);
    String y = in(1);
    LockLease held = lease(a.acquire(a.wishes.of(lock(y, "holder").build())));
    CompletableFuture<LockAnswer> first = a.all(all("o", x, y), Context.ROOT);
    Awaiting.until(() -> see(y).getWaiterCount() == 1);
    get(a.waits.drain());
    assertThat(catchThrowable(() -> get(first)))
        .hasRootCauseInstanceOf(TroupeException.class)
        .hasMessageContaining("stopping");
    CompletableFuture<LockAnswer> again = b.all(all("o", x, y), Context.ROOT);
    release(held);
    LockAnswer answer = get(again);
    lease(answer);
    for (LockLease lease : ((LockAnswer.Granted) answer).leases()) {
      release(lease);
    }
  }

  @Test
  void aSetWhoseCallerIsGoneWaitsForItFiveSecondsAndNoLonger() throws Exception {
    String x = in(0);
    String y = in(1);
    Context.CancellableContext caller = Context.ROOT.withCancellation();
    caller.cancel(null);
    a.all(all("o", x, y), caller).handle((answer, failure) -> null).get(60, TimeUnit.SECONDS);
    // What is done for nobody is not waited for.
    pass(Duration.ofMillis(300));
    for (String name : List.of(x, y)) {
      for (LockLease lease : see(name).getHoldersList()) {
        assertThat(
                Durations.toMillis(Timestamps.between(lease.getGrantTime(), lease.getExpireTime())))
            .isLessThan(6000);
      }
    }
    LockAnswer again = get(b.all(all("o", x, y), Context.ROOT));
    lease(again);
    for (LockLease lease : ((LockAnswer.Granted) again).leases()) {
      release(lease);
    }
  }

  private LockInfo seeByB(String name) throws Exception {
    return get(b.store.get(home(name), List.of(name))).get(0);
  }

  private void releaseAll(LockAnswer granted) throws Exception {
    lease(granted);
    for (LockLease lease : ((LockAnswer.Granted) granted).leases()) {
      release(lease);
    }
  }

  @Test
  void whatAKilledServerHadOfASetIsFreeWithinSeconds() throws Exception {
    String x = in(0);
    String y = in(1);
    LockLease held = lease(b.acquire(b.wishes.of(lock(y, "holder").build())));
    a.all(all("o", x, y), Context.ROOT);
    Awaiting.until(() -> seeByB(y).getWaiterCount() == 1);
    a.killed = true;
    pass(Duration.ofMillis(5100));
    get(b.store.sweep(home(x)));
    assertThat(seeByB(x).getHeld()).isZero();
    release(held);
    releaseAll(get(b.all(all("o", x, y), Context.ROOT)));
  }

  @Test
  void aSetWhoseServerIsKilledAmidItsPartsIsTakenUpByTheRepeat() throws Exception {
    String x = in(0);
    String y = in(1);
    LockLease held = lease(b.acquire(b.wishes.of(lock(y, "holder").build())));
    a.all(all("o", x, y), Context.ROOT);
    Awaiting.until(() -> seeByB(y).getWaiterCount() == 1);
    a.killed = true;
    CompletableFuture<LockAnswer> again = b.all(all("o", x, y), Context.ROOT);
    CompletableFuture<LockAnswer> other =
        b.begin(lock(y, "other").setWait(Durations.fromSeconds(30)).build());
    Awaiting.until(() -> seeByB(y).getWaiterCount() == 2);
    release(held);
    LockAnswer answer = get(again);
    assertThat(seeByB(y).getHolders(0).getOwner()).as("its place was kept").isEqualTo("o");
    for (LockLease lease : ((LockAnswer.Granted) answer).leases()) {
      assertThat(seeByB(lease.getName()).getHolders(0).getExpireTime())
          .isEqualTo(lease.getExpireTime());
      assertThat(
              Durations.toMicros(Timestamps.between(lease.getGrantTime(), lease.getExpireTime())))
          .as("lasts as long as it is to")
          .isGreaterThanOrEqualTo(LEASE_MICROS);
    }
    releaseAll(answer);
    release(lease(get(other)));
  }

  @Test
  void aSetWhoseAnswerWasLostIsAnsweredAgain() throws Exception {
    AcquireAllRequest request = all("o", in(0), in(1));
    a.keeping = Server::lost;
    assertThat(catchThrowable(() -> get(a.all(request, Context.ROOT))))
        .hasMessageContaining("outcome is unknown");
    releaseAll(get(b.all(request, Context.ROOT)));
  }

  @Test
  void aSetThatIsGivenBackIsAnsweredAsAtFirst() throws Exception {
    AcquireAllRequest request = all("o", in(0), in(1));
    LockAnswer first = get(a.all(request, Context.ROOT));
    releaseAll(first);
    assertThat(get(b.all(request, Context.ROOT))).isEqualTo(first);
    assertThat(see(in(0)).getHeld() + see(in(1)).getHeld()).isZero();
  }

  @Test
  void aSetThatWasRefusedIsRefusedAgain() throws Exception {
    String x = in(0);
    String y = in(1);
    LockLease held = lease(a.acquire(a.wishes.of(lock(y, "holder").build())));
    AcquireAllRequest request = all("o", x, y).toBuilder().clearWait().build();
    LockAnswer first = get(a.all(request, Context.ROOT));
    assertThat(first).isInstanceOf(LockAnswer.Refused.class);
    assertThat(see(x).getHeld()).as("given back before it is answered").isZero();
    release(held);
    assertThat(get(b.all(request, Context.ROOT))).isEqualTo(first);
    assertThat(see(x).getHeld() + see(y).getHeld()).isZero();
  }

  @Test
  void aFirstCallWhoseCallerGoesTakesNothingOfASetFromItsRepeat() throws Exception {
    AcquireAllRequest request = all("o", in(0), in(1));
    Context.CancellableContext caller = Context.ROOT.withCancellation();
    CompletableFuture<LockAnswer> repeated = new CompletableFuture<>();
    // The repeat is answered, and only then the first caller is known to be gone.
    a.keeping =
        kept ->
            kept.thenCompose(
                reply ->
                    b.all(request, Context.ROOT)
                        .thenApply(
                            answer -> {
                              caller.cancel(null);
                              repeated.complete(answer);
                              return reply;
                            }));
    get(a.all(request, caller));
    pass(Duration.ofMillis(300));
    for (LockLease lease : ((LockAnswer.Granted) get(repeated)).leases()) {
      assertThat(see(lease.getName()).getHolders(0).getExpireTime())
          .isEqualTo(lease.getExpireTime());
      release(lease);
    }
  }

  @Test
  void aSetThatLosesAPartMeanwhileBeginsAnew() throws Exception {
    String x = in(0);
    String y = in(1);
    LockLease heldY = lease(a.acquire(a.wishes.of(lock(y, "holder").build())));
    CompletableFuture<LockAnswer> set = a.all(all("o", x, y), Context.ROOT);
    Awaiting.until(() -> see(y).getWaiterCount() == 1);
    get(b.store.force(home(x), x, "", "a test", Fence.getDefaultInstance(), "", ""));
    LockLease heldX = lease(b.acquire(b.wishes.of(lock(x, "other").build())));
    release(heldY);
    Awaiting.until(() -> see(x).getWaiterCount() == 1);
    assertThat(see(y).getHeld()).as("held while x is waited for").isZero();
    release(heldX);
    releaseAll(get(set));
  }

  @Test
  void aPartOfASetIsNotTakenForAnotherRequest() throws Exception {
    LockLease other =
        lease(a.acquire(a.wishes.of(lock(in(0, 1), "other").setRequestId("r#0").build())));
    releaseAll(get(a.all(all("o", in(0), in(1)), Context.ROOT)));
    release(other);
  }

  @Test
  void aRepeatThatGivesUpLeavesTheFirstCallItsPlace() throws Exception {
    LockLease held = lease(a.acquire(a.wishes.of(lock("l", "holder").build())));
    AcquireRequest request =
        lock("l", "o").setRequestId("r").setWait(Durations.fromSeconds(30)).build();
    Wish first = a.wishes.of(request);
    a.acquire(first);
    for (boolean timedOut : List.of(true, false)) {
      Wish repeat = b.wishes.of(request.toBuilder().setWait(Durations.fromSeconds(60)).build());
      b.acquire(repeat);
      if (timedOut) {
        assertThat(b.acquire(repeat.again(Wish.TIME_IS_UP))).isInstanceOf(LockAnswer.Refused.class);
      } else {
        b.detach(repeat);
      }
      assertThat(
              Durations.toMillis(
                  Timestamps.between(
                      see("l").getWaiters(0).getSince(), see("l").getWaiters(0).getUntil())))
          .as("waits for as long as the first call does")
          .isBetween(29_000L, 31_000L);
    }
    release(held);
    release(lease(a.acquire(first.again(-LEASE_MICROS))));
  }

  @Test
  void whatRanOutBlocksNobody() throws Exception {
    Wish holder = a.wishes.of(lock("l", "one").setTtl(Durations.fromSeconds(1)).build());
    lease(a.acquire(holder));
    Wish waits = a.wishes.of(lock("l", "two").setWait(Durations.fromSeconds(30)).build());
    a.acquire(waits);
    assertThat(get(a.store.blockers(home("l"), List.of("two")))).hasSize(1);
    pass(Duration.ofMillis(1100));
    assertThat(get(a.store.blockers(home("l"), List.of("two")))).isEmpty();
  }

  /** How often Redis was asked to look through all that a key holds. */
  private static long scans() throws IOException {
    try (RedisWire wire = new RedisWire(redis.masters().get(0))) {
      return String.valueOf(wire.command("INFO", "commandstats"))
          .lines()
          .filter(line -> line.matches("cmdstat_[hs]scan:.*"))
          .mapToLong(line -> Long.parseLong(line.replaceAll("[^=]*=(\\d+),.*", "$1")))
          .sum();
    }
  }

  private List<LockLease> share(String name, int holders) throws Exception {
    List<LockLease> leases = new ArrayList<>();
    for (int i = 0; i < holders; i++) {
      leases.add(
          lease(
              a.acquire(
                  a.wishes.of(lock(name, "o" + i).setMode(LockMode.LOCK_MODE_SHARED).build()))));
    }
    return leases;
  }

  @Test
  void howManyShareALockIsNoMatterToItsFences() throws Exception {
    List<LockLease> leases = share("l", 200);
    LockLease gone = leases.get(100);
    release(gone);
    long before = scans();
    for (LockLease lease : List.of(leases.get(0), leases.get(199))) {
      get(a.store.renew(home("l"), fenced(lease)));
    }
    assertThat(
            catchThrowable(
                () ->
                    get(
                        a.store.renew(
                            home("l"),
                            fenced(leases.get(0).toBuilder().setFence(gone.getFence()).build())))))
        .hasMessageContaining("a higher fencing token was seen");
    assertThat(scans()).isEqualTo(before);
  }

  private static LockChangeRequest.Renew fenced(LockLease lease) {
    return new LockChangeRequest.Renew(
        lease.getName(), lease.getLeaseId(), 0, "", "", lease.getFence());
  }

  @Test
  void takingALockAwayFromOneOwnerLooksAtNoOther() throws Exception {
    share("l", 200);
    long before = scans();
    for (String owner : List.of("nobody", "o77")) {
      LockStore.Forced forced =
          get(a.store.force(home("l"), "l", owner, "a test", Fence.getDefaultInstance(), "", ""));
      assertThat(forced.more()).isFalse();
      assertThat(forced.leases())
          .extracting(LockLease::getOwner)
          .isEqualTo(owner.equals("o77") ? List.of("o77") : List.of());
    }
    assertThat(scans()).isEqualTo(before);
    assertThat(see("l").getHeld()).isEqualTo(199);
  }

  @Test
  void theEndOfASessionLooksAtNoLaterOne() throws Exception {
    for (int i = 0; i < 200; i++) {
      SessionBinding session =
          SessionBinding.newBuilder().setAgentId("agent").setFencingToken(i < 3 ? 7 : 8).build();
      lease(a.acquire(a.wishes.of(lock(in(0, i), "o").setSession(session).build())));
    }
    long before = scans();
    assertThat(get(a.store.endSession(home(in(0)), "agent", 7, "a test"))).isFalse();
    assertThat(scans()).isEqualTo(before);
    assertThat(see(in(0, 2)).getHeld()).isZero();
    assertThat(see(in(0, 3)).getHeld()).isEqualTo(1);
    for (boolean more : List.of(true, true, true, false)) {
      assertThat(get(a.store.endSession(home(in(0)), "agent", 8, "a test"))).isEqualTo(more);
    }
  }

  @Test
  void aSetPassesItsFenceWhereTheFencesGrantLives() throws Exception {
    String x = in(0);
    String y = in(1);
    String guard = in(1, 1);
    LockLease lost = lease(a.acquire(a.wishes.of(lock(guard, "o").build())));
    release(lost);
    AcquireAllRequest request = all("o", x, y).toBuilder().setFence(lost.getFence()).build();
    Throwable failure = catchThrowable(() -> get(a.all(request, Context.ROOT)));
    assertThat(failure)
        .hasCauseInstanceOf(TroupeException.class)
        .hasMessageContaining("a higher fencing token was seen for this fence");
    Awaiting.until(() -> see(x).getHeld() + see(y).getHeld() == 0);
  }

  @Test
  void nothingIsLeftOfACallThatCannotBeRepeatedAndWhoseAnswerWasLost() throws Exception {
    AcquireRequest.Builder request = lock("l", "o").setWait(Durations.fromSeconds(30));
    a.losesAnAnswer.set(true);
    assertThat(catchThrowable(() -> get(a.begin(request.build()))))
        .hasMessageContaining("outcome is unknown");
    Awaiting.until(() -> see("l").getHeld() == 0);
    LockLease held = lease(a.acquire(a.wishes.of(lock("l", "holder").build())));
    a.losesAnAnswer.set(true);
    assertThat(catchThrowable(() -> get(a.begin(request.build()))))
        .hasMessageContaining("outcome is unknown");
    Awaiting.until(() -> see("l").getWaiterCount() == 0);
    release(held);
  }

  @Test
  void aCircleIsFoundByTheRepeatOfTheWaitThatClosedIt() throws Exception {
    String x = in(0, 0);
    String y = in(0, 1);
    LockLease heldX = lease(a.acquire(a.wishes.of(lock(x, "one").build())));
    LockLease heldY = lease(a.acquire(a.wishes.of(lock(y, "two").build())));
    Wish one = a.wishes.of(lock(y, "one").setWait(Durations.fromSeconds(30)).build());
    a.acquire(one);
    AcquireRequest closes =
        lock(x, "two").setWait(Durations.fromSeconds(30)).setRequestId("r").build();
    // Their servers die before they have looked.
    assertThat(a.acquire(a.wishes.of(closes))).isInstanceOf(LockAnswer.Waiting.class);
    assertThat(catchThrowable(() -> get(b.begin(closes)))).hasMessageContaining("in a circle");
    release(heldY);
    release(lease(a.acquire(one.again(-LEASE_MICROS))));
    release(heldX);
  }
}
