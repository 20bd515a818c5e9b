package dev.troupe.server.memory;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import dev.troupe.server.config.DataSize;
import dev.troupe.server.memory.MemoryScripts.Guard;
import dev.troupe.server.redis.Partition;
import dev.troupe.server.redis.TestRedis;
import dev.troupe.v1.Fence;
import dev.troupe.v1.MemoryContent;
import dev.troupe.v1.MemoryPut;
import dev.troupe.v1.MemoryTier;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.UUID;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

/** What an index reads of a space at a time, however large its items are. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@SuppressWarnings("NullAway.Init")
final class IndexReadsTest {

  private static final Guard NOTHING = new Guard(Fence.getDefaultInstance(), "", "");
  private static final int ITEM_BYTES = 200 << 10;
  private static final int ITEMS = 40;

  private TestRedis redis;
  private PutStore store;
  private IndexReads reads;
  private final Partition partition = new Partition("t" + UUID.randomUUID(), 0, 1);

  @BeforeAll
  void fill() throws Exception {
    redis = TestRedis.single();
    MemoryScripts scripts = new MemoryScripts(redis);
    MemoryConfig config =
        new MemoryConfig(
            Duration.ofMinutes(15),
            Duration.ofHours(1),
            Duration.ofHours(24),
            Duration.ofMinutes(1),
            Duration.ofDays(7),
            1_000_000,
            new DataSize(1L << 30),
            10_000,
            10_000,
            "",
            Duration.ZERO);
    store = new PutStore(scripts, config, new SpaceDefaults(config));
    reads = new IndexReads(scripts);
  }

  @AfterAll
  void stop() throws Exception {
    redis.close();
  }

  @Test
  void largeItemsAreReadAFewAtATimeAndNoneIsLeftOut() throws Exception {
    List<String> all = put("large", ITEMS, ITEM_BYTES);
    List<String> paged = new ArrayList<>();
    String after = "";
    do {
      IndexReads.Some some = get(reads.page(partition, "large", after, 512)).orElseThrow();
      long bytes = some.rows().stream().mapToLong(row -> row.content().size()).sum();
      assertThat(bytes).isLessThan(3 << 20);
      some.rows().forEach(row -> paged.add(row.id()));
      after = some.next();
    } while (!after.isEmpty());
    assertThat(paged).containsExactlyElementsOf(all);

    List<String> wanted = new ArrayList<>(all);
    wanted.add(7, "not-there");
    IndexReads.Some byIds = get(reads.items(partition, "large", wanted)).orElseThrow();
    assertThat(byIds.rows()).extracting(IndexReads.Row::id).containsExactlyElementsOf(all);
    assertThat(get(reads.items(partition, "no-such-space", wanted))).isEmpty();
  }

  @Test
  void smallItemsFillAPage() throws Exception {
    List<String> all = put("small", 100, 10);
    IndexReads.Some first = get(reads.page(partition, "small", "", 60)).orElseThrow();
    IndexReads.Some second = get(reads.page(partition, "small", first.next(), 60)).orElseThrow();
    List<String> paged = new ArrayList<>();
    first.rows().forEach(row -> paged.add(row.id()));
    assertThat(paged).hasSize(60);
    second.rows().forEach(row -> paged.add(row.id()));
    assertThat(paged).containsExactlyElementsOf(all);
    assertThat(second.next()).isEmpty();
  }

  private List<String> put(String space, int count, int bytes) throws Exception {
    Random random = new Random(1);
    List<String> ids = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      byte[] data = new byte[bytes];
      random.nextBytes(data);
      MemoryPut item =
          MemoryPut.newBuilder()
              .setTier(MemoryTier.MEMORY_TIER_LONG)
              .setContent(MemoryContent.newBuilder().setBytesData(ByteString.copyFrom(data)))
              .build();
      var put = get(store.put(partition, new PutCall(space, List.of(NewItem.of(item)), NOTHING)));
      ids.add(((PutResult.Added) put.results().get(0)).id());
    }
    return ids;
  }

  private static <T> T get(CompletionStage<T> stage) throws Exception {
    return stage.toCompletableFuture().get(60, TimeUnit.SECONDS);
  }
}
