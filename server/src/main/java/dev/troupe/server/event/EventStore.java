package dev.troupe.server.event;

import com.google.inject.Inject;
import dev.troupe.server.error.TroupeException;
import dev.troupe.server.log.LogPosition;
import dev.troupe.server.log.PartitionLogs.LogHead;
import dev.troupe.server.redis.Fences;
import dev.troupe.server.redis.Namespaces;
import dev.troupe.server.redis.Partition;
import dev.troupe.server.redis.Reply;
import dev.troupe.server.redis.Script;
import dev.troupe.server.redis.ScriptRunner;
import dev.troupe.v1.ErrorReason;
import dev.troupe.v1.Event;
import dev.troupe.v1.Fence;
import java.util.Map;
import java.util.concurrent.CompletionStage;

/** Appends events to the log of their topic's partition. Thread-safe. */
public final class EventStore {

  private static final Script PUBLISH = Script.load("event/publish");

  private final ScriptRunner scripts;
  private final Namespaces namespaces;

  @Inject
  public EventStore(ScriptRunner scripts, Namespaces namespaces) {
    this.scripts = scripts;
    this.namespaces = namespaces;
  }

  /** What became of an event. */
  public sealed interface Outcome {

    /**
     * It is in the log.
     *
     * @param at its position, or the one that it got the first time
     * @param duplicate whether it was there before
     */
    record Published(Partition partition, LogHead at, boolean duplicate) implements Outcome {}

    /** A higher token was seen for the fence; nothing was changed. */
    record Fenced(long highestToken) implements Outcome {}
  }

  /**
   * Appends an event, once for each (topic, source, id) within 10 minutes; a repeat changes nothing
   * and yields the first position. The check of the fence and the append are one step. An event
   * without a time gets that of Redis.
   *
   * @param event complete but for its time; its id is not empty
   * @param fence the default instance for none
   */
  public CompletionStage<Outcome> publish(
      String namespace, String topic, Event event, Fence fence) {
    return namespaces
        .locate(namespace, topic)
        .thenCompose(
            partition ->
                scripts
                    .run(
                        PUBLISH,
                        partition,
                        topic,
                        event.getType(),
                        event.getSubject(),
                        EventKeys.digest(topic, event.getSource(), event.getId()),
                        event.toByteArray(),
                        event.hasTime() ? "0" : "1",
                        Fences.name(partition, fence),
                        fence.getToken())
                    .thenApply(reply -> outcome(partition, new Reply(reply))));
  }

  private static Outcome outcome(Partition partition, Reply reply) {
    if (!reply.ok()) {
      return new Outcome.Fenced(reply.number(1));
    }
    String[] place = reply.text(2).split(" ", -1);
    LogPosition position = LogPosition.parse(place[0], Long.parseLong(place[1]));
    LogHead at = new LogHead(position, Long.parseLong(place[2]));
    return new Outcome.Published(partition, at, reply.text(1).equals("1"));
  }

  /** The refusal of a write whose fence is stale. */
  static TroupeException stale(long highestToken) {
    return TroupeException.of(
        ErrorReason.ERROR_REASON_STALE_FENCE,
        "a higher fencing token was seen for this fence",
        Map.of("highest_token", Long.toString(highestToken)));
  }
}
