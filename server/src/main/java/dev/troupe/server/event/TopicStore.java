package dev.troupe.server.event;

import com.google.inject.Inject;
import com.google.protobuf.ByteString;
import dev.troupe.server.error.TroupeException;
import dev.troupe.server.log.LogPosition;
import dev.troupe.server.redis.Fences;
import dev.troupe.server.redis.Namespaces;
import dev.troupe.server.redis.Partition;
import dev.troupe.server.redis.PartitionSweep.Swept;
import dev.troupe.server.redis.Reply;
import dev.troupe.server.redis.Script;
import dev.troupe.server.redis.ScriptRunner;
import dev.troupe.v1.Fence;
import dev.troupe.v1.Topic;
import dev.troupe.v1.TopicSettings;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/**
 * Topics and what they keep, in Redis.
 *
 * <p>Each change is one step that also tells of itself in the partition's log. A refusal is a
 * {@code TroupeException} in the stage: TOPIC_NOT_FOUND, TOPIC_EXISTS, VERSION_MISMATCH,
 * STALE_FENCE, REQUEST_ID_REUSED, LIMIT_EXCEEDED. Thread-safe; never blocks.
 */
public final class TopicStore {

  private static final Script CREATE = Script.load("event/create_topic");
  private static final Script UPDATE = Script.load("event/update_topic");
  private static final Script DELETE = Script.load("event/delete_topic");
  private static final Script GET = Script.load("event/get_topic");
  private static final Script LIST = Script.load("event/topics");
  private static final Script READ = Script.load("event/read");
  private static final Script SWEEP = Script.load("event/sweep_topics");

  private static final int MOST_SWEPT = 64;

  private final ScriptRunner scripts;
  private final Namespaces namespaces;

  @Inject
  public TopicStore(ScriptRunner scripts, Namespaces namespaces) {
    this.scripts = scripts;
    this.namespaces = namespaces;
  }

  /**
   * What a change is asked for by.
   *
   * @param requestId empty for none
   * @param digest of the whole request
   * @param fence the default instance for none
   */
  record Asked(String requestId, String digest, Fence fence) {}

  /** Where a topic lives. */
  public CompletionStage<Partition> locate(String namespace, String topic) {
    return namespaces.locate(namespace, topic);
  }

  /** Makes a topic; a repeat of the request yields the first answer. */
  CompletionStage<Topic> create(
      Partition partition, String topic, TopicSettings settings, Asked asked) {
    List<Object> arguments = arguments(partition, topic, asked);
    arguments.addAll(TopicCodec.fields(TopicCodec.PATHS, settings));
    return run(CREATE, partition, arguments)
        .thenApply(reply -> TopicCodec.topic(partition.index(), reply.nested(1)));
  }

  /**
   * Changes some settings. Events that they no longer keep go with the next sweeps.
   *
   * @param paths which settings
   * @param expectedVersion 0 for whichever
   */
  CompletionStage<Topic> update(
      Partition partition,
      String topic,
      Collection<String> paths,
      TopicSettings settings,
      long expectedVersion,
      Asked asked) {
    List<Object> arguments = arguments(partition, topic, asked);
    arguments.add(expectedVersion);
    arguments.addAll(TopicCodec.fields(paths, settings));
    return run(UPDATE, partition, arguments)
        .thenApply(reply -> TopicCodec.topic(partition.index(), reply.nested(1)));
  }

  /**
   * Deletes a topic with its events and groups. Its groups go first, some in a step; a topic that
   * is asked for in between has fewer of them.
   *
   * @param expectedVersion 0 for whichever
   */
  CompletionStage<Void> delete(
      Partition partition, String topic, long expectedVersion, Asked asked) {
    List<Object> arguments = arguments(partition, topic, asked);
    arguments.add(expectedVersion);
    return delete(partition, arguments);
  }

