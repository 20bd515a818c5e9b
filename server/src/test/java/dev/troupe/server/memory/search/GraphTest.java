package dev.troupe.server.memory.search;

import static org.assertj.core.api.Assertions.assertThat;

import dev.troupe.server.memory.search.IndexSettings.Language;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Large spaces are searched through a graph, which is told, and nearly as good. */
final class GraphTest {

  private static final int DIMENSION = 16;
  private static final int LIMIT = 10;

  private final Random random = new Random(51);
  private final Map<String, float[]> vectors = new HashMap<>();
  private SpaceIndex index = space(Metric.COSINE);
  private long revision;

  private static SpaceIndex space(Metric metric) {
    return new SpaceIndex(new IndexSettings(DIMENSION, metric, Language.ANY, 1000), Runnable::run);
  }

  @AfterEach
  void close() {
    index.close();
  }

  private void fill(int from, int to) {
    List<IndexChange> changes = new ArrayList<>();
    for (int i = from; i < to; i++) {
      float[] vector = Items.clustered(random, DIMENSION, 40);
      IndexItem item = Items.item("item-" + i, "", vector);
      vectors.put(item.id(), vector);
      changes.add(
          new IndexChange.Upsert(
              new IndexItem(
                  item.id(),
                  "",
                  vector,
                  i % 10 == 0 ? Set.of("rare") : Set.of("usual"),
                  "long",
                  "",
                  0.5,
                  Items.NOW,
                  Items.NOW,
                  i % 7 == 0 ? Items.NOW : IndexItem.NEVER,
                  Map.of())));
      if (i % 7 == 0) {
        vectors.remove(item.id());
      }
    }
    index.apply(changes, ++revision);
  }

  @ParameterizedTest
  @EnumSource(names = {"COSINE", "L2"})
  void findsNearlyAllOfTheNearestAndNothingExpired(Metric metric) {
    index = space(metric);
    fill(0, 4000);
    assertThat(recall(metric, SearchFilter.ALL, "hnsw")).isGreaterThanOrEqualTo(0.995);
  }

  @Test
  void whatCameOrWentSinceTheGraphIsSeen() {
    fill(0, 4000);
    for (int i = 0; i < 300; i++) {
      index.remove("item-" + i, ++revision);
      vectors.remove("item-" + i);
    }
    fill(300, 500);
    fill(5000, 5200);
    assertThat(recall(Metric.COSINE, SearchFilter.ALL, "hnsw")).isGreaterThanOrEqualTo(0.995);
  }

  @Test
  void aFilterThatLeavesFewIsExact() {
    fill(0, 4000);
    vectors.keySet().removeIf(id -> !id.endsWith("0"));
    SearchFilter rare = SearchFilter.ALL.withTagsAll(Set.of("rare"));
    assertThat(recall(Metric.COSINE, rare, "exact int8")).isEqualTo(1);
  }

  @Test
  void aFilterThatLeavesManyGoesThroughTheGraph() {
    fill(0, 4000);
    vectors.keySet().removeIf(id -> id.endsWith("0"));
    SearchFilter usual = SearchFilter.ALL.withTagsAll(Set.of("usual"));
    assertThat(recall(Metric.COSINE, usual, "hnsw")).isGreaterThanOrEqualTo(0.995);
  }

  @Test
  void nothingIsFoundOfWhatWasCleared() {
    fill(0, 2000);
    index.clear(++revision);
    vectors.clear();
    fill(0, 50);
    assertThat(recall(Metric.COSINE, SearchFilter.ALL, "exact int8")).isEqualTo(1);
  }

  private double recall(Metric metric, SearchFilter filter, String method) {
    Oracle oracle = new Oracle(metric);
    int hit = 0;
    int all = 0;
    for (int i = 0; i < 60; i++) {
      float[] query = Items.clustered(random, DIMENSION, 40);
      SearchResult result =
          index.search(SearchQuery.byVector(query, LIMIT).withFilter(filter), Items.NOW);
      assertThat(result.legs().get(0).method()).isEqualTo(method);
      List<String> found = VectorSearchTest.ids(result.hits());
      assertThat(vectors.keySet()).containsAll(found);
      List<String> expected = oracle.nearest(vectors, query, LIMIT, id -> true);
      hit += (int) expected.stream().filter(found::contains).count();
      all += expected.size();
    }
    return (double) hit / all;
  }
}
