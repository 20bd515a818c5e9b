package dev.troupe.bench;

import dev.troupe.server.memory.search.IndexItem;
import dev.troupe.server.memory.search.IndexSettings;
import dev.troupe.server.memory.search.Metric;
import dev.troupe.server.memory.search.SearchFilter;
import dev.troupe.server.memory.search.SearchHit;
import dev.troupe.server.memory.search.SearchQuery;
import dev.troupe.server.memory.search.SpaceIndex;
import java.lang.management.BufferPoolMXBean;
import java.lang.management.ManagementFactory;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.stream.IntStream;

/**
 * One process of {@link MemorySearch}: fills an index and searches it, by one thread, and prints a
 * line of figures. A process of its own, as the JVM decides at its start what loops there are.
 */
final class MemorySearchRun {

  private static final int DIMENSION = 384;
  private static final boolean CPU = Boolean.getBoolean("bench.cpu");
  private static final int LIMIT = 10;
  private static final long NOW = 1_800_000_000_000_000L;

  /** Items in a hundred of which one has this tag. */
  private static final String RARE = "rare";

  private final boolean graph;
  private final int items;
  private final int searches;
  private final float[][] vectors;
  private final float[][] queries;

  private MemorySearchRun(boolean graph, int items, int searches) {
    this.graph = graph;
    this.items = items;
    this.searches = searches;
    SyntheticEmbeddings embeddings = new SyntheticEmbeddings(7, DIMENSION, 300);
    vectors = IntStream.range(0, items).mapToObj(i -> embeddings.next()).toArray(float[][]::new);
    queries = IntStream.range(0, 500).mapToObj(i -> embeddings.next()).toArray(float[][]::new);
  }

  /**
   * Prints figures, in the order of {@link MemorySearch#COLUMNS}.
   *
   * @param arguments "exact" or "graph", how many items, how many searches
   */
  public static void main(String[] arguments) {
    new MemorySearchRun(
            arguments[0].equals("graph"),
            Integer.parseInt(arguments[1]),
            Integer.parseInt(arguments[2]))
        .print();
  }

  private void print() {
    long before = usedMemory();
    // What a process that just started needs; the loops are not compiled yet.
    long begun = clock();
    SpaceIndex index = filled();
    index.search(SearchQuery.byVector(queries[0], LIMIT), NOW);
    double restart = (clock() - begun) / 1e6;
    double bytes = (double) (usedMemory() - before) / items;
    SearchFilter rare = SearchFilter.ALL.withTagsAll(Set.of(RARE));
    times(index, SearchFilter.ALL);
    times(index, rare);
    long[] all = times(index, SearchFilter.ALL);
    long[] filtered = times(index, rare);
    System.out.printf(
        Locale.ROOT,
        "%s%s;%d;%.3f;%.3f;%.3f;%.3f;%.4f;%.0f;%.0f%n",
        graph ? "graph, " : "",
        SpaceIndex.vectorKernel(),
        items,
        quantile(all, 0.5),
        quantile(all, 0.99),
        quantile(filtered, 0.5),
        quantile(filtered, 0.99),
        recall(index, Math.min(100, queries.length)),
        restart,
        bytes);
    index.close();
  }

  private SpaceIndex filled() {
    SpaceIndex index =
        new SpaceIndex(
            new IndexSettings(
                DIMENSION,
                Metric.COSINE,
                IndexSettings.Language.ANY,
                graph ? items - 1 : Integer.MAX_VALUE),
            Runnable::run);
    for (int i = 0; i < items; i++) {
      index.upsert(item(i), i + 1);
    }
    return index;
  }

  private IndexItem item(int i) {
    Set<String> tags = i % 100 == 0 ? Set.of(RARE, "note") : Set.of("note");
    return new IndexItem(
        "item-" + i,
        "",
        vectors[i],
        tags,
        "long",
        "agent",
        0.5,
        NOW,
        NOW,
        IndexItem.NEVER,
        Map.of());
  }

  /** What this thread had of a processor, which others on the machine do not lengthen. */
  private static long clock() {
    return CPU ? ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime() : System.nanoTime();
  }

  /** Of the heap and of what vectors take outside of it. */
  private static long usedMemory() {
    Runtime runtime = Runtime.getRuntime();
    for (int i = 0; i < 3; i++) {
      System.gc();
    }
    long direct =
        ManagementFactory.getPlatformMXBeans(BufferPoolMXBean.class).stream()
            .mapToLong(BufferPoolMXBean::getMemoryUsed)
            .sum();
    return direct + runtime.totalMemory() - runtime.freeMemory();
  }

  private long[] times(SpaceIndex index, SearchFilter filter) {
    long[] nanos = new long[searches];
    for (int i = 0; i < searches; i++) {
      SearchQuery query =
          SearchQuery.byVector(queries[i % queries.length], LIMIT).withFilter(filter);
      long begun = clock();
      index.search(query, NOW);
      nanos[i] = clock() - begun;
    }
    Arrays.sort(nanos);
    return nanos;
  }

  private static double quantile(long[] sorted, double q) {
    return sorted[(int) (sorted.length * q)] / 1e6;
  }

  private double recall(SpaceIndex index, int some) {
    int found = 0;
    for (int i = 0; i < some; i++) {
      List<SearchHit> hits = index.search(SearchQuery.byVector(queries[i], LIMIT), NOW).hits();
      Set<String> ids = new HashSet<>(nearest(queries[i]));
      found += (int) hits.stream().filter(hit -> ids.contains(hit.id())).count();
    }
    return (double) found / (some * LIMIT);
  }

  /** By looking at each. */
  private List<String> nearest(float[] query) {
    double[] products = new double[items];
    for (int i = 0; i < items; i++) {
      products[i] = cosine(query, vectors[i]);
    }
    return IntStream.range(0, items)
        .boxed()
        .sorted(Comparator.comparingDouble(i -> -products[i]))
        .limit(LIMIT)
        .map(i -> "item-" + i)
        .toList();
  }

  private static double cosine(float[] a, float[] b) {
    double product = 0;
    double aa = 0;
    double bb = 0;
    for (int i = 0; i < a.length; i++) {
      product += (double) a[i] * b[i];
      aa += (double) a[i] * a[i];
      bb += (double) b[i] * b[i];
    }
    return product / Math.sqrt(aa * bb);
  }
}
