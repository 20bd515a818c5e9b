package dev.troupe.server.memory;

import com.google.inject.Inject;
import com.google.protobuf.util.Durations;
import com.google.protobuf.util.FieldMaskUtil;
import dev.troupe.server.error.TroupeException;
import dev.troupe.server.grpc.Names;
import dev.troupe.server.grpc.RequestDigest;
import dev.troupe.server.memory.MemoryScripts.Guard;
import dev.troupe.server.memory.MemoryStore.Found;
import dev.troupe.server.memory.MemoryStore.Step;
import dev.troupe.server.memory.MemoryStore.Written;
import dev.troupe.server.redis.Partition;
import dev.troupe.v1.DeleteMemoriesRequest;
import dev.troupe.v1.DeleteMemoriesResponse;
import dev.troupe.v1.ErrorReason;
import dev.troupe.v1.MemoryItem;
import dev.troupe.v1.UpdateMemoryRequest;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/** Changes of items that take more than one step. */
final class MemoryChanges {

  private static final int DELETED = 10_000;
  private static final String LIFETIME = "lifetime";

  private final MemoryStore store;
  private final SpaceStore spaces;

  @Inject
  MemoryChanges(MemoryStore store, SpaceStore spaces) {
    this.store = store;
    this.spaces = spaces;
  }

  CompletionStage<Written> update(UpdateMemoryRequest request) {
    Guard guard =
        new Guard(
            request.getFence(),
            request.getRequestId(),
            RequestDigest.of(request.getRequestId(), request));
    return spaces
        .locate(Names.namespace(request.getNamespace()), request.getSpace())
        .thenCompose(
            partition ->
                Tries.until(
                    request.getExpectedVersion() == 0, () -> update(partition, request, guard)));
  }

  private CompletionStage<Written> update(
      Partition partition, UpdateMemoryRequest request, Guard guard) {
    return current(partition, request)
        .thenCompose(
            current -> {
              MemoryItem.Builder changed = current.toBuilder();
              FieldMaskUtil.merge(
                  request.getUpdateMask(),
                  request.getItem(),
                  changed,
                  SpaceChanges.CLEAR_WHAT_IS_EMPTY);
              MemoryItem item = changed.build();
              // One that is gone is not judged: the store says so, or knows the request.
              if (current.getVersion() > 0) {
                MemoryChecks.updated(item);
              }
              long lifetime =
                  request.getUpdateMask().getPathsList().contains(LIFETIME)
                      ? Durations.toMicros(request.getItem().getLifetime())
                      : -1;
              long version =
                  request.getExpectedVersion() == 0
                      ? current.getVersion()
                      : request.getExpectedVersion();
              return store.update(partition, request.getSpace(), item, version, lifetime, guard);
            });
  }

  private CompletionStage<MemoryItem> current(Partition partition, UpdateMemoryRequest request) {
    String id = request.getItem().getItemId();
    return store
        .read(partition, request.getSpace(), List.of(id), true, 1)
        .thenApply(
            found -> {
              if (found.get(0) instanceof Found.Item item) {
                return item.said().toItem(id, item.content(), false);
              }
              if (request.getRequestId().isEmpty()) {
                throw TroupeException.of(
                        ErrorReason.ERROR_REASON_ITEM_NOT_FOUND, "no such item in the space")
                    .about(
                        "namespace",
                        partition.namespace(),
                        "space",
                        request.getSpace(),
                        "item_id",
                        id);
              }
              // The answer to a request may be kept for longer than the item.
              return MemoryItem.newBuilder().setItemId(id).build();
            });
  }

  /** Deletes what matches, step by step, until the limit. */
  CompletionStage<DeleteMemoriesResponse> delete(DeleteMemoriesRequest request) {
    Guard guard =
        new Guard(
            request.getFence(),
            request.getRequestId(),
            RequestDigest.of(request.getRequestId(), request));
    int limit = request.getLimit() == 0 ? DELETED : request.getLimit();
    return spaces
        .locate(Names.namespace(request.getNamespace()), request.getSpace())
        .thenCompose(
            partition -> delete(partition, request, guard, 0, new Step(0, "", "", 0), limit))
        .thenApply(
            last ->
                DeleteMemoriesResponse.newBuilder()
                    .setDeleted(last.deleted())
                    .setMore(!last.next().isEmpty())
                    .setRevision(last.revision())
                    .build());
  }

  private CompletionStage<Step> delete(
      Partition partition,
      DeleteMemoriesRequest request,
      Guard guard,
      int number,
      Step done,
      int limit) {
    int room = (int) Math.min(MemoryStore.MOST_AT_ONCE, limit - done.deleted());
    return store
        .delete(
            partition,
            request.getSpace(),
            request.getFilter(),
            done.next(),
            done.end(),
            room,
            guard.step(number))
        .thenCompose(
            step -> {
              Step now =
                  new Step(
                      done.deleted() + step.deleted(), step.next(), step.end(), step.revision());
              return step.next().isEmpty() || now.deleted() >= limit
                  ? CompletableFuture.completedFuture(now)
                  : delete(partition, request, guard, number + 1, now, limit);
            });
  }
}
