package dev.troupe.server.agent;

import static dev.troupe.server.agent.FixedNamespaces.partition;
import static org.assertj.core.api.Assertions.assertThat;

import com.google.common.base.Ticker;
import com.google.protobuf.util.Durations;
import dev.troupe.server.error.TroupeException;
import dev.troupe.server.redis.OwnRedis;
import dev.troupe.server.redis.Partition;
import dev.troupe.server.redis.Reply;
import dev.troupe.server.redis.Script;
import dev.troupe.server.redis.ScriptRunner;
import dev.troupe.v1.AgentFigures;
import dev.troupe.v1.ErrorReason;
import dev.troupe.v1.RegisterAgentRequest;
import dev.troupe.v1.TaskChange;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Figures count each attempt once, whoever counts, dies or loses what was written. */
@SuppressWarnings("NullAway.Init")
final class FigureCountingTest {

  private static final Script EMIT = Script.load("test/emit");

  private static OwnRedis redis;
  private static RedisWire wire;
  private final FixedNamespaces namespaces = new FixedNamespaces();
  private final AgentStore agents = new AgentStore(new AgentScripts(redis), namespaces);
  private final FigureCounting counting = counting(redis);

  @BeforeAll
  static void start() throws Exception {
    redis = new OwnRedis();
    wire = new RedisWire(redis.masters().get(0));
  }

  @AfterAll
  static void stop() throws Exception {
    wire.close();
    redis.close();
  }

  @AfterEach
  void empty() throws Exception {
    wire.command("FLUSHALL");
  }

  private FigureCounting counting(ScriptRunner scripts) {
    return new FigureCounting(
        new FigureStore(new AgentScripts(scripts)),
        namespaces,
        duty -> () -> CompletableFuture.completedFuture(true),
        Ticker.systemTicker());
  }

  @Test
  void figuresAreWhatTheLogsSay() throws Exception {
    register("0");
    register("1");
    long token = 0;
    for (int partition = 0; partition < 3; partition++) {
      emit(partition, "troupe.tasks", "task.enqueued", "", 0);
      token = emit(partition, "troupe.tasks", "task.completed", "1", 0);
      emit(partition, "troupe.tasks", "task.failed", "1", 0);
      emit(partition, "troupe.tasks", "task.dead", "1", 0);
      emit(partition, "troupe.tasks", "task.dead", "", 0);
      emit(partition, "troupe.tasks", "task.released", "1", 0);
      emit(partition, "troupe.tasks", "task.expired", "0", 0);
      emit(partition, "troupe.tasks", "task.quarantined", "0", 0);
      emit(partition, "troupe.tasks", "task.completed", "2", 0);
      emit(partition, "a topic", "task.completed", "1", 0);
    }
    countAll();
    assertThat(figures("0")).isEqualTo(AgentFigures.newBuilder().setTasksLost(6).build());
    AgentFigures one = figures("1");
    assertThat(one.toBuilder().clearMeanResponseTime().build())
        .isEqualTo(
            AgentFigures.newBuilder()
                .setTasksSucceeded(3)
                .setTasksFailed(6)
                .setSuccessRate(3.0 / 9)
                .build());
    assertThat(token).isPositive();
    // Two seconds, as emitted below, and what it took to write.
    assertThat(Durations.toMillis(one.getMeanResponseTime())).isBetween(1999L, 12_000L);
    // A next session goes on with them.
    assertThat(register("1").getFigures()).isEqualTo(one);
    countAll();
    assertThat(figures("1")).isEqualTo(one);
  }

  @Test
  void whoeverCountsAtTheSameTimeAndDiesOnTheWayNothingCountsTwice() throws Exception {
    for (int agent = 0; agent < 4; agent++) {
      register(Integer.toString(agent));
    }
    Random random = new Random(7);
    AtomicInteger calls = new AtomicInteger();
    // Every third script does not run, or does and its answer is lost.
    ScriptRunner faulty =
        (script, partition, arguments) -> {
          int call = calls.incrementAndGet();
          if (call % 3 != 0) {
            return redis.run(script, partition, arguments);
          }
          CompletionStage<List<Object>> first =
              call % 2 == 0
                  ? CompletableFuture.completedFuture(List.of())
                  : redis.run(script, partition, arguments);
          return first.thenCompose(
              done ->
                  CompletableFuture.failedFuture(
                      TroupeException.of(ErrorReason.ERROR_REASON_OUTCOME_UNKNOWN, "killed")));
        };
    List<FigureCounting> servers = List.of(counting, counting(faulty), counting(faulty));
    int[] expected = new int[4];
    for (int round = 0; round < 40; round++) {
      for (int i = 0; i < 30; i++) {
        int agent = random.nextInt(4);
        expected[agent]++;
        emit(
            random.nextInt(3),
            "troupe.tasks",
            "task.completed",
            Integer.toString(agent),
            1_000_000);
      }
      List<CompletableFuture<?>> running = new ArrayList<>();
      for (FigureCounting server : servers) {
        for (int partition = 0; partition < 3; partition++) {
          running.add(
              server
                  .count(partition(partition))
                  .exceptionally(killed -> null)
                  .toCompletableFuture());
        }
      }
      CompletableFuture.allOf(running.toArray(CompletableFuture<?>[]::new))
          .get(60, TimeUnit.SECONDS);
    }
    countAll();
    for (int agent = 0; agent < 4; agent++) {
      assertThat(figures(Integer.toString(agent)).getTasksSucceeded()).isEqualTo(expected[agent]);
    }
  }

