package dev.troupe.server.agent;

import com.google.inject.Inject;
import dev.troupe.server.agent.AgentStore.Fleet;
import dev.troupe.server.redis.Namespaces;
import dev.troupe.server.redis.Partition;
import dev.troupe.v1.AgentStatus;
import dev.troupe.v1.FleetStatsResponse;
import dev.troupe.v1.StatusCount;
import dev.troupe.v1.TypeCount;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.stream.IntStream;

/** Adds up the counters of all partitions of a namespace. */
final class FleetCounting {

  private static final int MOST_TYPES = 500;

  private final AgentStore store;
  private final Namespaces namespaces;

  @Inject
  FleetCounting(AgentStore store, Namespaces namespaces) {
    this.store = store;
    this.namespaces = namespaces;
  }

  CompletionStage<FleetStatsResponse> count(String namespace) {
    return namespaces
        .partitions(namespace)
        .thenCompose(
            partitions -> {
              Fleet nobody = new Fleet(0, new long[AgentStore.STATUSES], new HashMap<>(), false);
              CompletionStage<Fleet> sum = CompletableFuture.completedFuture(nobody);
              for (Partition partition : partitions) {
                sum = sum.thenCombine(store.fleet(partition), FleetCounting::plus);
              }
              return sum;
            })
        .thenApply(FleetCounting::response);
  }

  private static Fleet plus(Fleet sum, Fleet more) {
    more.byType().forEach((type, counts) -> sum.byType().merge(type, counts, FleetCounting::plus));
    return new Fleet(
        sum.busy() + more.busy(),
        plus(sum.byStatus(), more.byStatus()),
        sum.byType(),
        sum.leftOut() || more.leftOut());
  }

  private static long[] plus(long[] a, long[] b) {
    long[] sum = a.clone();
    for (int i = 0; i < b.length; i++) {
      sum[i] += b[i];
    }
    return sum;
  }

  private static FleetStatsResponse response(Fleet fleet) {
    long agents = Arrays.stream(fleet.byStatus()).sum();
    long alive =
        agents
            - of(fleet, AgentStatus.AGENT_STATUS_LOST)
            - of(fleet, AgentStatus.AGENT_STATUS_TERMINATED);
    List<TypeCount> types =
        fleet.byType().entrySet().stream()
            .map(FleetCounting::typeCount)
            .sorted(
                Comparator.comparing(TypeCount::getAgents)
                    .reversed()
                    .thenComparing(TypeCount::getType))
            .toList();
    FleetStatsResponse.Builder response =
        FleetStatsResponse.newBuilder()
            .setAgents(agents)
            .setAlive(alive)
            .setBusy(fleet.busy())
            .setBusyShare(alive == 0 ? 0 : (double) fleet.busy() / alive)
            .addAllTypes(types.subList(0, Math.min(types.size(), MOST_TYPES)))
            .setTypesLeftOut(fleet.leftOut() || types.size() > MOST_TYPES);
    return response.addAllStatuses(statusCounts(fleet.byStatus())).build();
  }

  private static long of(Fleet fleet, AgentStatus status) {
    return fleet.byStatus()[status.getNumber() - 1];
  }

  private static TypeCount typeCount(Map.Entry<String, long[]> type) {
    return TypeCount.newBuilder()
        .setType(type.getKey())
        .setAgents(Arrays.stream(type.getValue()).sum())
        .addAllStatuses(statusCounts(type.getValue()))
        .build();
  }

  private static List<StatusCount> statusCounts(long[] counts) {
    return IntStream.range(0, counts.length)
        .filter(i -> counts[i] > 0)
        .mapToObj(i -> StatusCount.newBuilder().setStatusValue(i + 1).setAgents(counts[i]).build())
        .toList();
  }
}
