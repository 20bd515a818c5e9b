package dev.troupe.server.memory;

import com.google.inject.Inject;
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
  private final SpaceDefaults defaults;

  @Inject
  SpaceChanges(SpaceStore store, SpaceDefaults defaults) {
    this.store = store;
    this.defaults = defaults;
  }

  CompletionStage<MemorySpace> create(CreateSpaceRequest request) {
    SpaceSettings settings = defaults.complete(request.getSettings());
    Guard guard =
        new Guard(
            request.getFence(),
            request.getRequestId(),
            RequestDigest.of(request.getRequestId(), request));
    return store
        .locate(Names.namespace(request.getNamespace()), request.getSpace())
        .thenCompose(partition -> store.create(partition, request.getSpace(), settings, guard));
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
              SpaceSettings.Builder changed = current.getSettings().toBuilder();
              FieldMaskUtil.merge(
                  request.getUpdateMask(), request.getSettings(), changed, CLEAR_WHAT_IS_EMPTY);
              if (changed.getDimension() == 0) {
                changed.setDimension(current.getSettings().getDimension());
              }
              long version =
                  request.getExpectedVersion() == 0
                      ? current.getVersion()
                      : request.getExpectedVersion();
              return store.update(
                  partition,
                  request.getSpace(),
                  version,
                  defaults.complete(changed.build()),
                  guard);
            });
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
