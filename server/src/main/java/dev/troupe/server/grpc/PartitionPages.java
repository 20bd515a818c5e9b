package dev.troupe.server.grpc;

import com.google.inject.Inject;
import dev.troupe.server.redis.Namespaces;
import dev.troupe.server.redis.Partition;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/**
 * Lists what lies in all partitions of a namespace, page by page, one partition after the other.
 */
public final class PartitionPages {

  private final Namespaces namespaces;

  @Inject
  public PartitionPages(Namespaces namespaces) {
    this.namespaces = namespaces;
  }

  /** A page that is being filled. */
  public interface Page {

    boolean isFull();

    /**
     * Adds some of what lies in a partition behind a place.
     *
     * @param after the place that was answered last for this partition; empty for its beginning
     * @return the place up to which it was added; empty when nothing is left behind it
     */
    CompletionStage<Optional<String>> add(Partition partition, String after);
  }

  /**
   * Fills a page from where the one before ended.
   *
   * @param arguments what is listed: a token of another listing is refused with INVALID_PAGE_TOKEN
   * @param token of the page before; empty for the first page
   * @return the token for the next page; empty when this is the last
   */
  public CompletionStage<String> fill(String namespace, String arguments, String token, Page page) {
    String place = PageTokens.read(arguments, token);
    int newline = place.indexOf('\n');
    int first = newline < 0 ? 0 : Integer.parseInt(place.substring(0, newline));
    return namespaces
        .partitions(namespace)
        .thenCompose(all -> fill(page, all, first, place.substring(newline + 1)))
        .thenApply(next -> next.map(end -> PageTokens.make(arguments, end)).orElse(""));
  }

  private static CompletionStage<Optional<String>> fill(
      Page page, List<Partition> partitions, int index, String after) {
    if (index >= partitions.size()) {
      return CompletableFuture.completedFuture(Optional.empty());
    }
    if (page.isFull()) {
      return CompletableFuture.completedFuture(Optional.of(index + "\n" + after));
    }
    return page.add(partitions.get(index), after)
        .thenCompose(
            place ->
                place.isPresent()
                    ? fill(page, partitions, index, place.get())
                    : fill(page, partitions, index + 1, ""));
  }
}
