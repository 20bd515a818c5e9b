package dev.troupe.server.memory.search;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** The vector leg misses nothing, whatever the vectors are like. */
final class VectorSearchTest {

  static Stream<Arguments> metricsAndDimensions() {
    return Stream.of(Metric.values())
        .flatMap(
            metric ->
                IntStream.of(1, 2, 7, 16, 31, 64, 65, 130, 200, 384)
                    .mapToObj(d -> Arguments.of(metric, d)));
  }

  @ParameterizedTest
  @MethodSource("metricsAndDimensions")
  void findsExactlyTheNearestOfClusteredVectors(Metric metric, int dimension) {
    Random random = new Random(dimension);
    Map<String, float[]> vectors = new HashMap<>();
    for (int i = 0; i < 1500; i++) {
      vectors.put("item-" + i, Items.clustered(random, dimension, 12));
    }
    List<float[]> queries =
        IntStream.range(0, 20).mapToObj(i -> Items.clustered(random, dimension, 12)).toList();
    compare(metric, dimension, vectors, queries, 10);
  }

  @ParameterizedTest
  @EnumSource(Metric.class)
  void findsExactlyTheNearestWhereTheFirstDimensionsSayLittle(Metric metric) {
    // Each query is as far from all, so all vectors are read whole, first in two rounds, then in
    // one.
    Random random = new Random(16);
    Map<String, float[]> vectors = new HashMap<>();
    for (int i = 0; i < 1500; i++) {
      vectors.put("item-" + i, Items.clustered(random, 150, Integer.MAX_VALUE));
    }
    List<float[]> queries =
        IntStream.range(0, 20)
            .mapToObj(i -> Items.clustered(random, 150, Integer.MAX_VALUE))
            .toList();
    compare(metric, 150, vectors, queries, 10);
  }

  static Stream<Arguments> metricsWithOnePartAndSeveral() {
    return Stream.of(Metric.values())
        .flatMap(metric -> IntStream.of(24, 150).mapToObj(d -> Arguments.of(metric, d)));
  }

  @ParameterizedTest
  @MethodSource("metricsWithOnePartAndSeveral")
  void findsExactlyTheNearestOfVectorsOfVeryDifferentLength(Metric metric, int dimension) {
    Random random = new Random(4);
    float[] factors = {0, 1e-44f, 1e-30f, 1e-10f, 1, 1e5f, 1e18f, 1e30f, 1e37f};
    Map<String, float[]> vectors = new HashMap<>();
    List<float[]> queries = new ArrayList<>();
    for (int i = 0; i < 900; i++) {
      float[] vector = Items.clustered(random, dimension, 5);
      vectors.put("item-" + i, Items.scaled(vector, factors[i % factors.length]));
    }
    for (float factor : factors) {
      queries.add(Items.scaled(Items.clustered(random, dimension, 5), factor));
    }
    // Doubles do not tell the lengths of 1e37 apart that the oracle adds in another order.
    queries.removeIf(query -> Math.abs(query[0]) > 1e36 && metric == Metric.L2);
    compare(metric, dimension, vectors, queries, 5);
  }

  @ParameterizedTest
  @EnumSource(Metric.class)
  void findsExactlyTheNearestOfSoManyThatThreadsShareTheScan(Metric metric) {
    Random random = new Random(14);
    Map<String, float[]> vectors = new HashMap<>();
    for (int i = 0; i < 8 * Chunk.SIZE + 500; i++) {
      vectors.put("item-" + i, Items.clustered(random, 200, 40));
    }
    List<float[]> queries =
        IntStream.range(0, 4).mapToObj(i -> Items.clustered(random, 200, 40)).toList();
    compare(metric, 200, vectors, queries, 10);
  }

