package dev.troupe.server.agent;

import com.google.inject.Inject;
import dev.troupe.server.grpc.Names;
import dev.troupe.server.grpc.PageTokens;
import dev.troupe.server.redis.Namespaces;
import dev.troupe.server.redis.Partition;
import dev.troupe.v1.Agent;
import dev.troupe.v1.AgentStatus;
import dev.troupe.v1.ListAgentsRequest;
import dev.troupe.v1.ListAgentsResponse;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/** Lists agents over the partitions of a namespace, page by page. */
final class AgentListing {

  private static final int AGENTS = 100;

  /** With the largest agent behind it, still well below the 4 MiB that gRPC clients take. */
  private static final int BYTES = 2 << 20;

  private final AgentStore store;
  private final Namespaces namespaces;

  @Inject
  AgentListing(AgentStore store, Namespaces namespaces) {
    this.store = store;
    this.namespaces = namespaces;
  }

  CompletionStage<ListAgentsResponse> list(ListAgentsRequest request) {
    String namespace = Names.namespace(request.getNamespace());
    List<String> keys = indexKeys(request);
    String arguments = "agents\n" + namespace + "\n" + String.join("\n", keys);
    String place = PageTokens.read(arguments, request.getPageToken());
    int newline = place.indexOf('\n');
    int first = newline < 0 ? 0 : Integer.parseInt(place.substring(0, newline));
    int most = request.getPageSize() == 0 ? AGENTS : request.getPageSize();
    return namespaces
        .partitions(namespace)
        .thenCompose(
            partitions ->
                fill(
                    partitions,
                    first,
                    place.substring(newline + 1),
                    keys,
                    most,
                    BYTES,
                    arguments,
                    ListAgentsResponse.newBuilder()));
  }

  private static List<String> indexKeys(ListAgentsRequest request) {
    List<String> keys = new ArrayList<>();
    if (!request.getType().isEmpty()) {
      keys.add("type:" + request.getType());
    }
    if (request.getStatus() != AgentStatus.AGENT_STATUS_UNSPECIFIED) {
      keys.add(AgentStore.statusKey(request.getStatus()));
    }
    request.getCapabilitiesList().stream().sorted().forEach(can -> keys.add("cap:" + can));
    request.getLabelsMap().entrySet().stream()
        .map(label -> AgentStore.labelKey(label.getKey(), label.getValue()))
        .sorted()
        .forEach(keys::add);
    return keys;
  }

  private CompletionStage<ListAgentsResponse> fill(
      List<Partition> partitions,
      int index,
      String after,
      List<String> keys,
      int left,
      int bytes,
      String arguments,
      ListAgentsResponse.Builder response) {
    if (index >= partitions.size()) {
      return CompletableFuture.completedFuture(response.build());
    }
    return store
        .list(partitions.get(index), keys, left, bytes, after)
        .thenCompose(
            page -> {
              response.addAllAgents(page.agents());
              if (page.place().isEmpty()) {
                int rest = left - page.agents().size();
                int room = bytes - page.agents().stream().mapToInt(Agent::getSerializedSize).sum();
                return fill(partitions, index + 1, "", keys, rest, room, arguments, response);
              }
              return CompletableFuture.completedFuture(
                  response
                      .setNextPageToken(PageTokens.make(arguments, index + "\n" + page.place()))
                      .build());
            });
  }
}
