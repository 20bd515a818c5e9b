package dev.troupe.server.grpc;

import com.google.inject.Inject;
import dev.troupe.server.error.TroupeException;
import dev.troupe.server.log.LogReader;
import dev.troupe.server.log.PartitionLogs;
import dev.troupe.server.log.PartitionLogs.LogHead;
import dev.troupe.server.log.ResumePoint;
import dev.troupe.server.redis.Namespaces;
import dev.troupe.server.redis.Partition;
import dev.troupe.v1.ErrorReason;
import io.grpc.stub.ServerCallStreamObserver;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/**
 * Streams what happens to the things of one kind, from the logs of all partitions of a namespace,
 * from now on or after a resume token; a token whose followers are trimmed is refused.
 */
public final class ChangeWatches {

  private final Namespaces namespaces;
  private final PartitionLogs logs;
  private final StreamPumps pumps;

  @Inject
  ChangeWatches(Namespaces namespaces, PartitionLogs logs, StreamPumps pumps) {
    this.namespaces = namespaces;
    this.logs = logs;
    this.pumps = pumps;
  }

  /** Puts something before what is read. */
  public interface Preface {
    /** The readers to be read instead, by the index of their partition. */
    Map<Integer, LogReader> before(List<Partition> partitions, Map<Integer, LogReader> readers);
  }

  /**
   * Takes charge of a call.
   *
   * @param purpose tells this stream's tokens from those of streams with other arguments
   * @param resumeToken empty begins now
   */
  public <T> void watch(
      String namespace,
      String purpose,
      String resumeToken,
      StreamFormat<T> format,
      ServerCallStreamObserver<T> caller) {
    watch(namespace, purpose, resumeToken, (partitions, readers) -> readers, format, caller);
  }

  /** The same, with something before the changes. */
  public <T> void watch(
      String namespace,
      String purpose,
      String resumeToken,
      Preface preface,
      StreamFormat<T> format,
      ServerCallStreamObserver<T> caller) {
    StreamPump<T> pump = pumps.open(caller, StreamPace.DEFAULT);
    namespaces
        .partitions(namespace)
        .thenCompose(
            partitions ->
                point(namespace, purpose, resumeToken, partitions)
                    .thenAccept(
                        point ->
                            pump.begin(
                                format,
                                point,
                                preface.before(partitions, readers(partitions, point)),
                                StreamRules.DEFAULT)))
        .whenComplete(
            (done, failure) -> {
              if (failure != null) {
                pump.end(failure);
              }
            });
  }

  private CompletionStage<ResumePoint> point(
      String namespace, String purpose, String resumeToken, List<Partition> partitions) {
    if (!resumeToken.isEmpty()) {
      try {
        return kept(ResumePoint.parse(namespace, purpose, resumeToken), partitions);
      } catch (TroupeException refusal) {
        return CompletableFuture.failedFuture(refusal);
      }
    }
    CompletionStage<Map<Integer, LogHead>> heads =
        CompletableFuture.completedFuture(new HashMap<>());
    for (Partition partition : partitions) {
      heads =
          heads.thenCombine(
              logs.head(partition),
              (found, head) -> {
                found.put(partition.index(), head);
                return found;
              });
    }
    return heads.thenApply(found -> ResumePoint.of(namespace, purpose, found));
  }

  /** Fails unless everything after the point is still there. */
  private CompletionStage<ResumePoint> kept(ResumePoint point, List<Partition> partitions) {
    Map<Integer, LogHead> positions = point.positions();
    if (positions.size() != partitions.size()) {
      return CompletableFuture.failedFuture(trimmed());
    }
    CompletionStage<ResumePoint> kept = CompletableFuture.completedFuture(point);
    for (Partition partition : partitions) {
      LogHead from = positions.get(partition.index());
      kept =
          kept.thenCombine(
              logs.before(partition, 0),
              (standing, oldest) -> {
                if (from == null || !reaches(oldest, from)) {
                  throw trimmed();
                }
                return standing;
              });
    }
    return kept;
  }

  /** A log that had not begun yet has no epoch; any that began since continues it. */
  private static boolean reaches(LogHead oldest, LogHead from) {
    return (from.epoch() == 0 || from.epoch() == oldest.epoch())
        && from.position().sequence() >= oldest.position().sequence();
  }

  private static TroupeException trimmed() {
    return TroupeException.of(
        ErrorReason.ERROR_REASON_POSITION_TRIMMED,
        "resume_token: too old, changes after it are no longer kept; watch anew and list what"
            + " there is");
  }

  private Map<Integer, LogReader> readers(List<Partition> partitions, ResumePoint point) {
    Map<Integer, LogReader> readers = new HashMap<>();
    for (Partition partition : partitions) {
      LogHead from = point.positions().get(partition.index());
      if (from != null) {
        readers.put(partition.index(), logs.open(partition, from.position(), from.epoch()));
      }
    }
    return readers;
  }
}
