package dev.troupe.server.memory;

import dev.troupe.server.memory.search.DumpReader;
import dev.troupe.server.memory.search.DumpWriter;
import dev.troupe.server.memory.search.IndexChange;
import dev.troupe.server.memory.search.IndexItem;
import dev.troupe.server.memory.search.IndexSettings;
import dev.troupe.server.memory.search.IndexSettings.Language;
import dev.troupe.server.memory.search.Metric;
import dev.troupe.server.memory.search.SpaceIndex;
import dev.troupe.v1.SpaceSettings;
import dev.troupe.v1.TextLanguage;
import java.io.IOException;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Executor;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The index of one space in this server, and what a search of it has to know. Written by one
 * thread, read by any.
 */
final class IndexedSpace implements AutoCloseable {

  private static final Logger log = LoggerFactory.getLogger(IndexedSpace.class);

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
    index = new SpaceIndex(indexSettings(settings), background);
  }

  private IndexedSpace(DumpReader in, Executor background) throws IOException {
    generation = in.text();
    settings = SpaceSettings.parseFrom(in.bytes());
    dimension = (int) in.number();
    total = in.number();
    index = SpaceIndex.restored(indexSettings(settings), background, in);
  }

  /** One as it was dumped; fails if that cannot be read or does not fit together. */
  static IndexedSpace restored(DumpReader in, Executor background) throws IOException {
    return new IndexedSpace(in, background);
  }

  /** Writes what {@link #restored} reads, as it is now or in a moment. */
  void dump(DumpWriter out) throws IOException {
    out.text(generation);
    out.bytes(settings.toByteArray());
    out.number(dimension);
    out.number(index.size());
    index.dump(out);
  }

  /** What {@link #dump} writes, about: words and labels, and vectors in float32 and int8. */
  long dumpBytes() {
    return 1024L * index.size() + 5L * dimension * index.embedded();
  }

  /** The first embedding decides the dimension, so that the index can tell it with the items. */
  private static IndexSettings indexSettings(SpaceSettings settings) {
    return new IndexSettings(
        0,
        metric(settings),
        settings.getLanguage() == TextLanguage.TEXT_LANGUAGE_ENGLISH
            ? Language.ENGLISH
            : Language.ANY,
        IndexSettings.DEFAULT_APPROXIMATE_ABOVE);
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

  /** Makes changes that belong to a revision; one that cannot be made is left out, and logged. */
  void apply(List<IndexChange> changes, long revision) {
    try {
      index.apply(changes, revision);
    } catch (IllegalArgumentException e) {
      // Never so by our own doing; one item must not keep the others from being found.
      log.error("changes of a space cannot be indexed together", e);
      for (IndexChange change : changes) {
        try {
          index.apply(List.of(change), revision);
        } catch (IllegalArgumentException refused) {
          log.error("an item cannot be indexed", refused);
        }
      }
    }
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
