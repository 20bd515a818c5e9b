package dev.troupe.server.cli;

import java.util.ArrayList;
import java.util.List;
import java.util.function.BiFunction;
import java.util.function.Function;

/** Reads a list page by page. */
final class Pages {

  private Pages() {}

  /**
   * Reads until there is no further page or the limit is reached.
   *
   * @param limit how many items at most; 0 means all
   * @param largest the largest page that the server gives
   * @param fetch gets a page of a size, from a token on
   * @throws UsageException when the limit is below 0
   */
  static <R, T> List<T> read(
      int limit,
      int largest,
      BiFunction<Integer, String, R> fetch,
      Function<R, List<T>> items,
      Function<R, String> nextToken) {
    Given.limit(limit);
    List<T> all = new ArrayList<>();
    String token = "";
    do {
      int size = limit == 0 ? largest : Math.min(largest, limit - all.size());
      R page = fetch.apply(size, token);
      all.addAll(items.apply(page));
      token = nextToken.apply(page);
    } while (!token.isEmpty() && (limit == 0 || all.size() < limit));
    return all;
  }
}
