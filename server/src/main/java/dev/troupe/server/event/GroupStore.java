package dev.troupe.server.event;

import com.google.inject.Inject;
import com.google.protobuf.util.Timestamps;
import dev.troupe.server.error.TroupeException;
import dev.troupe.server.event.GroupTake.Taken;
import dev.troupe.server.redis.FencedScripts;
import dev.troupe.server.redis.Namespaces;
import dev.troupe.server.redis.Partition;
import dev.troupe.server.redis.PartitionSweep.Swept;
import dev.troupe.server.redis.Reply;
import dev.troupe.server.redis.Script;
import dev.troupe.server.redis.ScriptBatcher;
import dev.troupe.server.redis.ScriptRunner;
import dev.troupe.v1.ErrorReason;
import dev.troupe.v1.Fence;
import dev.troupe.v1.Group;
import dev.troupe.v1.GroupSettings;
import dev.troupe.v1.GroupStart;
import dev.troupe.v1.SettleOutcome;
import dev.troupe.v1.StartPosition;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/**
 * The consumer groups of all namespaces, in Redis, each in the partition of its topic.
 *
 * <p>Each change is one step. An event is in flight to one member at a time, and is over with its
 * acknowledgement, or as a dead letter that is appended, or laid into the outbox, in the same step.
 * What was delivered and never reached its member, because a server died in between, comes again
 * after the ack deadline. Nothing of a group is kept in a server. Thread-safe; never blocks. A
 * refusal is a {@code TroupeException} in the stage.
 */
final class GroupStore {

  /** Most deliveries of one round, and about the most that are settled in one step. */
  static final int MOST_PER_SCRIPT = 64;

  /** A full chunk is as many bytes as a script of the batcher may have. */
  private static final int WEIGHT = (1 << 20) / MOST_PER_SCRIPT;

  private static final Script CREATE = Script.load("event/create_group");
  private static final Script UPDATE = Script.load("event/update_group");
  private static final Script GET = Script.load("event/get_group");
  private static final Script LIST = Script.load("event/list_groups");
  private static final Script DELETE = Script.load("event/delete_group");
  private static final Script SEEK = Script.load("event/seek_group");
  private static final Script REDRIVE = Script.load("event/redrive_group");
  private static final Script JOIN = Script.load("event/join_group");
  private static final Script LEAVE = Script.load("event/leave_group");
  private static final Script TAKE = Script.load("event/take");
  private static final Script SETTLE = Script.load("event/settle");
  private static final Script SWEEP = Script.load("event/sweep_groups");

  private final ScriptRunner scripts;
  private final Namespaces namespaces;
  private final ScriptBatcher<GroupId, List<Settling>, Settled> settling;

  @Inject
  GroupStore(ScriptRunner scripts, Namespaces namespaces) {
    this.scripts = scripts;
    this.namespaces = namespaces;
    this.settling =
        new ScriptBatcher<>(MOST_PER_SCRIPT, this::settleAll, chunk -> chunk.size() * WEIGHT);
  }

  /** A request that changes something: its id and digest, and the fence that it has to pass. */
  record Call(String requestId, String digest, Fence fence) {}

  /** Where a group lives, if there is one. */
  CompletionStage<GroupId> locate(String namespace, String topic, String name) {
    return namespaces
        .locate(namespace, topic)
        .thenApply(partition -> new GroupId(partition, topic, name));
  }

  /** A group, and whether its topic began with it. */
  record Created(Group group, boolean topicToo) {}

  /** Creates a group, and its topic if there is none; one with the same settings is left alone. */
  CompletionStage<Created> create(GroupId id, GroupSettings settings, GroupStart start, Call call) {
    List<Object> arguments = new ArrayList<>(List.of(call.requestId(), call.digest()));
    arguments.addAll(place(start));
    arguments.add(settings.toByteArray());
    arguments.addAll(GroupDefaults.fields(id.partition(), settings));
    return run(CREATE, id, call.fence(), arguments)
        .thenApply(
            reply ->
                new Created(
                    GroupCodec.group(id.topic(), reply.nested(1)),
                    // An answer kept by a server from before has no such element.
                    reply.size() > 2 && reply.number(2) == 1));
  }

