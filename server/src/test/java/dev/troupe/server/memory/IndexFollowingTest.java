package dev.troupe.server.memory;

import static dev.troupe.server.memory.MemoryHarness.text;
import static dev.troupe.server.memory.MemoryHarness.until;
import static org.assertj.core.api.Assertions.assertThat;

import com.google.common.util.concurrent.ListenableFuture;
import com.google.protobuf.util.Durations;
import dev.troupe.server.agent.RedisWire;
import dev.troupe.server.crash.TroupeProcess;
import dev.troupe.server.grpc.Refusal;
import dev.troupe.server.redis.TestRedis;
import dev.troupe.v1.ForgetMemoriesRequest;
import dev.troupe.v1.MemoryPut;
import dev.troupe.v1.MemoryServiceGrpc;
import dev.troupe.v1.MemoryServiceGrpc.MemoryServiceBlockingStub;
import dev.troupe.v1.MemoryTier;
import dev.troupe.v1.PutMemoryRequest;
import dev.troupe.v1.PutMemoryResponse;
import dev.troupe.v1.SearchMemoryRequest;
import dev.troupe.v1.SearchMemoryResponse;
import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * What a server's index finds when it cannot get to a revision, when the log was trimmed before it
 * read on, and when Redis lost its data: never what is gone, nor what is another namespace's.
 */
@SuppressWarnings("NullAway.Init")
final class IndexFollowingTest {

  private static final String HEAD = "troupe:{n/0}:head";
  private static final String LOG = "troupe:{n/0}:log";

  private TestRedis redis;
  private RedisWire wire;
  private TroupeProcess writer;
  private TroupeProcess searcher;
  private ManagedChannel toWriter;
  private ManagedChannel toSearcher;

  @BeforeEach
  void start() throws Exception {
    redis = TestRedis.single();
    wire = new RedisWire(redis.masters().get(0));
    writer = new TroupeProcess("--redis.url=" + redis.url(), "--redis.partitions=1");
    searcher = new TroupeProcess("--redis.url=" + redis.url(), "--redis.partitions=1");
    toWriter = writer.channel();
    toSearcher = searcher.channel();
  }

  @AfterEach
  void stop() throws Exception {
    toWriter.shutdownNow();
    toSearcher.shutdownNow();
    writer.close();
    searcher.close();
    wire.close();
    redis.close();
  }

  private PutMemoryResponse put(String namespace, MemoryPut.Builder item) {
    return MemoryHarness.stub(toWriter)
        .putMemory(
            PutMemoryRequest.newBuilder()
                .setNamespace(namespace)
                .setSpace("s")
                .setItem(item)
                .build());
  }

  private long put(String text) {
    return put("n", text("word " + text)).getRevision();
  }

  private void forget(String id) {
    assertThat(
            MemoryHarness.stub(toWriter)
                .forgetMemories(
                    ForgetMemoriesRequest.newBuilder()
                        .setNamespace("n")
                        .setSpace("s")
                        .addItemIds(id)
                        .build())
                .getForgottenCount())
        .isEqualTo(1);
  }

  private static SearchMemoryRequest searching(long revision) {
    return SearchMemoryRequest.newBuilder()
        .setNamespace("n")
        .setSpace("s")
        .setText("word")
        .setTopK(200)
        .setMinRevision(revision)
        .setPeek(true)
        .build();
  }

  /** What the other server than the one that writes finds. */
  private Set<String> found(long revision) {
    return texts(MemoryHarness.stub(toSearcher).searchMemory(searching(revision)));
  }

  private static Set<String> texts(SearchMemoryResponse response) {
    return response.getHitsList().stream()
        .map(hit -> hit.getItem().getContent().getText().replace("word ", ""))
        .collect(Collectors.toCollection(TreeSet::new));
  }

  @Test
  void a_revision_that_the_index_does_not_reach_in_time_is_told_with_how_far_it_is()
      throws Exception {
    long revision = put("one");
    assertThat(found(revision)).containsExactly("one");
    Refusal refusal = refusedAhead();
    assertThat(refusal.code()).isEqualTo(Status.Code.UNAVAILABLE);
    assertThat(refusal.reason()).isEqualTo("INDEX_BEHIND");
    assertThat(refusal.saysWhenToRetry()).isTrue();
    assertThat(refusal.metadata())
        .containsKeys("revision", "namespace")
        .containsEntry("space", "s")
        .containsEntry("items_loaded", "1")
        .containsEntry("items_total", "1");
    // Less may be asked for meanwhile; and what is written next closes the gap.
    assertThat(found(revision)).containsExactly("one");
    assertThat(found(put("two"))).containsExactly("one", "two");
  }

