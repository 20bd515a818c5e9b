package dev.troupe.server.lock;

import com.google.inject.Inject;
import dev.troupe.server.grpc.Names;
import dev.troupe.server.grpc.PartitionPages;
import dev.troupe.server.redis.Partition;
import dev.troupe.v1.ListLocksRequest;
import dev.troupe.v1.ListLocksResponse;
import dev.troupe.v1.LockInfo;
import java.util.Optional;
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
  private final PartitionPages pages;

  @Inject
  LockListing(LockStore store, PartitionPages pages) {
    this.store = store;
    this.pages = pages;
  }

  CompletionStage<ListLocksResponse> list(ListLocksRequest request) {
    String namespace = Names.namespace(request.getNamespace());
    String arguments =
        String.join("\n", "locks", namespace, request.getPrefix(), request.getOwner());
    Page page = new Page(request);
    return pages
        .fill(namespace, arguments, request.getPageToken(), page)
        .thenApply(next -> page.response.setNextPageToken(next).build());
  }

  private final class Page implements PartitionPages.Page {

    private final String given;
    private final boolean byOwner;
    private final int most;
    private final ListLocksResponse.Builder response = ListLocksResponse.newBuilder();
    private int bytes;

    Page(ListLocksRequest request) {
      byOwner = !request.getOwner().isEmpty();
      given = byOwner ? request.getOwner() : request.getPrefix();
      most = request.getPageSize() == 0 ? LOCKS : request.getPageSize();
    }

    @Override
    public boolean isFull() {
      return response.getLocksCount() == most || bytes > BYTES;
    }

    @Override
    public CompletionStage<Optional<String>> add(Partition partition, String after) {
      int room = Math.min(AT_ONCE, most - response.getLocksCount());
      return store
          .names(partition, byOwner, given, room, after)
          .thenCompose(names -> add(partition, after, names));
    }

    private CompletionStage<Optional<String>> add(
        Partition partition, String after, NamePage names) {
      if (names.names().isEmpty()) {
        return CompletableFuture.completedFuture(
            names.more() ? Optional.of(after) : Optional.empty());
      }
      return store
          .get(partition, names.names())
          .thenApply(
              locks -> {
                String behind = after;
                for (LockInfo lock : locks) {
                  if (isFull()) {
                    return Optional.of(behind);
                  }
                  add(lock);
                  behind = lock.getName();
                }
                return names.more()
                    ? Optional.of(names.names().get(names.names().size() - 1))
                    : Optional.empty();
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
