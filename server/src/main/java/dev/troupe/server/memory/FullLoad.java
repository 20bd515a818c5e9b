package dev.troupe.server.memory;

import dev.troupe.server.memory.search.IndexChange;
import dev.troupe.server.redis.Partition;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.function.Consumer;

/** Reads all spaces of a partition from Redis, a page at a time, and indexes them. */
final class FullLoad {

  private static final int ITEMS = 512;
  private static final int NAMES = 500;

  private final Partition partition;
  private final IndexReads reads;
  private final SpaceStore store;
  private final Executor writer;
  private final Executor background;

  /**
   * Reads nothing yet.
   *
   * @param writer one thread, which alone changes the indexes
   * @param background for what the indexes do ahead of searches
   */
  FullLoad(
      Partition partition,
      IndexReads reads,
      SpaceStore store,
      Executor writer,
      Executor background) {
    this.partition = partition;
    this.reads = reads;
    this.store = store;
    this.writer = writer;
    this.background = background;
  }

  /**
   * Adds all spaces to those there are, none so far. What the stage yields says nothing.
   *
   * @param revision that everything is at least at
   * @param observer is told on the writer what was read, before it is indexed
   */
  CompletionStage<Integer> into(
      Map<String, IndexedSpace> spaces, long revision, Consumer<IndexReads.Some> observer) {
    return new Run(spaces, revision, observer).spaces("");
  }

  private final class Run {
    private final Map<String, IndexedSpace> into;
    private final long revision;
    private final Consumer<IndexReads.Some> observer;

    Run(Map<String, IndexedSpace> into, long revision, Consumer<IndexReads.Some> observer) {
      this.into = into;
      this.revision = revision;
      this.observer = observer;
    }

    CompletionStage<Integer> spaces(String after) {
      return store
          .names(partition, "", after, NAMES)
          .thenCompose(
              names -> {
                CompletionStage<Integer> loaded = CompletableFuture.completedFuture(0);
                for (String name : names) {
                  loaded = loaded.thenCompose(done -> space(name));
                }
                return names.size() < NAMES
                    ? loaded
                    : loaded.thenCompose(done -> spaces(names.get(names.size() - 1)));
              });
    }

    private CompletionStage<Integer> space(String name) {
      return reads
          .page(partition, name, "", ITEMS)
          .thenCompose(
              page -> {
                if (page.isEmpty()) {
                  return CompletableFuture.completedFuture(0);
                }
                IndexedSpace space = new IndexedSpace(page.get(), background);
                into.put(name, space);
                return page(name, space, page.get());
              });
    }

    /** The next page is on its way while one is put into the index. */
    private CompletionStage<Integer> page(String name, IndexedSpace space, IndexReads.Some page) {
      CompletionStage<Optional<IndexReads.Some>> next =
          page.next().isEmpty()
              ? CompletableFuture.completedFuture(Optional.empty())
              : reads.page(partition, name, page.next(), ITEMS);
      return CompletableFuture.supplyAsync(
              () -> {
                observer.accept(page);
                List<IndexChange> changes = new ArrayList<>(page.rows().size());
                page.rows().stream()
                    .filter(row -> !row.said().isOver(page.nowMicros()))
                    .forEach(row -> changes.add(new IndexChange.Upsert(IndexedSpace.item(row))));
                space.apply(changes, revision);
                return changes.size();
              },
              writer)
          .thenCombine(next, (done, following) -> following)
          .thenCompose(
              following ->
                  following.isPresent() && space.isOf(following.get())
                      ? page(name, space, following.get())
                      : CompletableFuture.completedFuture(0));
    }
  }
}
