package dev.troupe.server.agent;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.google.inject.Inject;
import dev.troupe.server.agent.AgentStore.Conditions;
import dev.troupe.server.agent.AgentStore.Found;
import dev.troupe.server.agent.AgentStore.Order;
import dev.troupe.server.grpc.Names;
import dev.troupe.server.grpc.PageTokens;
import dev.troupe.server.redis.Namespaces;
import dev.troupe.server.redis.Partition;
import dev.troupe.v1.Agent;
import dev.troupe.v1.AgentStatus;
import dev.troupe.v1.ListAgentsRequest;
import dev.troupe.v1.ListAgentsResponse;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/**
 * Lists agents over all partitions of a namespace in one order, page by page. Each partition finds
 * its first ones behind the place where the page begins; those are merged, and only those that come
 * to stand on the page are read.
 */
final class AgentListing {

  static final String CREATE_TIME = "create_time";
  static final String DESCENDING = " desc";

  private static final int AGENTS = 100;
  private static final int READ_AT_ONCE = 64;

  /** With what is read at once behind it, still below the 4 MiB that gRPC clients take. */
  private static final int BYTES = 2 << 20;

  /** How often all partitions are asked before a page comes back empty. */
  private static final int ROUNDS = 8;

  private static final Comparator<String> BY_BYTES =
      (a, b) -> Arrays.compareUnsigned(a.getBytes(UTF_8), b.getBytes(UTF_8));

  private final AgentStore store;
  private final Namespaces namespaces;

  @Inject
  AgentListing(AgentStore store, Namespaces namespaces) {
    this.store = store;
    this.namespaces = namespaces;
  }

  /** What is listed, and in which order. */
  private record Listing(
      String arguments,
      List<Partition> partitions,
      Conditions conditions,
      Order order,
      boolean descending,
      int most) {

    Comparator<String> comparator() {
      return descending ? BY_BYTES.reversed() : BY_BYTES;
    }
  }

  /** An agent that matches: its entry in the order, and where it lives. */
  private record Match(String entry, Partition partition) {}

  /**
   * Matches in order, and from where to go on behind them; empty when there are no more.
   *
   * @param next an entry
   */
  private record Merged(List<Match> matches, String next) {}

  CompletionStage<ListAgentsResponse> list(ListAgentsRequest request) {
    String namespace = Names.namespace(request.getNamespace());
    Conditions conditions = conditions(request);
    Order order = request.getOrderBy().startsWith(CREATE_TIME) ? Order.CREATE_TIME : Order.AGENT_ID;
    boolean descending = request.getOrderBy().endsWith(DESCENDING);
    String arguments =
        String.join(
            "\n",
            "agents",
            namespace,
            order.name(),
            Boolean.toString(descending),
            String.join("\n", conditions.any()),
            "",
            String.join("\n", conditions.all()));
    String place = PageTokens.read(arguments, request.getPageToken());
    int most = request.getPageSize() == 0 ? AGENTS : request.getPageSize();
    return namespaces
        .partitions(namespace)
        .thenCompose(
            partitions -> {
              Listing listing =
                  new Listing(arguments, partitions, conditions, order, descending, most);
              return find(listing, place, 1).thenCompose(found -> read(listing, found));
            });
  }

  private static Conditions conditions(ListAgentsRequest request) {
    TreeSet<String> statuses = new TreeSet<>();
    request.getStatusesList().forEach(status -> statuses.add(AgentStore.statusKey(status)));
    if (request.getStatus() != AgentStatus.AGENT_STATUS_UNSPECIFIED) {
      statuses.add(AgentStore.statusKey(request.getStatus()));
    }
    List<String> keys = new ArrayList<>();
    if (!request.getType().isEmpty()) {
      keys.add("type:" + request.getType());
    }
    request.getCapabilitiesList().stream().sorted().forEach(can -> keys.add("cap:" + can));
    request.getLabelsMap().entrySet().stream()
        .map(label -> AgentStore.labelKey(label.getKey(), label.getValue()))
        .sorted()
        .forEach(keys::add);
    return new Conditions(List.copyOf(statuses), keys);
  }

