package dev.troupe.server.memory;

import dev.troupe.server.memory.search.IndexItem;
import dev.troupe.server.memory.search.IndexSettings;
import dev.troupe.server.memory.search.IndexSettings.Language;
import dev.troupe.server.memory.search.Metric;
import dev.troupe.server.memory.search.SpaceIndex;
import dev.troupe.v1.SpaceSettings;
import dev.troupe.v1.TextLanguage;
import java.util.Set;
import java.util.concurrent.Executor;

/**
 * The index of one space in this server, and what a search of it has to know. Written by one
 * thread, read by any.
 */
final class IndexedSpace implements AutoCloseable {

  private final String generation;
  private final SpaceIndex index;
  private volatile SpaceSettings settings;
  private volatile int dimension;
  private volatile long total;

  IndexedSpace(IndexReads.Some space, Executor background) {
    generation = space.generation();
    settings = space.settings();
    dimension = space.dimension();
    total = space.items();
    // The first embedding decides, so that the index can tell it with the items.
    index =
        new SpaceIndex(
            new IndexSettings(
                0,
                metric(settings),
                settings.getLanguage() == TextLanguage.TEXT_LANGUAGE_ENGLISH
                    ? Language.ENGLISH
                    : Language.ANY,
                IndexSettings.DEFAULT_APPROXIMATE_ABOVE),
            background);
  }

  private static Metric metric(SpaceSettings settings) {
    return switch (settings.getMetric()) {
      case VECTOR_METRIC_DOT -> Metric.DOT;
      case VECTOR_METRIC_L2 -> Metric.L2;
      default -> Metric.COSINE;
    };
  }

  /** Whether this is the space that was read, and not an earlier one of its name. */
  boolean isOf(IndexReads.Some space) {
    return generation.equals(space.generation());
  }

  /** Takes over what may have changed of the space itself. */
  void update(IndexReads.Some space) {
    settings = space.settings();
    dimension = space.dimension();
  }

  SpaceIndex index() {
    return index;
  }

  SpaceSettings settings() {
    return settings;
  }

  /** How many numbers its embeddings have; 0 when it is not fixed yet. */
  int dimension() {
    return dimension;
  }

  /** How many items there were when loading began. */
  long total() {
    return total;
  }

  /** An item as the index takes it. */
  static IndexItem item(IndexReads.Row row) {
    ItemRecord said = row.said();
    IndexedContent content = IndexedContent.parse(row.content());
    return new IndexItem(
        row.id(),
        content.text(),
        content.embedding(),
        Set.copyOf(said.tags()),
        said.tier().name(),
        said.source(),
        said.importance(),
        said.createdMicros(),
        said.updatedMicros(),
        said.endsMicros() == 0 ? IndexItem.NEVER : said.endsMicros(),
        said.attributes());
  }

  @Override
  public void close() {
    index.close();
  }
}
