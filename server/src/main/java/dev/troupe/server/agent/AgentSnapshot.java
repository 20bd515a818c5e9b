package dev.troupe.server.agent;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import com.google.protobuf.ByteString;
import dev.troupe.server.agent.AgentStore.Conditions;
import dev.troupe.server.agent.AgentStore.Order;
import dev.troupe.server.log.LogEntry;
import dev.troupe.server.log.LogPosition;
import dev.troupe.server.log.LogReader;
import dev.troupe.server.redis.Partition;
import dev.troupe.v1.Agent;
import dev.troupe.v1.AgentChange;
import dev.troupe.v1.AgentChangeKind;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/**
 * The agents as they are, in front of what happens to them: makes of each partition's log reader
 * one that tells of the partition's agents first. What they tell before the log is no part of it
 * and does not move the position.
 *
 * <p>The partitions tell of their agents side by side, and of changes only after all of them, and
 * the marker that says so, were taken.
 */
final class AgentSnapshot {

  static final String AGENT = "agent.snapshot";
  static final String COMPLETE = "agent.snapshot_complete";
  private static final String TOPIC = "troupe.agents";
  private static final int AT_ONCE = 64;
  private static final int BYTES = 1 << 20;

  private final AgentStore store;
  private final Conditions conditions;
  private final CompletableFuture<@Nullable Void> taken = new CompletableFuture<>();

  @GuardedBy("this")
  private int partitions;

  /**
   * Of some partitions.
   *
   * @param conditions that the agents have to meet at least
   */
  AgentSnapshot(AgentStore store, Conditions conditions, int partitions) {
    this.store = store;
    this.conditions = conditions;
    this.partitions = partitions;
  }

  /** A reader that tells of the partition's agents before it goes on with its log. */
  LogReader before(Partition partition, LogReader log) {
    return new Reader(partition, log);
  }

  /** Whether this partition was the last one. */
  private synchronized boolean isLast() {
    return --partitions == 0;
  }

  private enum Phase {
    AGENTS,
    MARKER,
    LOG
  }

  /** Used by one call of {@link #next} at a time, as every reader is. */
  private final class Reader implements LogReader {

    private final Partition partition;
    private final LogReader log;
    private Phase phase = Phase.AGENTS;
    private String place = "";
    private boolean listed;

    Reader(Partition partition, LogReader log) {
      this.partition = partition;
      this.log = log;
    }

    @Override
    public CompletionStage<Page> next(int max, long bytes) {
      switch (phase) {
        case AGENTS -> {
          if (!listed) {
            return agents(max, bytes);
          }
          // This is asked for only after the agents were taken.
          if (isLast()) {
            phase = Phase.MARKER;
            return page(List.of(entry(COMPLETE, "", ByteString.EMPTY)));
          }
          phase = Phase.LOG;
          return taken.thenCompose(all -> log.next(max, bytes));
        }
        case MARKER -> {
          phase = Phase.LOG;
          taken.complete(null);
          return log.next(max, bytes);
        }
        case LOG -> {
          return log.next(max, bytes);
        }
      }
      throw new AssertionError(phase);
    }

    private CompletionStage<Page> agents(int max, long bytes) {
      return store
          .find(partition, Order.AGENT_ID, false, conditions, AT_ONCE, place)
          .thenCompose(
              found ->
                  found.entries().isEmpty()
                      ? CompletableFuture.completedFuture(part(found.place(), List.of()))
                      : store
                          .read(partition, conditions, found.entries(), BYTES)
                          .thenApply(
                              agents ->
                                  // What did not fit is looked for again.
                                  agents.size() < found.entries().size()
                                      ? part(found.entries().get(agents.size() - 1), agents)
                                      : part(found.place(), agents)))
          .thenCompose(entries -> entries.isEmpty() ? next(max, bytes) : page(entries));
    }

    private List<LogEntry> part(String upTo, List<Optional<Agent>> agents) {
      place = upTo;
      listed = upTo.isEmpty();
      List<LogEntry> entries = new ArrayList<>();
      for (Optional<Agent> each : agents) {
        each.ifPresent(
            agent ->
                entries.add(
                    entry(
                        AGENT,
                        agent.getAgentId(),
                        AgentChange.newBuilder()
                            .setKind(AgentChangeKind.AGENT_CHANGE_KIND_SNAPSHOT)
                            .setAgent(agent)
                            .build()
                            .toByteString())));
      }
      return entries;
    }

    private LogEntry entry(String type, String subject, ByteString data) {
      return new LogEntry(partition.index(), log.position(), TOPIC, type, subject, data, 0);
    }

    private static CompletionStage<Page> page(List<LogEntry> entries) {
      return CompletableFuture.completedFuture(Page.of(entries, false));
    }

    @Override
    public LogPosition position() {
      return log.position();
    }

    @Override
    public long epoch() {
      return log.epoch();
    }

    @Override
    public long lag() {
      return log.lag();
    }

    /** The readers of a stream are closed together; none may be left waiting for another. */
    @Override
    public void close() {
      log.close();
      taken.complete(null);
    }
  }
}
