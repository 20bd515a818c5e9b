package dev.troupe.server.event;

import com.google.inject.Inject;
import com.google.protobuf.InvalidProtocolBufferException;
import dev.troupe.server.redis.Partition;
import dev.troupe.server.redis.Reply;
import dev.troupe.server.redis.Script;
import dev.troupe.server.redis.ScriptRunner;
import dev.troupe.v1.Event;
import dev.troupe.v1.Fence;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletionStage;

/** The outboxes of partitions, in Redis; see {@code common/outbox}. Thread-safe. */
final class OutboxStore {

  private static final Script READ = Script.load("outbox/read");
  private static final Script CLEAR = Script.load("outbox/clear");

  private final ScriptRunner scripts;

  @Inject
  OutboxStore(ScriptRunner scripts) {
    this.scripts = scripts;
  }

  /** An event in an outbox. */
  record Written(String id, Publication publication) {}

  /**
   * Some events in the order written, about a MiB at most; none at the end.
   *
   * @param after the id of the last one read; empty for the beginning
   * @param age how long they have to be there
   */
  CompletionStage<List<Written>> read(Partition partition, String after, Duration age) {
    return scripts
        .run(READ, partition, after.isEmpty() ? "-" : "(" + after, age.toMillis())
        .thenApply(
            elements -> {
              Reply reply = new Reply(elements);
              List<Written> events = new ArrayList<>();
              for (int i = 1; i < reply.size(); i += 3) {
                events.add(written(reply.part(i, 3)));
              }
              return events;
            });
  }

  private static Written written(Reply row) {
    try {
      Event event = Event.parseFrom(row.bytes(2));
      return new Written(
          row.text(0), new Publication(row.text(1), event, Fence.getDefaultInstance()));
    } catch (InvalidProtocolBufferException e) {
      throw new IllegalStateException("an event of the outbox cannot be decoded", e);
    }
  }

  /** Takes out what is in its topic. */
  CompletionStage<?> clear(Partition partition, List<String> ids) {
    return scripts.run(CLEAR, partition, ids.toArray());
  }
}