  /**
   * Changes a group's settings; fails with VERSION_MISMATCH when they are not of the given version.
   */
  CompletionStage<Group> update(GroupId id, GroupSettings settings, long version, Call call) {
    List<Object> arguments = new ArrayList<>(List.of(call.requestId(), call.digest(), version));
    arguments.add(settings.toByteArray());
    arguments.addAll(GroupDefaults.fields(id.partition(), settings));
    return group(id, run(UPDATE, id, call.fence(), arguments));
  }

  CompletionStage<Group> get(GroupId id) {
    return group(id, run(GET, id, List.of()));
  }

  /** Some groups, and whether there are more behind them. */
  record Page(List<Group> groups, boolean more) {}

  /** Groups of a topic by name, from behind one on, without their members. */
  CompletionStage<Page> list(Partition partition, String topic, String after, int most) {
    return run(scripts, LIST, new GroupId(partition, topic, ""), List.of(topic, after, most))
        .thenApply(
            reply -> {
              List<Group> groups = new ArrayList<>();
              for (int i = 2; i < reply.size(); i++) {
                groups.add(GroupCodec.group(topic, reply.nested(i)));
              }
              return new Page(groups, reply.number(1) == 1);
            });
  }

  /** Deletes a group with what it has in flight; its dead letters stay in their topic. */
  CompletionStage<Reply> delete(GroupId id, Call call) {
    return run(DELETE, id, call.fence(), List.of(call.requestId(), call.digest()));
  }

  /** Moves a group; what is in flight is forgotten. */
  CompletionStage<Group> seek(GroupId id, GroupStart start, Call call) {
    List<Object> arguments = new ArrayList<>(List.of(call.requestId(), call.digest()));
    arguments.addAll(place(start));
    return group(id, run(SEEK, id, call.fence(), arguments));
  }

  /** How many dead letters are delivered again, and whether there are more. */
  record Redriven(int count, boolean more) {}

  /** Delivers dead letters once more, oldest first, at most 64. */
  CompletionStage<Redriven> redrive(GroupId id, List<Long> positions, Call call) {
    List<Object> arguments = new ArrayList<>(List.of(call.requestId(), call.digest()));
    arguments.addAll(positions);
    return run(REDRIVE, id, call.fence(), arguments)
        .thenApply(reply -> new Redriven((int) reply.number(1), reply.number(2) == 1));
  }

  /** A member's place in a group. */
  record Joined(long session, long version, GroupSettings settings) {}

  /** Lets a member's stream in; an older one of the same member is told that it is replaced. */
  CompletionStage<Joined> join(GroupId id, String member) {
    return run(JOIN, id, List.of(member))
        .thenApply(
            reply ->
                new Joined(reply.number(1), reply.number(2), GroupCodec.settings(reply.bytes(3))));
  }

  /** Forgets a member, unless a newer stream of it joined since. */
  CompletionStage<Reply> leave(GroupId id, String member, long session) {
    return run(LEAVE, id, List.of(member, session));
  }

  /**
   * Delivers events, those due once more first. A take under a request id that took some before
   * yields the same once more.
   */
  CompletionStage<Taken> take(GroupId id, GroupTake take) {
    List<Object> arguments = new ArrayList<>();
    GroupCodec.add(take, arguments);
    return run(TAKE, id, arguments).thenApply(reply -> GroupCodec.taken(id, take, reply));
  }

  /**
   * What became of deliveries.
   *
   * @param ready whether something became deliverable by it
   * @param laidOut whether a dead letter lies in the partition's outbox
   */
  record Settled(List<SettleOutcome> outcomes, boolean ready, boolean laidOut) {}

  /** Settles deliveries, each on its own; at most 64. Repeating it does no harm. */
  CompletionStage<Settled> settle(GroupId id, List<Settling> chunk) {
    return settling.add(id, chunk);
  }

  /** The same, unless a fence stops it. */
  CompletionStage<Settled> settle(GroupId id, List<Settling> chunk, Fence fence) {
    return run(SETTLE, id, fence, arguments(chunk))
        .thenApply(reply -> settled(reply, 2, chunk.size()));
  }

  private CompletionStage<List<Settled>> settleAll(GroupId id, List<List<Settling>> chunks) {
    List<Object> arguments = new ArrayList<>();
    chunks.forEach(chunk -> arguments.addAll(arguments(chunk)));
    return run(SETTLE, id, arguments)
        .thenApply(
            reply -> {
              List<Settled> all = new ArrayList<>(chunks.size());
              int at = 2;
              for (List<Settling> chunk : chunks) {
                all.add(settled(reply, at, chunk.size()));
                at += chunk.size();
              }
              return all;
            });
  }

