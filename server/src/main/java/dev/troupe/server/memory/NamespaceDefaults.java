package dev.troupe.server.memory;

import com.google.inject.Inject;
import com.google.protobuf.util.Timestamps;
import dev.troupe.server.error.TroupeException;
import dev.troupe.server.grpc.Names;
import dev.troupe.server.grpc.RequestDigest;
import dev.troupe.server.memory.DefaultsStore.Copy;
import dev.troupe.server.memory.MemoryScripts.Guard;
import dev.troupe.server.redis.Namespaces;
import dev.troupe.server.redis.Partition;
import dev.troupe.server.redis.PartitionSweep.Swept;
import dev.troupe.v1.ErrorReason;
import dev.troupe.v1.MemoryDefaults;
import dev.troupe.v1.SpaceSettings;
import dev.troupe.v1.UpdateMemoryDefaultsRequest;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * What a namespace says where its spaces have no settings of their own: changed in its first
 * partition, then given to the others. Whoever does that may end at any point: the sweeper, which
 * comes to each partition anyway, sees which one has an older copy than another, also when one lost
 * its data.
 */
final class NamespaceDefaults {

  private static final Duration TRY_AGAIN = Duration.ofMillis(500);

  private final DefaultsStore store;
  private final Namespaces namespaces;

  /** When the newest copy was made that a sweep has seen, by namespace. */
  private final Map<String, Long> newest = new ConcurrentHashMap<>();

  @Inject
  NamespaceDefaults(DefaultsStore store, Namespaces namespaces) {
    this.store = store;
    this.namespaces = namespaces;
  }

  CompletionStage<MemoryDefaults> get(String namespace) {
    return namespaces
        .partitions(Names.namespace(namespace))
        .thenCompose(this::copies)
        .thenApply(
            copies -> {
              Copy copy = newest(copies);
              return defaults(copy, copies.stream().anyMatch(one -> isOlder(one, copy)));
            });
  }

  CompletionStage<MemoryDefaults> update(UpdateMemoryDefaultsRequest request) {
    Guard guard =
        new Guard(
            request.getFence(),
            request.getRequestId(),
            RequestDigest.of(request.getRequestId(), request));
    return namespaces
        .partitions(Names.namespace(request.getNamespace()))
        .thenCompose(
            partitions ->
                readyToChange(partitions)
                    .thenCompose(
                        begun ->
                            Tries.until(
                                request.getExpectedVersion() == 0,
                                () -> update(partitions.get(0), request, guard)))
                    .thenCompose(
                        changed -> level(partitions).thenApply(all -> defaults(changed, !all))));
  }

  private CompletionStage<Copy> update(
      Partition first, UpdateMemoryDefaultsRequest request, Guard guard) {
    return store
        .get(first)
        .thenCompose(
            current -> {
              SpaceSettings settings =
                  SpaceChanges.merged(
                      current.settings(), request.getSettings(), request.getUpdateMask());
              long version =
                  request.getExpectedVersion() == 0
                      ? current.version()
                      : request.getExpectedVersion();
              return store.update(first, version, settings, guard);
            });
  }

  /** Takes what a sweep of a partition found, and brings all to the same when some is behind. */
  CompletionStage<Swept> swept(Partition partition, SpaceStore.Sweep sweep) {
    long latest = newest.merge(partition.namespace(), sweep.defaultsMicros(), Math::max);
    if (sweep.defaultsMicros() >= latest) {
      return CompletableFuture.completedFuture(sweep.swept());
    }
    return namespaces
        .partitions(partition.namespace())
        .thenCompose(this::level)
        .thenApply(
            all -> {
              // What none of them has any more, Redis has lost.
              newest.remove(partition.namespace(), latest);
              return sweep.swept();
            });
  }

  /**
   * Gives the first partition what another has of later, as it decides on versions and a change is
   * merged into its copy: it may have lost that with its data. Unless it is sure that it has the
   * newest one, nothing may be changed, as the little that it has would replace all the others'.
   */
  private CompletionStage<Copy> readyToChange(List<Partition> partitions) {
    return copies(partitions)
        .thenCompose(
            copies -> {
              boolean hasNothing = copies.get(0).stream().allMatch(first -> first.version() == 0);
              if (hasNothing && copies.stream().anyMatch(Optional::isEmpty)) {
                return CompletableFuture.failedFuture(notNow(null));
              }
              Copy copy = newest(copies);
              return isOlder(copies.get(0), copy)
                  ? store
                      .give(partitions.get(0), copy)
                      .exceptionallyCompose(away -> CompletableFuture.failedFuture(notNow(away)))
                  : CompletableFuture.completedFuture(copy);
            });
  }

  private static TroupeException notNow(@Nullable Throwable why) {
    return TroupeException.retryable(
        ErrorReason.ERROR_REASON_STORE_UNAVAILABLE,
        "what the namespace says now is not known for sure; nothing was changed",
        TRY_AGAIN,
        why);
  }

  /** Gives the newest copy to those that have another; yields whether all have it then. */
  private CompletionStage<Boolean> level(List<Partition> partitions) {
    return copies(partitions)
        .thenCompose(
            copies -> {
              Copy copy = newest(copies);
              CompletionStage<Boolean> all = CompletableFuture.completedFuture(true);
              for (int i = 0; i < copies.size(); i++) {
                if (isOlder(copies.get(i), copy)) {
                  CompletionStage<Boolean> given =
                      store
                          .give(partitions.get(i), copy)
                          .thenApply(done -> true)
                          .exceptionally(away -> false);
                  all = all.thenCombine(given, Boolean::logicalAnd);
                }
              }
              return all;
            });
  }

  /** What each of them has; empty for one that does not answer, unless it is the first. */
  private CompletionStage<List<Optional<Copy>>> copies(List<Partition> partitions) {
    CompletionStage<List<Optional<Copy>>> all =
        store
            .get(partitions.get(0))
            .thenApply(first -> new ArrayList<>(List.of(Optional.of(first))));
    for (Partition partition : partitions.subList(1, partitions.size())) {
      CompletionStage<Optional<Copy>> one =
          store.get(partition).thenApply(Optional::of).exceptionally(away -> Optional.empty());
      all =
          all.thenCombine(
              one,
              (copies, copy) -> {
                copies.add(copy);
                return copies;
              });
    }
    return all;
  }

  private static Copy newest(List<Optional<Copy>> copies) {
    return copies.stream()
        .flatMap(Optional::stream)
        .max(Comparator.comparingLong(Copy::changedMicros))
        .orElseThrow();
  }

  private static boolean isOlder(Optional<Copy> one, Copy than) {
    return one.isEmpty() || one.get().changedMicros() < than.changedMicros();
  }

  private static MemoryDefaults defaults(Copy copy, boolean spreading) {
    MemoryDefaults.Builder defaults =
        MemoryDefaults.newBuilder()
            .setSettings(copy.settings())
            .setVersion(copy.version())
            .setSpreading(spreading);
    if (copy.version() > 0) {
      defaults.setUpdateTime(Timestamps.fromMicros(copy.changedMicros()));
    }
    return defaults.build();
  }
}
