package dev.troupe.server.memory;

import com.google.inject.Inject;
import dev.troupe.server.grpc.Names;
import dev.troupe.server.grpc.PageTokens;
import dev.troupe.server.redis.Namespaces;
import dev.troupe.server.redis.Partition;
import dev.troupe.v1.ListSpacesRequest;
import dev.troupe.v1.ListSpacesResponse;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/** Lists spaces over the partitions of a namespace, page by page. */
final class SpaceListing {

  private static final int SPACES = 100;

  private final SpaceStore store;
  private final Namespaces namespaces;

  @Inject
  SpaceListing(SpaceStore store, Namespaces namespaces) {
    this.store = store;
    this.namespaces = namespaces;
  }

  CompletionStage<ListSpacesResponse> list(ListSpacesRequest request) {
    String namespace = Names.namespace(request.getNamespace());
    String arguments = String.join("\n", "spaces", namespace, request.getPrefix());
    String place = PageTokens.read(arguments, request.getPageToken());
    int newline = place.indexOf('\n');
    int first = newline < 0 ? 0 : Integer.parseInt(place.substring(0, newline));
    int most = request.getPageSize() == 0 ? SPACES : request.getPageSize();
    return namespaces
        .partitions(namespace)
        .thenCompose(
            partitions ->
                new Page(request.getPrefix(), partitions, arguments, most)
                    .fill(first, place.substring(newline + 1)));
  }

  /** One page, filled partition by partition. */
  private final class Page {

    private final String prefix;
    private final List<Partition> partitions;
    private final String arguments;
    private final int most;
    private final ListSpacesResponse.Builder response = ListSpacesResponse.newBuilder();

    Page(String prefix, List<Partition> partitions, String arguments, int most) {
      this.prefix = prefix;
      this.partitions = partitions;
      this.arguments = arguments;
      this.most = most;
    }

    CompletionStage<ListSpacesResponse> fill(int index, String after) {
      if (index >= partitions.size()) {
        return CompletableFuture.completedFuture(response.build());
      }
      int room = most - response.getSpacesCount();
      if (room == 0) {
        return CompletableFuture.completedFuture(
            response.setNextPageToken(PageTokens.make(arguments, index + "\n" + after)).build());
      }
      Partition partition = partitions.get(index);
      return store
          .names(partition, prefix, after, room)
          .thenCompose(
              names ->
                  names.isEmpty()
                      ? fill(index + 1, "")
                      : store
                          .get(partition, names)
                          .thenCompose(
                              spaces -> {
                                spaces.stream()
                                    .flatMap(Optional::stream)
                                    .forEach(response::addSpaces);
                                return names.size() < room
                                    ? fill(index + 1, "")
                                    : fill(index, names.get(names.size() - 1));
                              }));
    }
  }
}
