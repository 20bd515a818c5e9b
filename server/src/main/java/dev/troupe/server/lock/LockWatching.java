package dev.troupe.server.lock;

import com.google.inject.Inject;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.util.Timestamps;
import dev.troupe.server.grpc.ChangeWatches;
import dev.troupe.server.grpc.Names;
import dev.troupe.server.grpc.StreamFormat;
import dev.troupe.server.log.LogEntry;
import dev.troupe.v1.ErrorReason;
import dev.troupe.v1.LockChange;
import dev.troupe.v1.WatchLocksRequest;
import dev.troupe.v1.WatchLocksResponse;
import io.grpc.stub.ServerCallStreamObserver;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/** Streams changes of locks. */
final class LockWatching {

  private final ChangeWatches watches;

  @Inject
  LockWatching(ChangeWatches watches) {
    this.watches = watches;
  }

  void watch(WatchLocksRequest request, ServerCallStreamObserver<WatchLocksResponse> caller) {
    String purpose =
        "locks\0"
            + request.getPrefix()
            + "\0\0"
            + String.join("\0", new TreeSet<>(request.getNamesList()));
    watches.watch(
        Names.namespace(request.getNamespace()),
        purpose,
        request.getResumeToken(),
        new Format(request),
        caller);
  }

  /** One change per message. */
  private static final class Format implements StreamFormat<WatchLocksResponse> {

    private final Set<String> names;
    private final String prefix;

    Format(WatchLocksRequest request) {
      names = Set.copyOf(request.getNamesList());
      prefix = request.getPrefix();
    }

    @Override
    public boolean wants(LogEntry entry) {
      return entry.topic().equals("troupe.locks")
          && (names.isEmpty() || names.contains(entry.subject()))
          && entry.subject().startsWith(prefix);
    }

    @Override
    public int batchSize() {
      return 1;
    }

    @Override
    public WatchLocksResponse entries(List<Delivery> deliveries) {
      Delivery delivery = deliveries.get(0);
      try {
        return WatchLocksResponse.newBuilder()
            .setChange(LockChange.parseFrom(delivery.entry().data()))
            .setResumeToken(delivery.resumeToken())
            .setTime(Timestamps.fromMillis(delivery.entry().position().millis()))
            .build();
      } catch (InvalidProtocolBufferException e) {
        throw new IllegalStateException("a logged change of a lock cannot be read", e);
      }
    }

    @Override
    public WatchLocksResponse started(String resumeToken) {
      return checkpoint(resumeToken);
    }

    @Override
    public @Nullable WatchLocksResponse caughtUp(String resumeToken) {
      return null;
    }

    @Override
    public WatchLocksResponse checkpoint(String resumeToken) {
      return WatchLocksResponse.newBuilder().setResumeToken(resumeToken).build();
    }

    @Override
    public WatchLocksResponse gap(boolean replaced, long missed, String resumeToken) {
      return WatchLocksResponse.newBuilder()
          .setMissed(Math.max(1, missed))
          .setResumeToken(resumeToken)
          .build();
    }

    @Override
    public WatchLocksResponse goAway(ErrorReason reason, Duration retryAfter, String resumeToken) {
      return checkpoint(resumeToken);
    }
  }
}