  @Test
  void tiesAreOrderedByIdWhicheverThreadFindsThem() {
    Random random = new Random(15);
    Map<String, float[]> vectors = new HashMap<>();
    for (int i = 0; i < 8 * Chunk.SIZE; i++) {
      // Whole numbers, so that products are exact, and few, so that each has hundreds of equals.
      float[] vector = new float[256];
      for (int at = 0; at < vector.length; at += 100) {
        vector[at] = random.nextInt(3);
      }
      vectors.put("item-" + i, vector);
    }
    SpaceIndex index = filled(Metric.DOT, 256, vectors, VectorKernels.fastest());
    float[] query = new float[256];
    query[0] = 1;
    query[100] = 2;
    query[200] = 1;
    List<String> expected =
        vectors.keySet().stream()
            .sorted(
                Comparator.comparingDouble(
                        (String id) -> -Vectors.dot(query, FloatBuffer.wrap(there(vectors, id)), 0))
                    .thenComparing(Comparator.naturalOrder()))
            .limit(30)
            .toList();
    for (int i = 0; i < 50; i++) {
      assertThat(ids(index, query, 30)).isEqualTo(expected);
    }
    index.close();
  }

  @ParameterizedTest
  @EnumSource(Metric.class)
  void ordersTiesById(Metric metric) {
    Random random = new Random(8);
    Map<String, float[]> vectors = new HashMap<>();
    for (int i = 0; i < 400; i++) {
      // Whole numbers, so that sums are exact in whatever order.
      float[] vector = new float[9];
      for (int j = 0; j < vector.length; j++) {
        vector[j] = random.nextInt(3) - 1;
      }
      vectors.put("item-" + i, vector);
    }
    List<float[]> queries =
        List.of(new float[9], there(vectors, "item-0"), there(vectors, "item-7"));
    for (float[] query : queries) {
      SpaceIndex index = filled(metric, 9, vectors, VectorKernels.fastest());
      List<SearchHit> hits = index.search(SearchQuery.byVector(query, 400), Items.NOW).hits();
      for (int i = 1; i < hits.size(); i++) {
        SearchHit before = hits.get(i - 1);
        SearchHit after = hits.get(i);
        assertThat(vector(before).score()).isGreaterThanOrEqualTo(vector(after).score());
        if (vector(before).score() == vector(after).score()) {
          assertThat(vector(before).rank()).isLessThan(vector(after).rank());
          assertThat(before.id()).isLessThan(after.id());
        }
      }
      assertThat(hits).hasSize(400);
      // The best few of many equal ones are the same few.
      assertThat(ids(index, query, 7)).isEqualTo(ids(hits).subList(0, 7));
      index.close();
    }
  }

  @Test
  void theCosineOfTheZeroVectorIsZero() {
    SpaceIndex index = Items.index(2, Metric.COSINE);
    index.upsert(Items.embedded("zero", 0, 0), 1);
    index.upsert(Items.embedded("against", -1, 0), 2);
    index.upsert(Items.embedded("along", 1, 0), 3);
    List<SearchHit> hits =
        index.search(SearchQuery.byVector(new float[] {2, 0}, 3), Items.NOW).hits();
    assertThat(ids(hits)).containsExactly("along", "zero", "against");
    assertThat(hits).extracting(hit -> vector(hit).score()).containsExactly(1.0, 0.0, -1.0);
  }

  @Test
  void scoresAreThoseOfTheMetric() {
    for (Metric metric : Metric.values()) {
      SpaceIndex index = Items.index(3, metric);
      float[] item = {1, 2, -3};
      float[] query = {0.5f, 4, 1};
      index.upsert(Items.embedded("one", item), 1);
      double score =
          vector(index.search(SearchQuery.byVector(query, 1), Items.NOW).hits().get(0)).score();
      assertThat(score).isCloseTo(new Oracle(metric).similarity(query, item), within(1e-12));
    }
  }

