package dev.troupe.server.lock;

import com.google.inject.Inject;
import dev.troupe.server.grpc.Names;
import dev.troupe.server.grpc.PageTokens;
import dev.troupe.server.redis.Namespaces;
import dev.troupe.server.redis.Partition;
import dev.troupe.v1.ListLocksRequest;
import dev.troupe.v1.ListLocksResponse;
import dev.troupe.v1.LockInfo;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/** Lists locks over the partitions of a namespace, page by page. */
final class LockListing {

  private static final int LOCKS = 100;

  /** Locks of one message: each may come with a hundred holders and waiters. */
  private static final int AT_ONCE = 32;

  /** With the largest lock behind it, still below the 4 MiB that gRPC clients take. */
  private static final int BYTES = 1 << 20;

  private final LockStore store;
  private final Namespaces namespaces;

  @Inject
  LockListing(LockStore store, Namespaces namespaces) {
    this.store = store;
    this.namespaces = namespaces;
  }

  CompletionStage<ListLocksResponse> list(ListLocksRequest request) {
    String namespace = Names.namespace(request.getNamespace());
    String arguments =
        String.join("\n", "locks", namespace, request.getPrefix(), request.getOwner());
    String place = PageTokens.read(arguments, request.getPageToken());
    int newline = place.indexOf('\n');
    int first = newline < 0 ? 0 : Integer.parseInt(place.substring(0, newline));
    int most = request.getPageSize() == 0 ? LOCKS : request.getPageSize();
    return namespaces
        .partitions(namespace)
        .thenCompose(
            partitions ->
                new Page(request, partitions, arguments, most)
                    .fill(first, place.substring(newline + 1)));
  }

  /** One page, filled partition by partition. */
  private final class Page {

    private final ListLocksRequest request;
    private final List<Partition> partitions;
    private final String arguments;
    private final int most;
    private final ListLocksResponse.Builder response = ListLocksResponse.newBuilder();
    private int bytes;

    Page(ListLocksRequest request, List<Partition> partitions, String arguments, int most) {
      this.request = request;
      this.partitions = partitions;
      this.arguments = arguments;
      this.most = most;
    }

    CompletionStage<ListLocksResponse> fill(int index, String after) {
      if (index >= partitions.size()) {
        return CompletableFuture.completedFuture(response.build());
      }
      int room = Math.min(AT_ONCE, most - response.getLocksCount());
      if (room == 0 || bytes > BYTES) {
        return CompletableFuture.completedFuture(
            response.setNextPageToken(PageTokens.make(arguments, index + "\n" + after)).build());
      }
      boolean byOwner = !request.getOwner().isEmpty();
      String given = byOwner ? request.getOwner() : request.getPrefix();
      return store
          .names(partitions.get(index), byOwner, given, room, after)
          .thenCompose(names -> add(index, after, names));
    }

    private CompletionStage<ListLocksResponse> add(int index, String after, NamePage names) {
      if (names.names().isEmpty() && !names.more()) {
        return fill(index + 1, "");
      }
      String last = names.names().isEmpty() ? after : names.names().get(names.names().size() - 1);
      return store
          .get(partitions.get(index), names.names())
          .thenCompose(
              locks -> {
                String behind = after;
                for (LockInfo lock : locks) {
                  if (bytes > BYTES) {
                    return fill(index, behind);
                  }
                  add(lock);
                  behind = lock.getName();
                }
                return names.more() ? fill(index, last) : fill(index + 1, "");
              });
    }

    private void add(LockInfo lock) {
      // One may have been let go of since its name was read.
      if (lock.getHeld() > 0 || lock.getWaiterCount() > 0) {
        response.addLocks(lock);
        bytes += lock.getSerializedSize();
      }
    }
  }
}