  /**
   * The refusal of a search for what was given out, but never written, as after a crash in the
   * middle of a replication. The server looks every two seconds whether the log is whole, and has
   * nothing to wait for then; so another search may be needed that comes in between.
   */
  private Refusal refusedAhead() throws Exception {
    List<Refusal> refusals = new ArrayList<>();
    until(
        () -> {
          long ahead = (Long) wire.command("HINCRBY", HEAD, "seq", "3");
          try {
            MemoryHarness.stub(toSearcher)
                .withDeadlineAfter(1, TimeUnit.SECONDS)
                .searchMemory(searching(ahead));
          } catch (StatusRuntimeException e) {
            refusals.add(Refusal.of(e));
          }
          return !refusals.isEmpty();
        });
    return refusals.get(0);
  }

  @Test
  void a_log_that_was_trimmed_past_the_index_has_it_loaded_anew() throws Exception {
    put("other", text("word elsewhere"));
    String gone = put("n", text("word forgotten")).getItem().getItemId();
    put("n", text("word expired").setLifetime(Durations.fromSeconds(1)));
    put("stays");
    assertThat(found(put("late"))).contains("forgotten", "stays", "late");
    searcher.hold(true);
    ListenableFuture<SearchMemoryResponse> held;
    long revision;
    try {
      forget(gone);
      for (int i = 0; i < 100; i++) {
        put("n", text("word new " + i, MemoryTier.MEMORY_TIER_LONG));
      }
      MemoryServiceBlockingStub other = MemoryHarness.stub(toWriter);
      until(() -> !texts(other.searchMemory(searching(0))).contains("expired"));
      revision = put("last");
      wire.command("XTRIM", LOG, "MAXLEN", "2");
      held = MemoryServiceGrpc.newFutureStub(toSearcher).searchMemory(searching(revision));
    } finally {
      searcher.hold(false);
    }
    assertThat(texts(held.get(60, TimeUnit.SECONDS)))
        .hasSize(103)
        .contains("stays", "late", "last", "new 0", "new 99");
    assertThat(found(0)).hasSize(103).doesNotContain("forgotten", "expired", "elsewhere");
  }

  @Test
  void a_log_that_was_emptied_past_the_index_has_it_loaded_anew() throws Exception {
    String gone = put("n", text("word forgotten")).getItem().getItemId();
    assertThat(found(put("stays"))).containsExactly("forgotten", "stays");
    searcher.hold(true);
    try {
      forget(gone);
      put("between");
      wire.command("XTRIM", LOG, "MAXLEN", "0");
    } finally {
      searcher.hold(false);
    }
    // Nothing that was not there may be found before it noticed, and all of it afterwards.
    assertThat(found(0)).isSubsetOf("stays", "between");
    assertThat(found(put("after"))).containsExactly("after", "between", "stays");
  }

  @Test
  void a_redis_that_was_emptied_has_nothing_left_to_find_and_counts_anew() throws Exception {
    for (int i = 0; i < 50; i++) {
      put("old " + i);
    }
    assertThat(found(put("old"))).hasSize(51);
    redis.flush();
    Refusal none = Refusal.of(() -> found(0));
    assertThat(none.reason()).isEqualTo("SPACE_NOT_FOUND");
    long revision = put("new");
    assertThat(revision).isLessThan(50);
    until(
        () -> {
          Set<String> texts = found(0);
          assertThat(texts).isSubsetOf("new");
          return !texts.isEmpty();
        });
    // From now on it waits for what is asked of it, by the new count.
    for (int i = 0; i < 20; i++) {
      assertThat(found(put("newer " + i))).hasSize(i + 2).contains("newer " + i);
    }
    // So does the server that had put much more before.
    put("own");
    assertThat(texts(MemoryHarness.stub(toWriter).searchMemory(searching(0))))
        .hasSize(22)
        .contains("own");
  }

  @Test
  void searches_find_everything_also_while_the_index_is_loaded_anew() throws Exception {
    long revision = 0;
    for (int i = 0; i < 100; i++) {
      revision = put("" + i);
    }
    assertThat(found(revision)).hasSize(100);
    for (int life = 1; life <= 3; life++) {
      // Another life of the log; its tail looks every two seconds.
      wire.command("HSET", HEAD, "epoch", Integer.toString(life));
      int loads = loads();
      until(
          () -> {
            assertThat(found(0)).hasSize(100);
            return loads() > loads;
          });
      for (int i = 0; i < 50; i++) {
        assertThat(found(0)).hasSize(100);
      }
    }
  }

  private int loads() {
    List<String> log = searcher.log();
    return (int) log.stream().filter(line -> line.contains("is not indexed, but will be")).count();
  }
}
