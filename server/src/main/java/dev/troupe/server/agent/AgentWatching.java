package dev.troupe.server.agent;

import com.google.inject.Inject;
import com.google.protobuf.InvalidProtocolBufferException;
import dev.troupe.server.grpc.ChangeWatches;
import dev.troupe.server.grpc.Names;
import dev.troupe.server.grpc.StreamFormat;
import dev.troupe.server.log.LogEntry;
import dev.troupe.server.log.LogReader;
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
import org.jspecify.annotations.Nullable;

/** Streams changes of agents from the logs of all partitions of a namespace. */
final class AgentWatching {

  private final ChangeWatches watches;
  private final AgentStore store;

  @Inject
  AgentWatching(ChangeWatches watches, AgentStore store) {
    this.watches = watches;
    this.store = store;
  }

  void watch(WatchAgentsRequest request, ServerCallStreamObserver<WatchAgentsResponse> caller) {
    String purpose =
        "agents\0"
            + String.join("\0", new TreeSet<>(request.getTypesList()))
            + "\0\0"
            + String.join("\0", new TreeSet<>(request.getAgentIdsList()));
    watches.watch(
        Names.namespace(request.getNamespace()),
        purpose,
        request.getResumeToken(),
        (partitions, readers) -> withSnapshot(request, partitions, readers),
        new Format(request),
        caller);
  }

  private Map<Integer, LogReader> withSnapshot(
      WatchAgentsRequest request, List<Partition> partitions, Map<Integer, LogReader> readers) {
    if (!wantsSnapshot(request)) {
      return readers;
    }
    // One type has an index; of more, and of ids, what does not match is left out later.
    List<String> type =
        request.getTypesCount() == 1 ? List.of("type:" + request.getTypes(0)) : List.of();
    AgentSnapshot snapshot =
        new AgentSnapshot(store, new AgentStore.Conditions(List.of(), type), readers.size());
    Map<Integer, LogReader> prefaced = new HashMap<>(readers);
    for (Partition partition : partitions) {
      prefaced.computeIfPresent(
          partition.index(), (index, reader) -> snapshot.before(partition, reader));
    }
    return prefaced;
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
    public WatchAgentsResponse entries(Batch batch) {
      LogEntry entry = batch.entries().get(0);
      if (entry.type().equals(AgentSnapshot.COMPLETE)) {
        snapshotComplete = true;
        return WatchAgentsResponse.newBuilder()
            .setSnapshotComplete(true)
            .setResumeToken(batch.resumeToken())
            .build();
      }
      return WatchAgentsResponse.newBuilder()
          .setChange(change(entry))
          .setResumeToken(known(batch.resumeToken()))
          .build();
    }

    @Override
    public WatchAgentsResponse started(String resumeToken) {
      return checkpoint(0, resumeToken);
    }

    @Override
    public @Nullable WatchAgentsResponse caughtUp(String resumeToken) {
      return null;
    }

    @Override
    public WatchAgentsResponse checkpoint(long lag, String resumeToken) {
      return WatchAgentsResponse.newBuilder().setResumeToken(known(resumeToken)).build();
    }

    @Override
    public @Nullable WatchAgentsResponse fellBehind(long lag, String resumeToken) {
      return null;
    }

    @Override
    public WatchAgentsResponse gap(Hole hole, String resumeToken) {
      return WatchAgentsResponse.newBuilder()
          .setMissed(Math.max(1, hole.missed()))
          .setResumeToken(known(resumeToken))
          .build();
    }

    @Override
    public WatchAgentsResponse goAway(ErrorReason reason, Duration retryAfter, String resumeToken) {
      return checkpoint(0, resumeToken);
    }
  }
}
