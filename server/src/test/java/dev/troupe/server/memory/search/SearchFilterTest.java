package dev.troupe.server.memory.search;

import static org.assertj.core.api.Assertions.assertThat;

import dev.troupe.server.memory.search.SearchFilter.TimeRange;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Every filter, on every leg, against asking each item. */
final class SearchFilterTest {

  /** What items are filtered by. */
  record Traits(
      Set<String> tags,
      String tier,
      String source,
      double importance,
      long created,
      long updated,
      Map<String, String> attributes) {}

  private static final int ITEMS = 6000;

  private final Map<String, Traits> traits = new HashMap<>();
  private final Map<String, float[]> vectors = new TreeMap<>();
  private final Random random = new Random(21);
  private final SpaceIndex index = Items.index(8, Metric.COSINE);

  @BeforeEach
  void fill() {
    for (int i = 0; i < ITEMS; i++) {
      String id = "item-" + i;
      Traits some =
          new Traits(
              IntStream.range(0, random.nextInt(5))
                  .mapToObj(j -> "tag-" + (int) Math.pow(random.nextInt(12), 2))
                  .collect(Collectors.toSet()),
              List.of("short", "working", "long").get(random.nextInt(3)),
              "agent-" + random.nextInt(100),
              random.nextInt(11) / 10.0,
              Items.NOW - random.nextInt(1000),
              Items.NOW - random.nextInt(1000),
              Map.of("room", "r" + random.nextInt(200), "kind", "k" + random.nextInt(3)));
      float[] vector = Items.clustered(random, 8, 9);
      traits.put(id, some);
      vectors.put(id, vector);
      index.upsert(Items.of(id, vector, some), i + 1);
    }
  }

  @AfterEach
  void close() {
    index.close();
  }

  @Test
  void anyOfTheTags() {
    check(
        SearchFilter.ALL.withTagsAny(Set.of("tag-1", "tag-81")),
        of -> of.tags().contains("tag-1") || of.tags().contains("tag-81"));
    check(SearchFilter.ALL.withTagsAny(Set.of("tag-4")), of -> of.tags().contains("tag-4"));
  }

  @Test
  void allOfTheTags() {
    check(
        SearchFilter.ALL.withTagsAll(Set.of("tag-1", "tag-81")),
        of -> of.tags().containsAll(Set.of("tag-1", "tag-81")));
  }

  @Test
  void noneOfTheTags() {
    check(
        SearchFilter.ALL.withTagsNone(Set.of("tag-0", "tag-1", "tag-4", "tag-9")),
        of -> of.tags().stream().noneMatch(Set.of("tag-0", "tag-1", "tag-4", "tag-9")::contains));
  }

  @Test
  void oneOfTheTiers() {
    check(SearchFilter.ALL.withTiers(Set.of("short")), of -> of.tier().equals("short"));
    check(SearchFilter.ALL.withTiers(Set.of("short", "long")), of -> !of.tier().equals("working"));
  }

  @Test
  void oneOfTheSources() {
    check(SearchFilter.ALL.withSources(Set.of("agent-7")), of -> of.source().equals("agent-7"));
    check(
        SearchFilter.ALL.withSources(Set.of("agent-7", "agent-8", "nobody")),
        of -> Set.of("agent-7", "agent-8").contains(of.source()));
  }

  @Test
  void attributesWithTheirValues() {
    check(
        SearchFilter.ALL.withAttributes(Map.of("room", "r3", "kind", "k1")),
        of -> of.attributes().equals(Map.of("room", "r3", "kind", "k1")));
    check(SearchFilter.ALL.withAttributes(Map.of("room", "k1")), of -> false);
  }

  @Test
  void importanceFromSomeOn() {
    check(SearchFilter.ALL.withMinImportance(0.9), of -> of.importance() >= 0.9);
  }

  @Test
  void timesFromAndBefore() {
    TimeRange range = new TimeRange(Items.NOW - 500, Items.NOW - 490);
    check(
        SearchFilter.ALL.withCreated(range),
        of -> of.created() >= Items.NOW - 500 && of.created() < Items.NOW - 490);
    check(
        SearchFilter.ALL.withUpdated(range),
        of -> of.updated() >= Items.NOW - 500 && of.updated() < Items.NOW - 490);
  }

  @Test
  void allAtOnce() {
    check(
        SearchFilter.ALL
            .withTagsAny(Set.of("tag-0", "tag-1", "tag-4"))
            .withTagsNone(Set.of("tag-9"))
            .withTiers(Set.of("long", "working"))
            .withAttributes(Map.of("kind", "k2"))
            .withMinImportance(0.3),
        of ->
            of.tags().stream().anyMatch(Set.of("tag-0", "tag-1", "tag-4")::contains)
                && !of.tags().contains("tag-9")
                && !of.tier().equals("short")
                && "k2".equals(of.attributes().get("kind"))
                && of.importance() >= 0.3);
  }

  private void check(SearchFilter filter, Predicate<Traits> matches) {
    List<String> matching =
        traits.entrySet().stream()
            .filter(one -> matches.test(one.getValue()))
            .map(Map.Entry::getKey)
            .toList();
    assertThat(matching).hasSizeLessThan(ITEMS);
    float[] query = Items.clustered(random, 8, 9);
    List<String> nearest =
        new Oracle(Metric.COSINE).nearest(vectors, query, 20, matching::contains);
    SearchQuery byVector = SearchQuery.byVector(query, 20).withFilter(filter);
    assertThat(VectorSearchTest.ids(index.search(byVector, Items.NOW).hits())).isEqualTo(nearest);
    SearchQuery newest = SearchQuery.byText("", SearchQuery.MAX_LIMIT).withFilter(filter);
    List<String> all =
        new ArrayList<>(VectorSearchTest.ids(index.search(newest, Items.NOW).hits()));
    assertThat(all).containsExactlyInAnyOrderElementsOf(matching);
  }
}