  @Test
  void moreThanABatchIsCountedInSeveral() throws Exception {
    register("1");
    List<byte[]> many = new ArrayList<>();
    for (int i = 0; i < 1000; i++) {
      many.add(change("1", 1));
    }
    emit(0, "troupe.tasks", "task.completed", many);
    assertThat(get(counting.count(partition(0))).more()).isTrue();
    assertThat(figures("1").getTasksSucceeded()).isEqualTo(256);
    countAll();
    assertThat(figures("1").getTasksSucceeded()).isEqualTo(1000);
  }

  @Test
  void anotherLogOrOneThatLostItsBeginningOrItsEndIsCountedFromWhereItStands() throws Exception {
    register("1");
    for (int i = 0; i < 5; i++) {
      emit(0, "troupe.tasks", "task.completed", "1", 0);
    }
    countAll();
    // Trimmed away before it was read.
    emit(0, "troupe.tasks", "task.completed", "1", 0);
    emit(0, "troupe.tasks", "task.completed", "1", 0);
    wire.command("XTRIM", "troupe:{t/0}:log", "MAXLEN", "1");
    countAll();
    assertThat(figures("1").getTasksSucceeded()).isEqualTo(6);
    // Lost its end: what follows is told apart from what was there.
    wire.command("HSET", "troupe:{t/0}:head", "seq", "3");
    countAll();
    emit(0, "troupe.tasks", "task.completed", "1", 0);
    countAll();
    assertThat(figures("1").getTasksSucceeded()).isEqualTo(7);
    // Another one altogether, of which nothing has been counted.
    wire.command("DEL", "troupe:{t/0}:log", "troupe:{t/0}:head");
    emit(0, "troupe.tasks", "task.completed", "1", 0);
    emit(0, "troupe.tasks", "task.completed", "1", 0);
    countAll();
    countAll();
    assertThat(figures("1").getTasksSucceeded()).isEqualTo(9);
  }

  @Test
  void logsAreReadOnlyWhereThereAreAgentsAndNothingIsPassedOverThatIsTheirs() throws Exception {
    List<String> ran = new ArrayList<>();
    List<String> meanwhile = new ArrayList<>(List.of("agent/any", "agent/counted"));
    ScriptRunner runner =
        (script, partition, arguments) -> {
          ran.add(script.name());
          // An agent comes, and ends an attempt, right before this step.
          CompletableFuture<Void> before =
              meanwhile.remove(script.name())
                  ? CompletableFuture.runAsync(
                      () -> comeAndWork(script.name().equals("agent/any") ? "0" : "1"))
                  : CompletableFuture.completedFuture(null);
          return before.thenCompose(done -> redis.run(script, partition, arguments));
        };
    emit(2, "troupe.tasks", "task.completed", "2", 0);
    get(counting(runner).count(partition(2)));
    assertThat(ran).contains("agent/count");
    get(counting(runner).count(partition(2)));
    assertThat(figures("0").getTasksSucceeded()).isEqualTo(2);
    assertThat(figures("1").getTasksSucceeded()).isEqualTo(1);

    wire.command("FLUSHALL");
    ran.clear();
    meanwhile.add("agent/counted");
    emit(2, "troupe.tasks", "task.completed", "1", 0);
    get(counting(runner).count(partition(2)));
    assertThat(ran).doesNotContain("agent/count");
    get(counting(runner).count(partition(2)));
    assertThat(figures("1").getTasksSucceeded()).isEqualTo(1);
  }

  private void comeAndWork(String id) {
    try {
      register(id);
      emit(2, "troupe.tasks", "task.completed", "0", 0);
      emit(2, "troupe.tasks", "task.completed", "1", 0);
    } catch (Exception e) {
      throw new IllegalStateException(e);
    }
  }

  private void countAll() throws Exception {
    for (int partition = 0; partition < 4; partition++) {
      while (get(counting.count(partition(partition))).more()) {
        // One batch after the other.
      }
    }
  }

  /** An entry about an attempt that was leased some time ago, two seconds if not told. */
  private long emit(int partition, String topic, String type, String worker, long agoMicros)
      throws Exception {
    List<String> time = wire.texts("TIME");
    long now = Long.parseLong(time.get(0)) * 1_000_000 + Long.parseLong(time.get(1));
    long token = now - (agoMicros == 0 ? 2_000_000 : agoMicros);
    emit(partition, topic, type, List.of(change(worker, token)));
    return token;
  }

  private static byte[] change(String worker, long token) {
    return TaskChange.newBuilder().setWorkerId(worker).setFencingToken(token).build().toByteArray();
  }

  private void emit(int index, String topic, String type, List<byte[]> changes) throws Exception {
    Partition partition = partition(index);
    List<Object> arguments = new ArrayList<>(List.of(topic, type, "q/t"));
    arguments.addAll(changes);
    assertThat(new Reply(get(redis.run(EMIT, partition, arguments.toArray()))).ok()).isTrue();
  }

  private dev.troupe.v1.Agent register(String id) throws Exception {
    RegisterAgentRequest request =
        RegisterAgentRequest.newBuilder().setAgentId(id).setType("t").build();
    return get(agents.register(partition(Integer.parseInt(id)), request, "", null)).agent();
  }

  private dev.troupe.v1.Agent agent(String id) throws Exception {
    return get(agents.get(partition(Integer.parseInt(id)), id));
  }

  private AgentFigures figures(String id) throws Exception {
    return agent(id).getFigures();
  }

  private static <T> T get(CompletionStage<T> stage) throws Exception {
    return stage.toCompletableFuture().get(60, TimeUnit.SECONDS);
  }
}
