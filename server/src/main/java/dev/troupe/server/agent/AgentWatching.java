package dev.troupe.server.agent;

import com.google.inject.Inject;
import com.google.protobuf.InvalidProtocolBufferException;
import dev.troupe.server.error.TroupeException;
import dev.troupe.server.grpc.Names;
import dev.troupe.server.grpc.StreamFormat;
import dev.troupe.server.grpc.StreamPace;
import dev.troupe.server.grpc.StreamPump;
import dev.troupe.server.grpc.StreamPumps;
import dev.troupe.server.log.LogEntry;
import dev.troupe.server.log.LogReader;
import dev.troupe.server.log.PartitionLogs;
import dev.troupe.server.log.PartitionLogs.LogHead;
import dev.troupe.server.log.ResumePoint;
import dev.troupe.server.redis.Namespaces;
import dev.troupe.server.redis.Partition;
import dev.troupe.v1.AgentChange;
import dev.troupe.v1.ErrorReason;
import dev.troupe.v1.WatchAgentsRequest;
import dev.troupe.v1.WatchAgentsResponse;
import io.grpc.stub.ServerCallStreamObserver;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/** Streams changes of agents from the logs of all partitions of a namespace. */
final class AgentWatching {

  private final Namespaces namespaces;
  private final PartitionLogs logs;
  private final StreamPumps pumps;
  private final AgentStore store;

  @Inject
  AgentWatching(Namespaces namespaces, PartitionLogs logs, StreamPumps pumps, AgentStore store) {
    this.namespaces = namespaces;
    this.store = store;
    this.logs = logs;
    this.pumps = pumps;
  }

  void watch(WatchAgentsRequest request, ServerCallStreamObserver<WatchAgentsResponse> caller) {
    String namespace = Names.namespace(request.getNamespace());
    StreamPump<WatchAgentsResponse> pump =
        pumps.open(caller, new Format(request), StreamPace.DEFAULT);
    namespaces
        .partitions(namespace)
        .thenCompose(
            partitions ->
                point(namespace, request, partitions)
                    .thenAccept(point -> pump.begin(point, readers(request, partitions, point))))
        .whenComplete(
            (done, failure) -> {
              if (failure != null) {
                pump.end(failure);
              }
            });
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
        "resume_token: too old, changes after it are no longer kept; watch anew and list the"
            + " agents");
  }

  private CompletionStage<ResumePoint> point(
      String namespace, WatchAgentsRequest request, List<Partition> partitions) {
    String purpose =
        "agents\0"
            + String.join("\0", new TreeSet<>(request.getTypesList()))
            + "\0\0"
            + String.join("\0", new TreeSet<>(request.getAgentIdsList()));
    if (!request.getResumeToken().isEmpty()) {
      try {
        return kept(ResumePoint.parse(namespace, purpose, request.getResumeToken()), partitions);
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

  private Map<Integer, LogReader> readers(
      WatchAgentsRequest request, List<Partition> partitions, ResumePoint point) {
    Map<Integer, LogReader> readers = new HashMap<>();
    for (Partition partition : partitions) {
      LogHead from = point.positions().get(partition.index());
      if (from != null) {
        readers.put(partition.index(), logs.open(partition, from.position(), from.epoch()));
      }
    }
    if (wantsSnapshot(request)) {
      // One type has an index; of more, and of ids, what does not match is left out later.
      List<String> type =
          request.getTypesCount() == 1 ? List.of("type:" + request.getTypes(0)) : List.of();
      AgentSnapshot snapshot =
          new AgentSnapshot(store, new AgentStore.Conditions(List.of(), type), readers.size());
      for (Partition partition : partitions) {
        readers.computeIfPresent(
            partition.index(), (index, reader) -> snapshot.before(partition, reader));
      }
    }
    return readers;
  }

  private static boolean wantsSnapshot(WatchAgentsRequest request) {
    return request.getSnapshot() && request.getResumeToken().isEmpty();
  }

  /** One change per message. */
  private static final class Format implements StreamFormat<WatchAgentsResponse> {

    private final Set<String> types;
    private final Set<String> ids;

    /** Until then there is nothing to resume from. */
    private boolean snapshotComplete;

    Format(WatchAgentsRequest request) {
      snapshotComplete = !wantsSnapshot(request);
      types = Set.copyOf(request.getTypesList());
      ids = Set.copyOf(request.getAgentIdsList());
    }

    @Override
    public boolean wants(LogEntry entry) {
      if (entry.type().equals(AgentSnapshot.COMPLETE)) {
        return entry.topic().equals("troupe.agents");
      }
      return entry.topic().equals("troupe.agents")
          && (ids.isEmpty() || ids.contains(entry.subject()))
          && (types.isEmpty() || isOfType(change(entry)));
    }

    private boolean isOfType(AgentChange change) {
      return types.contains(change.getAgent().getType())
          || (!change.getFormerType().isEmpty() && types.contains(change.getFormerType()));
    }

    private static AgentChange change(LogEntry entry) {
      try {
        return AgentChange.parseFrom(entry.data());
      } catch (InvalidProtocolBufferException e) {
        throw new IllegalStateException("a logged change of an agent cannot be read", e);
      }
    }

    private String known(String resumeToken) {
      return snapshotComplete ? resumeToken : "";
    }

    @Override
    public int batchSize() {
      return 1;
    }

    @Override
    public WatchAgentsResponse entries(List<Delivery> deliveries) {
      Delivery delivery = deliveries.get(0);
      if (delivery.entry().type().equals(AgentSnapshot.COMPLETE)) {
        snapshotComplete = true;
        return WatchAgentsResponse.newBuilder()
            .setSnapshotComplete(true)
            .setResumeToken(delivery.resumeToken())
            .build();
      }
      return WatchAgentsResponse.newBuilder()
          .setChange(change(delivery.entry()))
          .setResumeToken(known(delivery.resumeToken()))
          .build();
    }

    @Override
    public WatchAgentsResponse started(String resumeToken) {
      return checkpoint(resumeToken);
    }

    @Override
    public @Nullable WatchAgentsResponse caughtUp(String resumeToken) {
      return null;
    }

    @Override
    public WatchAgentsResponse checkpoint(String resumeToken) {
      return WatchAgentsResponse.newBuilder().setResumeToken(known(resumeToken)).build();
    }

    @Override
    public WatchAgentsResponse gap(boolean replaced, long missed, String resumeToken) {
      return WatchAgentsResponse.newBuilder()
          .setMissed(Math.max(1, missed))
          .setResumeToken(known(resumeToken))
          .build();
    }

    @Override
    public WatchAgentsResponse goAway(ErrorReason reason, Duration retryAfter, String resumeToken) {
      return checkpoint(resumeToken);
    }
  }
}
