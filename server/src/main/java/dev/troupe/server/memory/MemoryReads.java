package dev.troupe.server.memory;

import com.google.inject.Inject;
import dev.troupe.server.error.TroupeException;
import dev.troupe.server.grpc.Names;
import dev.troupe.server.grpc.PageTokens;
import dev.troupe.server.grpc.RequestDigest;
import dev.troupe.server.memory.MemoryStore.Found;
import dev.troupe.server.redis.Partition;
import dev.troupe.v1.ErrorReason;
import dev.troupe.v1.GetMemoriesRequest;
import dev.troupe.v1.GetMemoriesResponse;
import dev.troupe.v1.GetMemoryRequest;
import dev.troupe.v1.ListMemoriesRequest;
import dev.troupe.v1.ListMemoriesResponse;
import dev.troupe.v1.MemoryItem;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/** Reads items by their ids, and lists them page by page. */
final class MemoryReads {

  /** With the largest item behind it, still below the 4 MiB that gRPC clients take. */
  private static final int BYTES = 2 << 20;

  private static final int ITEMS = 100;

  /** How often a listing looks on before a page comes back empty. */
  private static final int ROUNDS = 8;

  private final MemoryStore store;
  private final SpaceStore spaces;

  @Inject
  MemoryReads(MemoryStore store, SpaceStore spaces) {
    this.store = store;
    this.spaces = spaces;
  }

  CompletionStage<MemoryItem> get(GetMemoryRequest request) {
    return spaces
        .locate(Names.namespace(request.getNamespace()), request.getSpace())
        .thenCompose(
            partition ->
                store.read(
                    partition,
                    request.getSpace(),
                    List.of(request.getItemId()),
                    request.getPeek(),
                    BYTES))
        .thenApply(
            found -> {
              if (found.get(0) instanceof Found.Item item) {
                return item.said().toItem(item.id(), item.content(), request.getOmitEmbedding());
              }
              throw TroupeException.of(
                      ErrorReason.ERROR_REASON_ITEM_NOT_FOUND, "no such item in the space")
                  .about(
                      "namespace",
                      Names.namespace(request.getNamespace()),
                      "space",
                      request.getSpace(),
                      "item_id",
                      request.getItemId());
            });
  }

  CompletionStage<GetMemoriesResponse> getAll(GetMemoriesRequest request) {
    return spaces
        .locate(Names.namespace(request.getNamespace()), request.getSpace())
        .thenCompose(
            partition ->
                store.read(
                    partition,
                    request.getSpace(),
                    request.getItemIdsList(),
                    request.getPeek(),
                    BYTES))
        .thenApply(
            found -> {
              GetMemoriesResponse.Builder response = GetMemoriesResponse.newBuilder();
              for (Found one : found) {
                if (one instanceof Found.Item item) {
                  response.addItems(
                      item.said().toItem(item.id(), item.content(), request.getOmitEmbedding()));
                } else if (one instanceof Found.TooMuch late) {
                  response.addMissing(late.id()).setTruncated(true);
                } else if (one instanceof Found.Missing missing) {
                  response.addMissing(missing.id());
                }
              }
              return response.build();
            });
  }

  CompletionStage<ListMemoriesResponse> list(ListMemoriesRequest request) {
    String namespace = Names.namespace(request.getNamespace());
    String arguments =
        String.join(
            "\n",
            "memories",
            namespace,
            request.getSpace(),
            RequestDigest.of("filter", request.getFilter()));
    String place = PageTokens.read(arguments, request.getPageToken());
    return spaces
        .locate(namespace, request.getSpace())
        .thenCompose(
            partition ->
                list(partition, request, place, ListMemoriesResponse.newBuilder(), BYTES, 1))
        .thenApply(
            page -> {
              String next = page.getNextPageToken();
              return next.isEmpty()
                  ? page.build()
                  : page.setNextPageToken(PageTokens.make(arguments, next)).build();
            });
  }

  /** Fills a page; its token is the bare place until the end. */
  private CompletionStage<ListMemoriesResponse.Builder> list(
      Partition partition,
      ListMemoriesRequest request,
      String after,
      ListMemoriesResponse.Builder page,
      int room,
      int round) {
    int most = request.getPageSize() == 0 ? ITEMS : request.getPageSize();
    return store
        .list(
            partition,
            request.getSpace(),
            request.getFilter(),
            after,
            most - page.getItemsCount(),
            room,
            true)
        .thenCompose(
            found -> {
              int left = room;
              for (Found.Item item : found.items()) {
                page.addItems(
                    item.said().toItem(item.id(), item.content(), request.getOmitEmbedding()));
                left -= item.content().size();
              }
              boolean full = page.getItemsCount() >= most || left <= 0 || round == ROUNDS;
              return found.next().isEmpty() || full
                  ? CompletableFuture.completedFuture(page.setNextPageToken(found.next()))
                  : list(partition, request, found.next(), page, left, round + 1);
            });
  }
}
