package dev.troupe.server.memory;

import com.google.inject.Inject;
import com.google.protobuf.InvalidProtocolBufferException;
import dev.troupe.server.grpc.ChangeWatches;
import dev.troupe.server.grpc.Names;
import dev.troupe.server.grpc.StreamFormat;
import dev.troupe.server.log.LogEntry;
import dev.troupe.v1.ErrorReason;
import dev.troupe.v1.MemoryChange;
import dev.troupe.v1.MemoryChangeKind;
import dev.troupe.v1.WatchMemoryRequest;
import dev.troupe.v1.WatchMemoryResponse;
import io.grpc.stub.ServerCallStreamObserver;
import java.time.Duration;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** Streams changes of memory spaces. */
final class MemoryWatching {

  static final String TOPIC = "troupe.memory";
  private static final String KIND = "MEMORY_CHANGE_KIND_";

  private final ChangeWatches watches;

  @Inject
  MemoryWatching(ChangeWatches watches) {
    this.watches = watches;
  }

  void watch(WatchMemoryRequest request, ServerCallStreamObserver<WatchMemoryResponse> caller) {
    Format format = new Format(request);
    String purpose =
        "memory\0"
            + String.join("\0", new TreeSet<>(format.types))
            + "\0\0"
            + String.join("\0", new TreeSet<>(format.spaces));
    watches.watch(
        Names.namespace(request.getNamespace()), purpose, request.getResumeToken(), format, caller);
  }

  /** One change per message. */
  private static final class Format implements StreamFormat<WatchMemoryResponse> {

    private final Set<String> spaces;
    private final Set<String> types;

    Format(WatchMemoryRequest request) {
      spaces = Set.copyOf(request.getSpacesList());
      types =
          request.getKindsList().stream()
              .filter(kind -> kind != MemoryChangeKind.UNRECOGNIZED)
              .map(
                  kind -> "memory." + kind.name().substring(KIND.length()).toLowerCase(Locale.ROOT))
              .collect(Collectors.toUnmodifiableSet());
    }

    @Override
    public boolean wants(LogEntry entry) {
      return entry.topic().equals(TOPIC)
          && (spaces.isEmpty() || spaces.contains(entry.subject()))
          && (types.isEmpty() || types.contains(entry.type()));
    }

    @Override
    public int batchSize() {
      return 1;
    }

    @Override
    public WatchMemoryResponse entries(Batch batch) {
      return WatchMemoryResponse.newBuilder()
          .setChange(change(batch.entries().get(0)))
          .setResumeToken(batch.resumeToken())
          .build();
    }

    @Override
    public WatchMemoryResponse started(String resumeToken) {
      return checkpoint(0, resumeToken);
    }

    @Override
    public @Nullable WatchMemoryResponse caughtUp(String resumeToken) {
      return null;
    }

    @Override
    public WatchMemoryResponse checkpoint(long lag, String resumeToken) {
      return WatchMemoryResponse.newBuilder().setResumeToken(resumeToken).build();
    }

    @Override
    public @Nullable WatchMemoryResponse fellBehind(long lag, String resumeToken) {
      return null;
    }

    @Override
    public WatchMemoryResponse gap(Hole hole, String resumeToken) {
      return WatchMemoryResponse.newBuilder()
          .setMissed(Math.max(1, hole.missed()))
          .setResumeToken(resumeToken)
          .build();
    }

    @Override
    public WatchMemoryResponse goAway(ErrorReason reason, Duration retryAfter, String resumeToken) {
      return checkpoint(0, resumeToken);
    }
  }

  /** What an entry of the topic says. */
  static MemoryChange change(LogEntry entry) {
    try {
      return MemoryChange.parseFrom(entry.data()).toBuilder()
          .setRevision(entry.position().sequence())
          .build();
    } catch (InvalidProtocolBufferException e) {
      throw new IllegalStateException("a logged change of a memory space cannot be read", e);
    }
  }
}
