package dev.troupe.server.memory.search;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Changes, and searches in the midst of them. */
final class SpaceIndexTest {

  private static final String OTHER = "other-";
  private static final int DIMENSION = 8;

  @Test
  void aReplacedItemIsFoundAsItIsNow() {
    SpaceIndex index = Items.index(2, Metric.COSINE);
    index.upsert(Items.embedded("a", 1, 0), 1);
    index.upsert(Items.embedded("b", 0, 1), 2);
    index.upsert(Items.embedded("a", 0.1f, 1), 3);
    assertThat(VectorSearchTest.ids(index, new float[] {0, 1}, 10)).containsExactly("b", "a");
    assertThat(index.size()).isEqualTo(2);
    index.remove("b", 4);
    index.remove("b", 5);
    assertThat(VectorSearchTest.ids(index, new float[] {0, 1}, 10)).containsExactly("a");
    assertThat(index.revision()).isEqualTo(5);
  }

  @Test
  void nothingExpiredIsFound() {
    SpaceIndex index = Items.index(1, Metric.DOT);
    IndexItem item = Items.embedded("a", 1);
    index.upsert(expiring(item, Items.NOW), 1);
    assertThat(search(index, Items.NOW - 1)).containsExactly("a");
    assertThat(search(index, Items.NOW)).isEmpty();
    index.apply(List.of(new IndexChange.Touch("a", Items.NOW + 5)), 2);
    assertThat(search(index, Items.NOW + 4)).containsExactly("a");
    assertThat(search(index, Items.NOW + 5)).isEmpty();
    SearchQuery newest = SearchQuery.byText("", 10);
    assertThat(index.search(newest, Items.NOW + 5).hits()).isEmpty();
  }

  private static List<String> search(SpaceIndex index, long now) {
    return VectorSearchTest.ids(
        index.search(SearchQuery.byVector(new float[] {1}, 10), now).hits());
  }

  private static IndexItem expiring(IndexItem item, long micros) {
    return new IndexItem(
        item.id(),
        item.text(),
        item.embedding(),
        item.tags(),
        item.tier(),
        item.source(),
        item.importance(),
        item.createMicros(),
        item.updateMicros(),
        micros,
        item.attributes());
  }

  @Test
  void clearingTakesAllAndTheDimensionAway() {
    SpaceIndex index = Items.index(0, Metric.DOT);
    for (int i = 0; i < 100; i++) {
      index.upsert(Items.item("item-" + i, "words", new float[] {1, i}), i + 1);
    }
    index.clear(200);
    assertThat(index.size()).isZero();
    assertThat(index.search(SearchQuery.byText("words", 10), Items.NOW).hits()).isEmpty();
    index.upsert(Items.item("other", "words", new float[] {1, 2, 3}), 201);
    assertThat(VectorSearchTest.ids(index, new float[] {1, 0, 0}, 10)).containsExactly("other");
    assertThat(index.search(SearchQuery.byText("words", 10), Items.NOW).hits()).hasSize(1);
  }

  @Test
  void slotsOfTheDeadAreUsedAgain() {
    SpaceIndex index = Items.index(4, Metric.COSINE);
    Random random = new Random(1);
    for (int i = 0; i < 20_000; i++) {
      index.upsert(Items.embedded("item-" + i % 50, Items.clustered(random, 4, 5)), i + 1);
    }
    assertThat(index.slots()).isLessThan(200);
    assertThat(index.size()).isEqualTo(50);
  }

  /**
   * Few items are scanned by one thread.
   *
   * @param others so many further items that threads share the scan
   */
  @ParameterizedTest
  @ValueSource(ints = {0, 8 * Chunk.SIZE})
  void aSearchSeesOneRevisionWhole(int others) throws Exception {
    int revisions = 3000;
    List<List<IndexChange>> log = new ArrayList<>();
    List<Map<String, float[]>> truth = new ArrayList<>();
    history(revisions, others == 0, log, truth);
    SpaceIndex index = Items.index(DIMENSION, Metric.L2);
    for (int i = 0; i < others; i++) {
      float[] faraway = new float[DIMENSION];
      faraway[i % DIMENSION] = 1e6f + i;
      index.upsert(Items.embedded(OTHER + i, faraway), 0);
    }
    AtomicBoolean done = new AtomicBoolean();
    ExecutorService threads = Executors.newFixedThreadPool(3);
    try {
      List<Future<Integer>> readers = new ArrayList<>();
      for (int i = 0; i < 3; i++) {
        boolean words = i == 0;
        readers.add(threads.submit(() -> read(index, truth, done, words)));
      }
      for (int revision = 1; revision <= revisions; revision++) {
        index.apply(log.get(revision - 1), revision);
      }
      done.set(true);
      for (Future<Integer> reader : readers) {
        assertThat(reader.get(60, TimeUnit.SECONDS)).isPositive();
      }
    } finally {
      done.set(true);
      threads.shutdownNow();
      index.close();
    }
  }

  /** Each revision moves some items, removes some and brings some back. */
  static void history(
      int revisions,
      boolean clearing,
      List<List<IndexChange>> log,
      List<Map<String, float[]>> truth) {
    Random random = new Random(31);
    Map<String, float[]> now = new HashMap<>();
    truth.add(Map.copyOf(now));
    for (int revision = 1; revision <= revisions; revision++) {
      List<IndexChange> changes = new ArrayList<>();
      for (int i = 0; i < 1 + random.nextInt(3); i++) {
        String id = "item-" + random.nextInt(60);
        if (random.nextInt(4) == 0) {
          now.remove(id);
          changes.add(new IndexChange.Remove(id));
        } else {
          float[] vector = Items.clustered(random, DIMENSION, 1000);
          now.put(id, vector);
          changes.add(new IndexChange.Upsert(Items.item(id, "common " + id, vector)));
        }
      }
      if (clearing && revision % 500 == 0) {
        now.clear();
        changes.add(new IndexChange.Clear());
      }
      log.add(changes);
      truth.add(Map.copyOf(now));
    }
  }

  private static int read(
      SpaceIndex index, List<Map<String, float[]>> truth, AtomicBoolean done, boolean words) {
    Oracle oracle = new Oracle(Metric.L2);
    int searches = 0;
    long last = 0;
    // Once more after the writer is done, so that each reader sees the end too.
    for (boolean end = false; !end; searches++) {
      end = done.get();
      float[] query =
          Items.clustered(new Random(ThreadLocalRandom.current().nextInt()), DIMENSION, 1000);
      long atLeast = index.revision();
      SearchQuery asked =
          words
              ? SearchQuery.byText("common", 100)
              : SearchQuery.byVector(query, 1 + searches % 70);
      SearchResult result = index.search(asked, Items.NOW);
      assertThat(result.revision()).isGreaterThanOrEqualTo(Math.max(last, atLeast));
      last = result.revision();
      Map<String, float[]> vectors = truth.get((int) last);
      List<String> found =
          VectorSearchTest.ids(result.hits()).stream().filter(id -> !id.startsWith(OTHER)).toList();
      if (words) {
        assertThat(found).containsExactlyInAnyOrderElementsOf(vectors.keySet());
      } else {
        assertThat(found).isEqualTo(oracle.nearest(vectors, query, asked.limit(), id -> true));
      }
    }
    return searches;
  }
}