  private static List<Object> arguments(List<Settling> chunk) {
    List<Object> arguments = new ArrayList<>(chunk.size());
    chunk.forEach(one -> arguments.add(one.argument()));
    return arguments;
  }

  private static Settled settled(Reply reply, int from, int count) {
    List<SettleOutcome> outcomes = new ArrayList<>(count);
    for (int i = 0; i < count; i++) {
      outcomes.add(
          reply.number(from + i) == 1
              ? SettleOutcome.SETTLE_OUTCOME_DONE
              : SettleOutcome.SETTLE_OUTCOME_STALE);
    }
    long next = reply.number(1);
    return new Settled(outcomes, (next & 1) != 0, (next & 2) != 0);
  }

  /** Does what time brings. Any number of servers may do so. */
  CompletionStage<Swept> sweep(Partition partition) {
    return run(scripts, SWEEP, new GroupId(partition, "", ""), List.of())
        .thenApply(reply -> new Swept(reply.number(1) == 1, reply.number(2)));
  }

  private static List<Object> place(GroupStart start) {
    return switch (start.getStartCase()) {
      // Rounded up, as the log counts in milliseconds and must not begin before the time.
      case TIME -> List.of("t", Math.max(0, (Timestamps.toMicros(start.getTime()) + 999) / 1000));
      case TOPIC_POSITION ->
          start.getTopicPosition() == 0 ? List.of("b", 0) : List.of("p", start.getTopicPosition());
      case POSITION, START_NOT_SET ->
          start.getPosition() == StartPosition.START_POSITION_BEGINNING
              ? List.of("b", 0)
              : List.of("n", 0);
    };
  }

  private static CompletionStage<Group> group(GroupId id, CompletionStage<Reply> answer) {
    return answer.thenApply(reply -> GroupCodec.group(id.topic(), reply.nested(1)));
  }

  private CompletionStage<Reply> run(
      Script script, GroupId id, Fence fence, List<? extends Object> arguments) {
    ScriptRunner runner = fence.getName().isEmpty() ? scripts : new FencedScripts(scripts, fence);
    return run(runner, script, id, named(id, arguments));
  }

  private CompletionStage<Reply> run(Script script, GroupId id, List<? extends Object> arguments) {
    return run(scripts, script, id, named(id, arguments));
  }

  private static List<Object> named(GroupId id, List<? extends Object> arguments) {
    List<Object> all = new ArrayList<>(arguments.size() + 2);
    all.add(id.topic());
    all.add(id.name());
    all.addAll(arguments);
    return all;
  }

  private static CompletionStage<Reply> run(
      ScriptRunner runner, Script script, GroupId id, List<? extends Object> arguments) {
    return runner
        .run(script, id.partition(), arguments.toArray())
        .thenCompose(
            elements -> {
              Reply reply = new Reply(elements);
              return reply.ok()
                  ? CompletableFuture.completedFuture(reply)
                  : CompletableFuture.failedFuture(
                      refusal(reply)
                          .about(
                              "namespace",
                              id.partition().namespace(),
                              "topic",
                              id.topic(),
                              "group",
                              id.name()));
            });
  }

  private static TroupeException refusal(Reply reply) {
    return switch (reply.code()) {
      case "NO_GROUP" ->
          TroupeException.of(ErrorReason.ERROR_REASON_GROUP_NOT_FOUND, "no such consumer group");
      case "NO_TOPIC" ->
          TroupeException.of(ErrorReason.ERROR_REASON_TOPIC_NOT_FOUND, "no such topic");
      case "EXISTS" ->
          TroupeException.of(
              ErrorReason.ERROR_REASON_GROUP_EXISTS,
              "the consumer group exists with other settings");
      case "LIMIT" ->
          TroupeException.of(ErrorReason.ERROR_REASON_LIMIT_EXCEEDED, "there are too many topics");
      case "REUSED" -> TroupeException.requestIdReused();
      case "VERSION" ->
          TroupeException.of(
              ErrorReason.ERROR_REASON_VERSION_MISMATCH,
              "the consumer group was changed meanwhile",
              Map.of("current_version", reply.text(1)));
      case "STALE_FENCE" -> TroupeException.staleFence(reply.number(1));
      default -> throw new IllegalStateException("not an answer of ours: " + reply.code());
    };
  }
}