  @Test
  void itemsWithoutAnEmbeddingAreNotFoundByOne() {
    SpaceIndex index = Items.index(2, Metric.COSINE);
    index.upsert(Items.written("words", "some words"), 1);
    index.upsert(Items.embedded("vector", 1, 1), 2);
    assertThat(ids(index, new float[] {1, 0}, 10)).containsExactly("vector");
    assertThat(index.size()).isEqualTo(2);
    assertThat(index.embedded()).isEqualTo(1);
  }

  @Test
  void refusesWhatIsNoFiniteNumber() {
    for (float odd : new float[] {Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY}) {
      assertThatThrownBy(() -> Items.embedded("odd", 1, odd))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("component 1");
      assertThatThrownBy(() -> SearchQuery.byVector(new float[] {odd}, 1))
          .isInstanceOf(IllegalArgumentException.class);
    }
  }

  @Test
  void refusesAnotherDimensionAndChangesNothing() {
    SpaceIndex index = Items.index(0, Metric.DOT);
    index.upsert(Items.embedded("two", 1, 1), 1);
    List<IndexChange> changes =
        List.of(
            new IndexChange.Remove("two"),
            new IndexChange.Upsert(Items.embedded("three", 1, 1, 1)));
    assertThatThrownBy(() -> index.apply(changes, 2)).hasMessageContaining("expected: 2");
    assertThat(index.revision()).isEqualTo(1);
    assertThat(ids(index, new float[] {1, 1}, 10)).containsExactly("two");
    assertThatThrownBy(() -> index.search(SearchQuery.byVector(new float[3], 1), Items.NOW))
        .isInstanceOf(IllegalArgumentException.class);
  }

  private static void compare(
      Metric metric,
      int dimension,
      Map<String, float[]> vectors,
      List<float[]> queries,
      int limit) {
    Oracle oracle = new Oracle(metric);
    SpaceIndex plain = filled(metric, dimension, vectors, new PlainKernel());
    SpaceIndex best = filled(metric, dimension, vectors, VectorKernels.fastest());
    for (float[] query : queries) {
      SearchQuery asked = SearchQuery.byVector(query, limit);
      SearchResult found = best.search(asked, Items.NOW);
      assertThat(found.hits()).isEqualTo(plain.search(asked, Items.NOW).hits());
      // By score, as sums in another order may turn two around that differ in the last bit.
      List<Double> expected =
          oracle.nearest(vectors, query, limit, id -> true).stream()
              .map(id -> oracle.similarity(query, there(vectors, id)))
              .toList();
      List<SearchHit> hits = found.hits();
      assertThat(hits).hasSize(expected.size());
      for (int i = 0; i < hits.size(); i++) {
        double reached = oracle.similarity(query, there(vectors, hits.get(i).id()));
        double slack = 1e-12 * Math.max(1e-300, length(query) * 1e2 * Math.abs(expected.get(i)));
        assertThat(reached)
            .isCloseTo(expected.get(i), within(Math.max(slack, Math.ulp(expected.get(i)) * 64)));
      }
    }
    plain.close();
    best.close();
  }

  private static float[] there(Map<String, float[]> vectors, String id) {
    return requireNonNull(vectors.get(id));
  }

  private static LegPart vector(SearchHit hit) {
    return requireNonNull(hit.vector());
  }

  private static double length(float[] vector) {
    return Math.max(1, Math.sqrt(Vectors.squared(vector, 0, vector.length)));
  }

  static SpaceIndex filled(
      Metric metric, int dimension, Map<String, float[]> vectors, VectorKernel kernel) {
    SpaceIndex index = new SpaceIndex(IndexSettings.of(dimension, metric), Runnable::run, kernel);
    long[] revision = {0};
    vectors.forEach((id, vector) -> index.upsert(Items.embedded(id, vector), ++revision[0]));
    return index;
  }

  static List<String> ids(SpaceIndex index, float[] query, int limit) {
    return ids(index.search(SearchQuery.byVector(query, limit), Items.NOW).hits());
  }

  static List<String> ids(List<SearchHit> hits) {
    return hits.stream().map(SearchHit::id).toList();
  }
}
