package dev.troupe.server.agent;

import static dev.troupe.server.agent.AgentScripts.add;

import com.google.inject.Inject;
import com.google.protobuf.InvalidProtocolBufferException;
import dev.troupe.server.redis.Partition;
import dev.troupe.server.redis.Reply;
import dev.troupe.server.redis.Script;
import dev.troupe.v1.TaskChange;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletionStage;

/**
 * The agents' figures, and up to where in the logs they are counted, in Redis.
 *
 * <p>Figures and the position up to which they count a log are written in the same script, in the
 * partition of the agents. So whatever is read and added twice counts once. Thread-safe.
 */
final class FigureStore {

  private static final Script ATTEMPTS = Script.load("agent/attempts");
  private static final Script ANY = Script.load("agent/any");
  private static final Script COUNT = Script.load("agent/count");
  private static final Script COUNTED = Script.load("agent/counted");
  private static final int ROW = 4;

  private final AgentScripts scripts;

  @Inject
  FigureStore(AgentScripts scripts) {
    this.scripts = scripts;
  }

  /** What became of an attempt. */
  enum End {
    SUCCEEDED,
    FAILED,
    LOST
  }

  /**
   * An attempt that ended.
   *
   * @param sequence of the log entry that tells of it
   * @param tookMicros from its lease on
   */
  record EndedAttempt(long sequence, String worker, End end, long tookMicros) {}

  /**
   * Attempts in the order in which they ended.
   *
   * @param generation names the log that they were read from
   * @param from sequence behind which, and {@code to} up to which, they were read
   * @param more whether there is more to read at once
   */
  record EndedAttempts(
      long generation, long from, long to, String toId, boolean more, List<EndedAttempt> all) {}

  /** Whether a partition has agents to count for. */
  CompletionStage<Boolean> hasAgents(Partition partition) {
    return scripts.run(ANY, partition, List.of()).thenApply(reply -> reply.number(1) == 1);
  }

  /** How far the log goes beyond where the figures were counted last; reads none of it. */
  CompletionStage<EndedAttempts> uncounted(Partition partition) {
    return attempts(partition, 0);
  }

  /** Reads the attempts that ended since the figures were counted last. */
  CompletionStage<EndedAttempts> attempts(Partition partition) {
    return attempts(partition, 1);
  }

  private CompletionStage<EndedAttempts> attempts(Partition partition, int read) {
    return scripts
        .run(ATTEMPTS, partition, List.of(read))
        .thenApply(
            reply -> {
              List<EndedAttempt> all = new ArrayList<>();
              for (int i = 6; i < reply.size(); i += ROW) {
                Reply row = reply.part(i, ROW);
                TaskChange change = change(row);
                // A task may also end in no attempt's hands.
                if (!change.getWorkerId().isEmpty()) {
                  // The token of a lease is the time at which it was granted.
                  long took = row.number(1) * 1000 - change.getFencingToken();
                  all.add(
                      new EndedAttempt(
                          row.number(0),
                          change.getWorkerId(),
                          end(row.text(2)),
                          Math.max(0, took)));
                }
              }
              return new EndedAttempts(
                  reply.number(1),
                  reply.number(2),
                  reply.number(3),
                  reply.text(4),
                  reply.number(5) == 1,
                  all);
            });
  }

  private static TaskChange change(Reply row) {
    try {
      return TaskChange.parseFrom(row.bytes(3));
    } catch (InvalidProtocolBufferException e) {
      throw new IllegalStateException("a logged change of a task cannot be read", e);
    }
  }

  private static End end(String type) {
    return switch (type) {
      case "task.completed" -> End.SUCCEEDED;
      case "task.failed", "task.dead" -> End.FAILED;
      default -> End.LOST;
    };
  }

  /** What is added to the figures of one agent. */
  record Added(long succeeded, long failed, long lost, long tookMicros) {

    static final Added NOTHING = new Added(0, 0, 0, 0);

    Added and(EndedAttempt attempt) {
      return switch (attempt.end()) {
        case SUCCEEDED -> new Added(succeeded + 1, failed, lost, tookMicros + attempt.tookMicros());
        case FAILED -> new Added(succeeded, failed + 1, lost, tookMicros);
        case LOST -> new Added(succeeded, failed, lost + 1, tookMicros);
      };
    }
  }

  /**
   * Adds to the figures of agents of a partition what lies behind one sequence and up to another in
   * the log of a partition with tasks, unless that was done before.
   *
   * @return 0 when it is done; else up to where it was done before, and then nothing was added
   */
  CompletionStage<Long> count(
      Partition agents,
      Partition tasks,
      long generation,
      long from,
      long to,
      Map<String, Added> byAgent) {
    List<Object> arguments = new ArrayList<>();
    add(arguments, tasks.index(), generation, from, to);
    byAgent.forEach(
        (agent, added) ->
            add(arguments, agent, added.succeeded, added.failed, added.lost, added.tookMicros));
    return scripts.run(COUNT, agents, arguments).thenApply(reply -> reply.number(1));
  }

  /** Notes that all attempts that were read are counted. */
  CompletionStage<?> counted(Partition partition, EndedAttempts attempts) {
    return scripts.run(
        COUNTED, partition, List.of(attempts.generation(), attempts.to(), attempts.toId()));
  }
}
