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
import dev.troupe.server.redis.ScriptBatcher;
import dev.troupe.server.redis.ScriptRunner;
import dev.troupe.v1.Event;
import dev.troupe.v1.Fence;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/**
 * Appends events to the log of their topic's partition and to their topic, in one step.
 *
 * <p>Each is appended once for its (topic, source, id) within 10 minutes; a repeat changes nothing
 * and yields the first position. The check of the fence and the append are one step. A topic that
 * is not there comes into being with its first event; what its rules no longer keep goes in the
 * same step. Events of one partition that arrive together share a script and keep their order.
 * Thread-safe; never blocks.
 */
public final class EventStore {

  /** Most events of one script. */
  static final int MOST_PER_SCRIPT = 64;

  private static final Script PUBLISH = Script.load("event/publish");

  private final ScriptRunner scripts;
  private final Namespaces namespaces;
  private final ScriptBatcher<Partition, Publication, Outcome> batcher;

  @Inject
  public EventStore(ScriptRunner scripts, Namespaces namespaces) {
    this.scripts = scripts;
    this.namespaces = namespaces;
    this.batcher =
        new ScriptBatcher<>(
            MOST_PER_SCRIPT, this::append, publication -> publication.event().getSerializedSize());
  }

  /** What became of an event. */
  public sealed interface Outcome {

    /**
     * It is in the log.
     *
     * @param at its position, or the one that it got the first time
     * @param topicPosition its place among all events of its topic, from 1
     * @param duplicate whether it was there before
     * @param replicated whether its topic wants it on a replica before the publisher hears of it
     */
    record Published(
        Partition partition, LogHead at, long topicPosition, boolean duplicate, boolean replicated)
        implements Outcome {}

    /** A higher token was seen for the fence; nothing was changed. */
    record Fenced(long highestToken) implements Outcome {}

    /** It would be one topic too many for its partition; nothing was changed. */
    record TooManyTopics() implements Outcome {}
  }

  /** Where a topic lives. */
  public CompletionStage<Partition> locate(String namespace, String topic) {
    return namespaces.locate(namespace, topic);
  }

  /** Appends an event, in one script with others that arrive at the same time. */
  public CompletionStage<Outcome> publish(
      String namespace, String topic, Event event, Fence fence) {
    Publication publication = new Publication(topic, event, fence);
    return locate(namespace, topic).thenCompose(partition -> publish(partition, publication));
  }

  /** The same, when the partition is known; those of one caller are appended in its order. */
  public CompletionStage<Outcome> publish(Partition partition, Publication publication) {
    return batcher.add(partition, publication);
  }

  /**
   * Appends events of one partition in one step, each on its own: one that is refused stops no
   * other. Fails when the store is away; then none, or all, were appended.
   *
   * @param events at most {@value #MOST_PER_SCRIPT}
   * @return in the order of the events
   */
  public CompletionStage<List<Outcome>> append(Partition partition, List<Publication> events) {
    if (events.isEmpty()) {
      return CompletableFuture.completedFuture(List.of());
    }
    List<Object> arguments = new ArrayList<>(9 * events.size());
    for (Publication each : events) {
      Event event = each.event();
      arguments.add(each.topic());
      arguments.add(event.getType());
      arguments.add(event.getSubject());
      arguments.add(event.getKey());
      arguments.add(EventKeys.digest(each.topic(), event.getSource(), event.getId()));
      arguments.add(event.toByteArray());
      arguments.add(event.hasTime() ? "0" : "1");
      arguments.add(Fences.name(partition, each.fence()));
      arguments.add(each.fence().getToken());
    }
    return scripts
        .run(PUBLISH, partition, arguments.toArray())
        .thenApply(
            elements -> {
              Reply reply = new Reply(elements);
              List<Outcome> outcomes = new ArrayList<>(events.size());
              for (int i = 1; i < reply.size(); i += 3) {
                outcomes.add(outcome(partition, reply.part(i, 3)));
              }
              return outcomes;
            });
  }

  private static Outcome outcome(Partition partition, Reply row) {
    if (row.code().equals("STALE_FENCE")) {
      return new Outcome.Fenced(row.number(1));
    }
    if (row.code().equals("LIMIT")) {
      return new Outcome.TooManyTopics();
    }
    String[] place = row.text(1).split(" ", -1);
    LogPosition position = LogPosition.parse(place[0], Long.parseLong(place[1]));
    return new Outcome.Published(
        partition,
        new LogHead(position, Long.parseLong(place[2])),
        Long.parseLong(place[3]),
        row.code().equals("OLD"),
        row.text(2).equals("2"));
  }

  /** Where an event is, or the refusal of it as an exception. */
  static Outcome.Published published(Outcome outcome) {
    if (outcome instanceof Outcome.Published published) {
      return published;
    }
    throw outcome instanceof Outcome.Fenced fenced
        ? TroupeException.staleFence(fenced.highestToken())
        : TopicCodec.tooManyTopics();
  }
}
