package dev.troupe.server.memory.search;

import static org.assertj.core.api.Assertions.assertThat;

import dev.troupe.server.memory.search.IndexSettings.Language;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** The text leg. */
final class TextSearchTest {

  private final SpaceIndex index = Items.index(0, Metric.COSINE);

  @AfterEach
  void close() {
    index.close();
  }

  @Test
  void findsWhatHasMoreOfTheWordsFirst() {
    index.upsert(Items.written("one", "the deployment of the billing service failed"), 1);
    index.upsert(Items.written("two", "the billing service is owned by Ana"), 2);
    index.upsert(Items.written("three", "lunch at noon"), 3);
    assertThat(found("who owns the billing deployment")).containsExactly("one", "two");
    assertThat(found("LUNCH")).containsExactly("three");
    assertThat(found("nothing like it")).isEmpty();
  }

  @Test
  void accentsAndCaseMakeNoDifference() {
    index.upsert(Items.written("one", "Café Zürich"), 1);
    assertThat(found("cafe ZURICH")).containsExactly("one");
  }

  @Test
  void whatLooksLikeQuerySyntaxIsWords() {
    index.upsert(Items.written("one", "alpha beta"), 1);
    index.upsert(Items.written("two", "gamma"), 2);
    for (String text :
        List.of(
            "alpha AND gamma",
            "+alpha -gamma",
            "\"alpha gamma\"",
            "(alpha gamma",
            "alpha^9 gamma~2")) {
      assertThat(found(text)).containsExactlyInAnyOrder("one", "two");
    }
    assertThat(found("alph*")).isEmpty();
    // No words are no text, and then the newest are found.
    assertThat(found("*:*")).hasSize(2);
  }

  @Test
  void seesEachChangeAtItsRevision() {
    for (int i = 0; i < 50; i++) {
      index.upsert(Items.written("item", "word" + i + " common"), 2L * i + 1);
      assertThat(found("word" + i)).containsExactly("item");
      assertThat(i == 0 ? List.of() : found("word" + (i - 1))).isEmpty();
      assertThat(found("common")).hasSize(1);
      index.remove("item", 2L * i + 2);
      SearchResult after = index.search(SearchQuery.byText("common", 10), Items.NOW);
      assertThat(after.hits()).isEmpty();
      assertThat(after.revision()).isEqualTo(2L * i + 2);
    }
  }

  @Test
  void filtersAndExpiryHoldForWordsToo() {
    IndexItem item = Items.written("tagged", "common words");
    index.upsert(
        new IndexItem(
            item.id(),
            item.text(),
            item.embedding(),
            Set.of("tag"),
            "short",
            "",
            1,
            Items.NOW,
            Items.NOW,
            Items.NOW + 10,
            item.attributes()),
        1);
    index.upsert(Items.written("plain", "common words"), 2);
    SearchQuery tagged =
        SearchQuery.byText("common", 10).withFilter(SearchFilter.ALL.withTagsAll(Set.of("tag")));
    assertThat(VectorSearchTest.ids(index.search(tagged, Items.NOW + 9).hits()))
        .containsExactly("tagged");
    assertThat(index.search(tagged, Items.NOW + 10).hits()).isEmpty();
  }

  @Test
  void theBestFewAreTheFirstOfAll() {
    for (int i = 0; i < 2000; i++) {
      index.upsert(
          Items.written("item-" + i, "common ".repeat(1 + i % 7) + "filler ".repeat(i % 11)), i);
    }
    List<String> all = found("common filler", 2000);
    assertThat(all).hasSize(2000);
    assertThat(found("common filler", 10)).isEqualTo(all.subList(0, 10));
  }

  @Test
  void englishWordsAreFoundInAllTheirForms() {
    try (SpaceIndex english =
        new SpaceIndex(
            new IndexSettings(0, Metric.COSINE, Language.ENGLISH, 1000), Runnable::run)) {
      english.upsert(Items.written("one", "She prefers the meetings in the morning"), 1);
      SearchQuery query = SearchQuery.byText("prefer a meeting", 10);
      assertThat(english.search(query, Items.NOW).hits()).hasSize(1);
      SearchQuery stop = SearchQuery.byText("the", 10);
      assertThat(english.search(stop, Items.NOW).legs()).isEmpty();
    }
  }

  private List<String> found(String text) {
    return found(text, 10);
  }

  private List<String> found(String text, int limit) {
    return VectorSearchTest.ids(index.search(SearchQuery.byText(text, limit), Items.NOW).hits());
  }
}
