package dev.troupe.server.memory;

import com.google.inject.Inject;
import dev.troupe.server.grpc.Names;
import dev.troupe.server.grpc.PartitionPages;
import dev.troupe.server.redis.Partition;
import dev.troupe.v1.ListSpacesRequest;
import dev.troupe.v1.ListSpacesResponse;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/** Lists spaces over the partitions of a namespace, page by page. */
final class SpaceListing {

  private static final int SPACES = 100;

  private final SpaceStore store;
  private final PartitionPages pages;

  @Inject
  SpaceListing(SpaceStore store, PartitionPages pages) {
    this.store = store;
    this.pages = pages;
  }

  CompletionStage<ListSpacesResponse> list(ListSpacesRequest request) {
    String namespace = Names.namespace(request.getNamespace());
    String arguments = String.join("\n", "spaces", namespace, request.getPrefix());
    Page page = new Page(request);
    return pages
        .fill(namespace, arguments, request.getPageToken(), page)
        .thenApply(next -> page.response.setNextPageToken(next).build());
  }

  private final class Page implements PartitionPages.Page {

    private final String prefix;
    private final int most;
    private final ListSpacesResponse.Builder response = ListSpacesResponse.newBuilder();

    Page(ListSpacesRequest request) {
      prefix = request.getPrefix();
      most = request.getPageSize() == 0 ? SPACES : request.getPageSize();
    }

    @Override
    public boolean isFull() {
      return response.getSpacesCount() == most;
    }

    @Override
    public CompletionStage<Optional<String>> add(Partition partition, String after) {
      int room = most - response.getSpacesCount();
      return store
          .names(partition, prefix, after, room)
          .thenCompose(
              names ->
                  names.isEmpty()
                      ? CompletableFuture.completedFuture(Optional.empty())
                      : store
                          .get(partition, names)
                          .thenApply(
                              spaces -> {
                                spaces.stream()
                                    .flatMap(Optional::stream)
                                    .forEach(response::addSpaces);
                                return names.size() < room
                                    ? Optional.empty()
                                    : Optional.of(names.get(names.size() - 1));
                              }));
    }
  }
}