  private CompletionStage<Merged> find(Listing listing, String after, int round) {
    List<CompletableFuture<Found>> all =
        listing.partitions.stream()
            .map(
                partition ->
                    store
                        .find(
                            partition,
                            listing.order,
                            listing.descending,
                            listing.conditions,
                            listing.most,
                            after)
                        .toCompletableFuture())
            .toList();
    CompletionStage<List<Found>> found = CompletableFuture.completedFuture(new ArrayList<>());
    for (CompletableFuture<Found> one : all) {
      found =
          found.thenCombine(
              one,
              (sofar, more) -> {
                sofar.add(more);
                return sofar;
              });
    }
    return found.thenCompose(
        founds -> {
          Merged merged = merge(listing, founds);
          return merged.matches.isEmpty() && !merged.next.isEmpty() && round < ROUNDS
              ? find(listing, merged.next, round + 1)
              : CompletableFuture.completedFuture(merged);
        });
  }

  /** Beyond the place up to which every partition was looked at there may be more to come. */
  private static Merged merge(Listing listing, List<Found> founds) {
    Comparator<String> order = listing.comparator();
    String seen = "";
    List<Match> matches = new ArrayList<>();
    for (int i = 0; i < founds.size(); i++) {
      Found found = founds.get(i);
      Partition partition = listing.partitions.get(i);
      found.entries().forEach(entry -> matches.add(new Match(entry, partition)));
      if (!found.place().isEmpty() && (seen.isEmpty() || order.compare(found.place(), seen) < 0)) {
        seen = found.place();
      }
    }
    String end = seen;
    matches.removeIf(match -> !end.isEmpty() && order.compare(match.entry, end) > 0);
    matches.sort(Comparator.comparing(Match::entry, order));
    return matches.size() <= listing.most
        ? new Merged(matches, end)
        : new Merged(
            List.copyOf(matches.subList(0, listing.most)), matches.get(listing.most - 1).entry);
  }

  private CompletionStage<ListAgentsResponse> read(Listing listing, Merged merged) {
    return read(listing, merged, 0, BYTES, ListAgentsResponse.newBuilder())
        .thenApply(ListAgentsResponse.Builder::build);
  }

  private CompletionStage<ListAgentsResponse.Builder> read(
      Listing listing, Merged merged, int from, int room, ListAgentsResponse.Builder page) {
    if (from >= merged.matches.size()) {
      return CompletableFuture.completedFuture(endAt(listing, merged.next, page));
    }
    List<Match> some =
        merged.matches.subList(from, Math.min(merged.matches.size(), from + READ_AT_ONCE));
    return readSome(listing, some, room)
        .thenCompose(
            agents -> {
              int left = room;
              int read = 0;
              for (Optional<Agent> agent : agents) {
                left -= agent.map(Agent::getSerializedSize).orElse(0);
                agent.ifPresent(page::addAgents);
                read++;
                if (left <= 0) {
                  break;
                }
              }
              boolean full = left <= 0 || read < some.size();
              return full && from + read < merged.matches.size()
                  ? CompletableFuture.completedFuture(
                      endAt(listing, some.get(read - 1).entry, page))
                  : read(listing, merged, from + read, left, page);
            });
  }

  private static ListAgentsResponse.Builder endAt(
      Listing listing, String place, ListAgentsResponse.Builder page) {
    return place.isEmpty()
        ? page
        : page.setNextPageToken(PageTokens.make(listing.arguments, place));
  }

  /** Reads from each partition what lives there; as many of the first ones as fit. */
  private CompletionStage<List<Optional<Agent>>> readSome(
      Listing listing, List<Match> matches, int room) {
    Map<Partition, List<String>> ids = new HashMap<>();
    for (Match match : matches) {
      ids.computeIfAbsent(match.partition, partition -> new ArrayList<>())
          .add(listing.order.agentId(match.entry));
    }
    CompletionStage<Map<Partition, Iterator<Optional<Agent>>>> all =
        CompletableFuture.completedFuture(new HashMap<>());
    for (Map.Entry<Partition, List<String>> of : ids.entrySet()) {
      all =
          all.thenCombine(
              store.read(of.getKey(), listing.conditions, of.getValue(), room),
              (found, agents) -> {
                found.put(of.getKey(), agents.iterator());
                return found;
              });
    }
    return all.thenApply(
        found -> {
          List<Optional<Agent>> agents = new ArrayList<>();
          for (Match match : matches) {
            @Nullable Iterator<Optional<Agent>> theirs = found.get(match.partition);
            if (theirs == null || !theirs.hasNext()) {
              break;
            }
            agents.add(theirs.next());
          }
          return agents;
        });
  }
}
