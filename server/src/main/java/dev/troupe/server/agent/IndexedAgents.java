package dev.troupe.server.agent;

import com.google.inject.Inject;
import dev.troupe.server.agent.AgentStore.Conditions;
import dev.troupe.server.agent.AgentStore.Order;
import dev.troupe.server.redis.Namespaces;
import dev.troupe.server.redis.Partition;
import dev.troupe.v1.Agent;
import dev.troupe.v1.AgentStatus;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;

/** The directory of agents, by their indexes. */
final class IndexedAgents implements AgentDirectory {

  private static final int AT_ONCE = 256;
  private static final int ALL_BYTES = Integer.MAX_VALUE;
  private static final Conditions ANY = new Conditions(List.of(), List.of());

  private static final List<String> NOT_ENDED =
      Arrays.stream(AgentStatus.values())
          .filter(
              status ->
                  switch (status) {
                    case AGENT_STATUS_UNSPECIFIED,
                        AGENT_STATUS_TERMINATED,
                        AGENT_STATUS_LOST,
                        UNRECOGNIZED ->
                        false;
                    default -> true;
                  })
          .map(AgentStore::statusKey)
          .toList();

  private final AgentStore store;
  private final Namespaces namespaces;

  @Inject
  IndexedAgents(AgentStore store, Namespaces namespaces) {
    this.store = store;
    this.namespaces = namespaces;
  }

  @Override
  public CompletionStage<List<String>> unknown(String namespace, List<String> agentIds) {
    CompletionStage<Map<Partition, List<String>>> homes =
        CompletableFuture.completedFuture(new HashMap<>());
    for (String id : agentIds) {
      homes =
          homes.thenCombine(
              namespaces.locate(namespace, id),
              (found, home) -> {
                found.computeIfAbsent(home, partition -> new ArrayList<>()).add(id);
                return found;
              });
    }
    return homes
        .thenCompose(this::known)
        .thenApply(known -> agentIds.stream().filter(id -> !known.contains(id)).toList());
  }

  private CompletionStage<Set<String>> known(Map<Partition, List<String>> homes) {
    CompletionStage<Set<String>> known = CompletableFuture.completedFuture(new HashSet<>());
    for (Map.Entry<Partition, List<String>> home : homes.entrySet()) {
      known =
          known.thenCombine(
              store.read(home.getKey(), ANY, home.getValue(), ALL_BYTES),
              (ids, agents) -> {
                agents.stream().flatMap(Optional::stream).map(Agent::getAgentId).forEach(ids::add);
                return ids;
              });
    }
    return known;
  }

  @Override
  public CompletionStage<Integer> visit(
      String namespace,
      String type,
      List<String> capabilities,
      Function<List<String>, CompletionStage<?>> visitor) {
    List<String> all = new ArrayList<>();
    if (!type.isEmpty()) {
      all.add("type:" + type);
    }
    capabilities.forEach(capability -> all.add("cap:" + capability));
    Conditions conditions = new Conditions(NOT_ENDED, all);
    return namespaces
        .partitions(namespace)
        .thenCompose(
            partitions -> {
              CompletionStage<Integer> visited = CompletableFuture.completedFuture(0);
              for (Partition partition : partitions) {
                visited =
                    visited.thenCompose(
                        before -> visit(partition, conditions, "", before, visitor));
              }
              return visited;
            });
  }

  private CompletionStage<Integer> visit(
      Partition partition,
      Conditions conditions,
      String after,
      int before,
      Function<List<String>, CompletionStage<?>> visitor) {
    return store
        .find(partition, Order.AGENT_ID, false, conditions, AT_ONCE, after)
        .thenCompose(
            found -> {
              int visited = before + found.entries().size();
              return visitor
                  .apply(found.entries())
                  .thenCompose(
                      done ->
                          found.place().isEmpty()
                              ? CompletableFuture.completedFuture(visited)
                              : visit(partition, conditions, found.place(), visited, visitor));
            });
  }
}
