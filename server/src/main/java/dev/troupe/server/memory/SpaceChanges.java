package dev.troupe.server.memory;

import com.google.inject.Inject;
import com.google.protobuf.FieldMask;
import com.google.protobuf.util.FieldMaskUtil;
import dev.troupe.server.grpc.Names;
import dev.troupe.server.grpc.RequestDigest;
import dev.troupe.server.memory.MemoryScripts.Guard;
import dev.troupe.server.redis.Partition;
import dev.troupe.v1.CreateSpaceRequest;
import dev.troupe.v1.ErrorReason;
import dev.troupe.v1.MemorySpace;
import dev.troupe.v1.SpaceSettings;
import dev.troupe.v1.UpdateSpaceRequest;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/** Creates spaces and changes their settings. */
final class SpaceChanges {

  static final FieldMaskUtil.MergeOptions CLEAR_WHAT_IS_EMPTY =
      new FieldMaskUtil.MergeOptions()
          .setReplaceMessageFields(true)
          .setReplaceRepeatedFields(true)
          .setReplacePrimitiveFields(true);

  private final SpaceStore store;

  @Inject
  SpaceChanges(SpaceStore store) {
    this.store = store;
  }

  CompletionStage<MemorySpace> create(CreateSpaceRequest request) {
    Guard guard =
        new Guard(
            request.getFence(),
            request.getRequestId(),
            RequestDigest.of(request.getRequestId(), request));
    return store
        .locate(Names.namespace(request.getNamespace()), request.getSpace())
        .thenCompose(
            partition -> store.create(partition, request.getSpace(), request.getSettings(), guard));
  }

  CompletionStage<MemorySpace> update(UpdateSpaceRequest request) {
    Guard guard =
        new Guard(
            request.getFence(),
            request.getRequestId(),
            RequestDigest.of(request.getRequestId(), request));
    return store
        .locate(Names.namespace(request.getNamespace()), request.getSpace())
        .thenCompose(
            partition ->
                Tries.until(
                    request.getExpectedVersion() == 0, () -> update(partition, request, guard)));
  }

  private CompletionStage<MemorySpace> update(
      Partition partition, UpdateSpaceRequest request, Guard guard) {
    return store
        .get(partition, request.getSpace())
        .exceptionallyCompose(failure -> ifDeleted(request, failure))
        .thenCompose(
            current -> {
              SpaceSettings own =
                  merged(current.getOwnSettings(), request.getSettings(), request.getUpdateMask());
              long version =
                  request.getExpectedVersion() == 0
                      ? current.getVersion()
                      : request.getExpectedVersion();
              return store.update(partition, request.getSpace(), version, own, guard);
            });
  }

  /** The settings with those of another that are named. */
  static SpaceSettings merged(SpaceSettings current, SpaceSettings given, FieldMask mask) {
    SpaceSettings.Builder merged = current.toBuilder();
    FieldMaskUtil.merge(mask, given, merged, CLEAR_WHAT_IS_EMPTY);
    // The merge would take it as given.
    if (mask.getPathsList().contains("refresh_on_read") && !given.hasRefreshOnRead()) {
      merged.clearRefreshOnRead();
    }
    return merged.build();
  }

  /** The answer to a request may be kept for longer than the space: the store has to say. */
  private static CompletionStage<MemorySpace> ifDeleted(
      UpdateSpaceRequest request, Throwable failure) {
    return Tries.is(ErrorReason.ERROR_REASON_SPACE_NOT_FOUND, failure)
            && !request.getRequestId().isEmpty()
        ? CompletableFuture.completedFuture(MemorySpace.getDefaultInstance())
        : CompletableFuture.failedFuture(failure);
  }
}
