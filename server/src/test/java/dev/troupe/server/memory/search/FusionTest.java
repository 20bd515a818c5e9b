package dev.troupe.server.memory.search;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.troupe.server.memory.search.Fusion.Method;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** How legs become one score. */
final class FusionTest {

  private static final long HOUR = 3_600_000_000L;
  private static final float[] ALONG = {1, 0};

  private final SpaceIndex index = Items.index(2, Metric.COSINE);

  @BeforeEach
  void fill() {
    put("near", "nothing of the kind", new float[] {1, 0.1f}, 1, 3);
    put("both", "blue whale", new float[] {1, 0.5f}, 0.5, 2);
    put("words", "blue whale blue whale", new float[] {-1, 0.5f}, 0.2, 1);
    put("far", "grey cat", new float[] {-1, 0}, 1, 0);
  }

  @AfterEach
  void close() {
    index.close();
  }

  private void put(String id, String text, float[] vector, double importance, int hoursAgo) {
    long then = Items.NOW - hoursAgo * HOUR;
    index.upsert(
        new IndexItem(
            id,
            text,
            vector,
            Set.of(),
            "long",
            "",
            importance,
            then,
            then,
            IndexItem.NEVER,
            Map.of()),
        index.revision() + 1);
  }

  private List<SearchHit> hits(Fusion fusion) {
    return index
        .search(new SearchQuery(ALONG, "blue whale", SearchFilter.ALL, fusion, 10, true), Items.NOW)
        .hits();
  }

  private SearchHit hit(Fusion fusion, String id) {
    return hits(fusion).stream().filter(hit -> hit.id().equals(id)).findFirst().orElseThrow();
  }

  @Test
  void ranksAddUpAsReciprocals() {
    assertThat(VectorSearchTest.ids(hits(Fusion.DEFAULT))).startsWith("words", "both");
    SearchHit both = hit(Fusion.DEFAULT, "both");
    assertThat(both.score()).isCloseTo(1 / 62.0 + 1 / 62.0, within(1e-12));
    assertThat(requireNonNull(both.vector()).rank()).isEqualTo(2);
    assertThat(requireNonNull(both.text()).rank()).isEqualTo(2);
    SearchHit near = hit(Fusion.DEFAULT, "near");
    assertThat(near.score()).isCloseTo(1 / 61.0, within(1e-12));
    assertThat(near.text()).isNull();
    assertThat(near.recency()).isNull();
    assertThat(hit(Fusion.DEFAULT.withWeights(3, 0.5, 0), "both").score())
        .isCloseTo(3.5 / 62.0, within(1e-12));
  }

  @Test
  void weightedScoresAreMeansOfSharesOfTheBest() {
    Fusion weighted = Fusion.DEFAULT.withMethod(Method.WEIGHTED).withWeights(3, 1, 0);
    SearchHit words = hit(weighted, "words");
    // The best of the words, and no likeness below zero.
    assertThat(words.score()).isCloseTo(0.25, within(1e-12));
    SearchHit both = hit(weighted, "both");
    double share = requireNonNull(both.text()).score() / requireNonNull(words.text()).score();
    double cosine = 1 / Math.sqrt(1.25);
    assertThat(both.score()).isCloseTo((3 * cosine + share) / 4, within(1e-7));
  }

  @Test
  void aLegThatDidNotNameAnItemStillGivesItsTrueScore() {
    Fusion shallow = new Fusion(Method.WEIGHTED, 1, 1, 0, 0, 60, HOUR, 1);
    List<SearchHit> hits =
        index
            .search(
                new SearchQuery(ALONG, "blue whale", SearchFilter.ALL, shallow, 1, false),
                Items.NOW)
            .hits();
    assertThat(VectorSearchTest.ids(hits)).containsExactly("words");
    LegPart vector = requireNonNull(hits.get(0).vector());
    assertThat(vector.rank()).isZero();
    assertThat(vector.score()).isCloseTo(-1 / Math.sqrt(1.25), within(1e-7));
  }

  @Test
  void recencyHalvesWithEachHalfLifeAndRanksTheCandidates() {
    Fusion recent = Fusion.DEFAULT.withWeights(0, 1, 1).withHalfLifeMicros(2 * HOUR);
    LegPart both = requireNonNull(hit(recent, "both").recency());
    assertThat(both.score()).isCloseTo(0.5, within(1e-12));
    assertThat(both.rank()).isEqualTo(2);
    assertThat(both.contribution()).isCloseTo(1 / 62.0, within(1e-12));
    assertThat(VectorSearchTest.ids(hits(recent))).containsExactly("words", "both");
    Fusion weighted = recent.withMethod(Method.WEIGHTED);
    assertThat(hit(weighted, "words").score())
        .isCloseTo((1 + Math.pow(0.5, 0.5)) / 2, within(1e-12));
  }

  @Test
  void whatIsOfTheFutureIsNew() {
    put("later", "blue", new float[] {0, 1}, 1, -5);
    Fusion recent = Fusion.DEFAULT.withWeights(0, 1, 1);
    assertThat(requireNonNull(hit(recent, "later").recency()).score()).isEqualTo(1);
  }

  @Test
  void importanceWeighsTheSum() {
    SearchHit words = hit(Fusion.DEFAULT.withImportanceWeight(0.5), "words");
    assertThat(words.importanceFactor()).isCloseTo(0.6, within(1e-12));
    assertThat(words.score()).isCloseTo(0.6 * (1 / 61.0 + 1 / 63.0), within(1e-12));
    assertThat(words.importance()).isEqualTo(0.2);
  }

  @Test
  void legsCanBeOff() {
    assertThat(VectorSearchTest.ids(hits(Fusion.DEFAULT.withWeights(1, 0, 0))))
        .containsExactly("near", "both", "words", "far");
    assertThat(VectorSearchTest.ids(hits(Fusion.DEFAULT.withWeights(0, 1, 0))))
        .containsExactly("words", "both");
    assertThat(VectorSearchTest.ids(hits(Fusion.DEFAULT.withWeights(0, 0, 1))))
        .containsExactly("far", "words", "both", "near");
  }

  @Test
  void withoutAnyLegTheNewestComeFirst() {
    List<SearchHit> hits = index.search(SearchQuery.byText("", 3), Items.NOW).hits();
    assertThat(VectorSearchTest.ids(hits)).containsExactly("far", "words", "both");
  }

  @Test
  void explainsItself() {
    assertThat(hit(Fusion.DEFAULT, "near").explanation())
        .isEqualTo(
            "0.016393 = (vector 0.016393 [similarity 0.9950, rank 1])"
                + " * 1.0000 for importance 1.00");
  }

  @Test
  void refusesWeightsOutOfRange() {
    assertThatThrownBy(() -> Fusion.DEFAULT.withWeights(-1, 0, 0))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> Fusion.DEFAULT.withWeights(Double.NaN, 0, 0))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> Fusion.DEFAULT.withImportanceWeight(1.1))
        .isInstanceOf(IllegalArgumentException.class);
  }
}