  private CompletionStage<Void> delete(Partition partition, List<Object> arguments) {
    return scripts
        .run(DELETE, partition, arguments.toArray())
        .thenCompose(
            elements -> {
              Reply reply = new Reply(elements);
              if (reply.code().equals("MORE")) {
                return delete(partition, arguments);
              }
              return reply.ok()
                  ? CompletableFuture.completedFuture(null)
                  : CompletableFuture.failedFuture(refusal(reply, partition, arguments));
            });
  }

  private static List<Object> arguments(Partition partition, String topic, Asked asked) {
    return new ArrayList<>(
        List.of(
            topic,
            asked.requestId(),
            asked.digest(),
            Fences.name(partition, asked.fence()),
            asked.fence().getToken()));
  }

  /** A topic. */
  CompletionStage<Topic> get(Partition partition, String topic) {
    return run(GET, partition, List.of(topic))
        .thenApply(reply -> TopicCodec.topic(partition.index(), reply.nested(1)));
  }

  /** Some topics in the order of their names' bytes, and whether there may be more. */
  record TopicPage(List<Topic> topics, boolean more) {}

  /** Topics whose names begin with a prefix, behind a name. */
  CompletionStage<TopicPage> list(Partition partition, String prefix, String after, int most) {
    return run(LIST, partition, List.of(prefix, after, most))
        .thenApply(
            reply -> {
              List<Topic> topics = new ArrayList<>(reply.size());
              for (int i = 2; i < reply.size(); i++) {
                topics.add(TopicCodec.topic(partition.index(), reply.nested(i)));
              }
              return new TopicPage(topics, reply.number(1) == 1);
            });
  }

  /**
   * An event that a topic keeps.
   *
   * @param at its place in the log
   * @param topicPosition its place among all events of the topic
   * @param event the encoded {@code Event}
   */
  record KeptEvent(LogPosition at, long topicPosition, ByteString event) {}

  /**
   * Some events of a topic.
   *
   * @param events in the order of reading; none at the end of the range
   * @param nowMicros when they were read, by the clock of Redis
   * @param epoch the life of the log that they stand in
   */
  record EventPage(List<KeptEvent> events, long nowMicros, long epoch) {}

  /**
   * Reads events that a topic keeps, up to a number of them and about a MiB.
   *
   * @param newestFirst in which order
   * @param from where to begin: a stream id, "-" or "+", or "(" and an id for right behind it
   * @param to where to end, in the same manner
   */
  CompletionStage<EventPage> read(
      Partition partition, String topic, boolean newestFirst, String from, String to, int most) {
    return run(READ, partition, List.of(topic, newestFirst ? "r" : "f", from, to, most))
        .thenApply(
            reply -> {
              List<KeptEvent> events = new ArrayList<>();
              for (int i = 3; i < reply.size(); i += 4) {
                events.add(
                    new KeptEvent(
                        LogPosition.parse(reply.text(i), reply.number(i + 1)),
                        reply.number(i + 2),
                        reply.bytes(i + 3)));
              }
              return new EventPage(events, reply.number(1), reply.number(2));
            });
  }

  /** Drops what rules no longer keep. Any number of servers may do so. */
  CompletionStage<Swept> sweep(Partition partition) {
    return run(SWEEP, partition, List.of())
        .thenApply(reply -> new Swept(reply.number(1) >= MOST_SWEPT, reply.number(2)));
  }

  /** Every script that refuses anything takes the topic as its first argument. */
  private static TroupeException refusal(Reply reply, Partition partition, List<Object> arguments) {
    return TopicCodec.refusal(reply)
        .about("namespace", partition.namespace(), "topic", String.valueOf(arguments.get(0)));
  }

  private CompletionStage<Reply> run(Script script, Partition partition, List<Object> arguments) {
    return scripts
        .run(script, partition, arguments.toArray())
        .thenApply(
            elements -> {
              Reply reply = new Reply(elements);
              if (!reply.ok()) {
                throw refusal(reply, partition, arguments);
              }
              return reply;
            });
  }
}
