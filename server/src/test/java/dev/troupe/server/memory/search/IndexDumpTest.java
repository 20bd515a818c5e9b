package dev.troupe.server.memory.search;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What an index that was dumped and read again finds, and goes on to find. */
@SuppressWarnings("NullAway.Init")
final class IndexDumpTest {

  private static final int DIMENSION = 70;
  private static final SearchQuery NEWEST = SearchQuery.byText("", 3_000);

  @TempDir private Path directory;

  /** What a dump has besides its bytes. */
  private record Dumped(Path file, long length, long checksum) {}

  private Dumped dump(SpaceIndex index) throws IOException {
    Path file = Files.createTempFile(directory, "index", ".dump");
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
      DumpWriter out = new DumpWriter(channel);
      index.dump(out);
      out.end();
      return new Dumped(file, out.length(), out.checksum());
    }
  }

  private static SpaceIndex restored(Dumped dumped, Metric metric) throws IOException {
    try (FileChannel channel = FileChannel.open(dumped.file(), StandardOpenOption.READ)) {
      DumpReader in = new DumpReader(channel, dumped.length());
      SpaceIndex index = SpaceIndex.restored(IndexSettings.of(0, metric), Runnable::run, in);
      in.end(dumped.checksum());
      return index;
    }
  }

  @Test
  void itFindsTheSameAndGoesOnToDoSo() throws Exception {
    for (Metric metric : Metric.values()) {
      Random random = new Random(41);
      SpaceIndex index = Items.index(0, metric);
      long revision = 0;
      if (metric == Metric.COSINE) {
        // More than a chunk of each kind.
        for (int i = 0; i < 16_000; i++) {
          index.upsert(item("item-" + i, random), ++revision);
        }
      }
      for (int round = 0; round < 5; round++) {
        for (int i = 0; i < 50 * round; i++) {
          index.apply(changes(random), ++revision);
        }
        // Half of the time words are written already.
        if (random.nextBoolean()) {
          index.search(SearchQuery.byText("common", 1), Items.NOW);
        }
        SpaceIndex again = restored(dump(index), metric);
        assertThat(again.revision()).isEqualTo(index.revision());
        assertThat(again.size()).isEqualTo(index.size());
        assertThat(again.embedded()).isEqualTo(index.embedded());
        assertSame(index, again, random);
        for (int i = 0; i < 100; i++) {
          List<IndexChange> changes = changes(random);
          index.apply(changes, ++revision);
          again.apply(changes, revision);
        }
        assertSame(index, again, random);
        // From here on with the one that was read.
        index.close();
        index = again;
      }
      index.close();
    }
  }

  private static List<IndexChange> changes(Random random) {
    List<IndexChange> changes = new ArrayList<>();
    for (int i = 0; i < 1 + random.nextInt(4); i++) {
      String id = "item-" + random.nextInt(16_000);
      switch (random.nextInt(8)) {
        case 0, 1 -> changes.add(new IndexChange.Remove(id));
        case 2 -> changes.add(new IndexChange.Touch(id, Items.NOW + random.nextInt(3) - 1));
        default -> changes.add(new IndexChange.Upsert(item(id, random)));
      }
    }
    if (random.nextInt(2000) == 0) {
      changes.add(0, new IndexChange.Clear());
    }
    return changes;
  }

  private static IndexItem item(String id, Random random) {
    int kind = random.nextInt(3);
    return new IndexItem(
        id,
        kind == 0 ? "" : "common word-" + random.nextInt(50) + " ümlaut",
        kind == 1 ? new float[0] : Items.clustered(random, DIMENSION, 40),
        random.nextBoolean() ? Set.of() : Set.of("tag-" + random.nextInt(4), "other"),
        random.nextBoolean() ? "working" : "long",
        random.nextBoolean() ? "" : "source-" + random.nextInt(3),
        random.nextInt(11) / 10.0,
        Items.NOW - random.nextInt(1000),
        Items.NOW - random.nextInt(1000),
        random.nextInt(4) == 0 ? Items.NOW + random.nextInt(3) - 1 : IndexItem.NEVER,
        random.nextBoolean() ? Map.of() : Map.of("name", "value-" + random.nextInt(3)));
  }

  /** Scores of words may differ a little, as they count what Lucene has not merged away yet. */
  private static void assertSame(SpaceIndex one, SpaceIndex other, Random random) {
    List<SearchFilter> filters =
        List.of(
            SearchFilter.ALL,
            SearchFilter.ALL.withTagsAny(Set.of("tag-1")),
            SearchFilter.ALL.withTiers(Set.of("long")).withSources(Set.of("source-2")),
            SearchFilter.ALL.withAttributes(Map.of("name", "value-1")),
            SearchFilter.ALL.withMinImportance(0.7));
    for (SearchFilter filter : filters) {
      float[] vector = Items.clustered(random, DIMENSION, 40);
      SearchQuery near = SearchQuery.byVector(vector, 30).withFilter(filter);
      assertThat(hits(other, near)).isEqualTo(hits(one, near));
      assertThat(hits(other, NEWEST.withFilter(filter)))
          .isEqualTo(hits(one, NEWEST.withFilter(filter)));
      for (String words : List.of("common", "word-" + random.nextInt(50), "umlaut")) {
        SearchQuery said = SearchQuery.byText(words, 10_000).withFilter(filter);
        assertThat(Set.copyOf(ids(other, said))).isEqualTo(Set.copyOf(ids(one, said)));
      }
    }
  }

  private static List<SearchHit> hits(SpaceIndex index, SearchQuery query) {
    return index.search(query, Items.NOW).hits();
  }

  private static List<String> ids(SpaceIndex index, SearchQuery query) {
    return VectorSearchTest.ids(hits(index, query));
  }

  @Test
  void itIsOfOneRevisionWholeWhileTheIndexChanges() throws Exception {
    int revisions = 4000;
    List<List<IndexChange>> log = new ArrayList<>();
    List<Map<String, float[]>> truth = new ArrayList<>();
    SpaceIndexTest.history(revisions, true, log, truth);
    SpaceIndex index = Items.index(0, Metric.L2);
    ExecutorService thread = Executors.newSingleThreadExecutor();
    try {
      Future<?> writing =
          thread.submit(
              () -> {
                for (int revision = 1; revision <= revisions; revision++) {
                  index.apply(log.get(revision - 1), revision);
                  // So that words are merged, and slots used again, in the middle of dumps too.
                  if (revision % 50 == 0) {
                    hits(index, SearchQuery.byText("common", 1));
                  }
                }
              });
      Set<Long> seen = new HashSet<>();
      for (boolean end = false; !end; ) {
        end = writing.isDone();
        long atLeast = index.revision();
        SpaceIndex dumped = restored(dump(index), Metric.L2);
        assertThat(dumped.revision()).isGreaterThanOrEqualTo(atLeast);
        seen.add(dumped.revision());
        assertIs(truth.get((int) dumped.revision()), dumped);
        dumped.close();
      }
      writing.get(60, TimeUnit.SECONDS);
      assertThat(seen).hasSizeGreaterThan(5).contains((long) revisions);
    } finally {
      thread.shutdownNow();
      index.close();
    }
  }

  private static void assertIs(Map<String, float[]> vectors, SpaceIndex index) {
    float[] query = Items.clustered(new Random(7), 8, 1000);
    assertThat(ids(index, SearchQuery.byVector(query, 100)))
        .isEqualTo(new Oracle(Metric.L2).nearest(vectors, query, 100, id -> true));
    assertThat(ids(index, SearchQuery.byText("common", 100)))
        .containsExactlyInAnyOrderElementsOf(vectors.keySet());
    assertThat(index.size()).isEqualTo(vectors.size());
  }

  @Test
  void whateverIsDamagedIsRefused() throws Exception {
    SpaceIndex index = Items.index(0, Metric.COSINE);
    Random random = new Random(43);
    for (int revision = 1; revision <= 60; revision++) {
      index.apply(changes(random), revision);
    }
    Dumped dumped = dump(index);
    byte[] bytes = Files.readAllBytes(dumped.file());
    for (int at = 0; at < bytes.length; at += 1 + random.nextInt(200)) {
      byte[] damaged = bytes.clone();
      damaged[at] ^= (byte) (1 << random.nextInt(8));
      Files.write(dumped.file(), damaged);
      assertThat(catchThrowable(() -> restored(dumped, Metric.COSINE)))
          .as("a bit at " + at)
          .isInstanceOfAny(IOException.class, RuntimeException.class);
    }
    for (int length = 0; length < bytes.length; length += 1 + random.nextInt(1000)) {
      Files.write(dumped.file(), Arrays.copyOf(bytes, length));
      assertThat(catchThrowable(() -> restored(dumped, Metric.COSINE)))
          .as("cut after " + length)
          .isInstanceOfAny(IOException.class, RuntimeException.class);
    }
    Files.write(dumped.file(), bytes);
    assertThat(restored(dumped, Metric.COSINE).size()).isEqualTo(index.size());
  }
}
