package dev.troupe.server.memory;

import com.google.common.base.Ticker;
import com.google.inject.Inject;
import com.google.protobuf.util.Durations;
import dev.troupe.server.error.TroupeException;
import dev.troupe.server.grpc.LoadLimit;
import dev.troupe.server.grpc.Names;
import dev.troupe.server.log.PartitionLogs;
import dev.troupe.server.memory.MemoryStore.Found;
import dev.troupe.server.memory.search.Fusion;
import dev.troupe.server.memory.search.LegPart;
import dev.troupe.server.memory.search.LegReport;
import dev.troupe.server.memory.search.SearchHit;
import dev.troupe.server.memory.search.SearchQuery;
import dev.troupe.server.memory.search.SearchResult;
import dev.troupe.server.redis.Partition;
import dev.troupe.v1.ErrorReason;
import dev.troupe.v1.FieldViolation;
import dev.troupe.v1.IndexState;
import dev.troupe.v1.LegExplanation;
import dev.troupe.v1.MemoryItem;
import dev.troupe.v1.ScorePart;
import dev.troupe.v1.SearchExplanation;
import dev.troupe.v1.SearchLeg;
import dev.troupe.v1.SearchMemoryRequest;
import dev.troupe.v1.SearchMemoryResponse;
import dev.troupe.v1.SearchSettings;
import io.grpc.Context;
import io.grpc.Deadline;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Searches a space: waits for the index, asks it for a few more hits than are wanted, and reads
 * those from Redis, which knows what is gone.
 */
final class MemorySearch {

  private static final Duration MOST_WAIT = Duration.ofSeconds(10);
  private static final Duration TRY_AGAIN = Duration.ofMillis(500);

  /** What is left of a call's deadline to answer in. */
  private static final long ANSWER_MILLIS = 100;

  private static final int HITS = 10;
  private static final int SPARE = 8;
  private static final int DEPTH = 100;
  private static final int BYTES = 2 << 20;

  private final MemoryIndexes indexes;
  private final MemoryStore store;
  private final SpaceStore spaces;
  private final PartitionLogs logs;
  private final RedisClock clock;
  private final Ticker ticker;

  @Inject
  MemorySearch(
      MemoryIndexes indexes,
      MemoryStore store,
      SpaceStore spaces,
      PartitionLogs logs,
      RedisClock clock,
      Ticker ticker) {
    this.indexes = indexes;
    this.store = store;
    this.spaces = spaces;
    this.logs = logs;
    this.clock = clock;
    this.ticker = ticker;
  }

  CompletionStage<SearchMemoryResponse> search(SearchMemoryRequest request, Context caller) {
    return spaces
        .locate(Names.namespace(request.getNamespace()), request.getSpace())
        .thenCompose(partition -> search(partition, request, caller));
  }

  private CompletionStage<SearchMemoryResponse> search(
      Partition partition, SearchMemoryRequest request, Context caller) {
    return search(partition, request, caller, ticker.read());
  }

  private CompletionStage<SearchMemoryResponse> search(
      Partition partition, SearchMemoryRequest request, Context caller, long begun) {
    PartitionIndex index = indexes.of(partition);
    return reached(partition, index, request, caller, begun)
        .thenCompose(
            revision -> {
              long waited = ticker.read() - begun;
              PartitionIndex.View view = index.view(request.getSpace());
              // Each time anew it may have to wait, but never for longer in all.
              Supplier<CompletionStage<SearchMemoryResponse>> again =
                  () ->
                      patience(caller.getDeadline(), begun) > 0
                          ? search(partition, request, caller, begun)
                          : CompletableFuture.failedFuture(behind(partition, index, request));
              if (!view.stands()) {
                return again.get();
              }
              IndexedSpace space = view.space();
              return space == null
                  ? withoutIndex(partition, request, revision)
                  : indexes
                      .search(() -> ask(space, request))
                      .thenCompose(
                          answer ->
                              view.stands()
                                  ? new Hits(partition, request, revision, waited, answer).read(0)
                                  : again.get());
            });
  }

  private CompletionStage<Long> reached(
      Partition partition,
      PartitionIndex index,
      SearchMemoryRequest request,
      Context caller,
      long begun) {
    long asked = request.getMinRevision();
    if (index.isReady() && index.revision() >= Math.max(asked, index.put())) {
      return CompletableFuture.completedFuture(index.revision());
    }
    caller.run(LoadLimit::waits);
    long patience = Math.max(1, patience(caller.getDeadline(), begun));
    return logs.head(partition)
        .thenCompose(
            head -> {
              // Redis may have lost its data since the revision was given out.
              long newest = head.position().sequence();
              if (asked > newest) {
                return CompletableFuture.failedFuture(
                    TroupeException.invalid(
                        List.of(
                            FieldViolation.newBuilder()
                                .setField("min_revision")
                                .setDescription(
                                    "not given out by this space (its partition is at "
                                        + newest
                                        + ")")
                                .build())));
              }
              return index
                  .reached(Math.max(asked, Math.min(index.put(), newest)))
                  .orTimeout(patience, TimeUnit.MILLISECONDS);
            })
        .exceptionallyCompose(
            failure ->
                CompletableFuture.failedFuture(
                    isTimeout(failure) ? behind(partition, index, request) : failure));
  }

  private static boolean isTimeout(Throwable failure) {
    return failure instanceof TimeoutException || failure.getCause() instanceof TimeoutException;
  }

  /** For how long a search that began then may still wait, milliseconds. */
  private long patience(@Nullable Deadline deadline, long begun) {
    long left = MOST_WAIT.toMillis() - TimeUnit.NANOSECONDS.toMillis(ticker.read() - begun);
    return deadline == null
        ? left
        : Math.min(left, deadline.timeRemaining(TimeUnit.MILLISECONDS) - ANSWER_MILLIS);
  }

  private TroupeException behind(
      Partition partition, PartitionIndex index, SearchMemoryRequest request) {
    IndexState state = indexes.state(partition, request.getSpace(), 0);
    return TroupeException.retryable(
            ErrorReason.ERROR_REASON_INDEX_BEHIND,
            "the index did not get there in time; try again, or ask for less",
            Map.of(
                "revision", Long.toString(index.revision()),
                "items_loaded", Long.toString(state.getItemsLoaded()),
                "items_total", Long.toString(state.getItemsTotal())),
            TRY_AGAIN)
        .about("namespace", partition.namespace(), "space", request.getSpace());
  }

  /** The space is not there, or began after the revision that was asked for. */
  private CompletionStage<SearchMemoryResponse> withoutIndex(
      Partition partition, SearchMemoryRequest request, long revision) {
    return spaces
        .get(partition, request.getSpace())
        .thenApply(there -> SearchMemoryResponse.newBuilder().setRevision(revision).build());
  }

  /** What the index said, and how. */
  private record Answer(SearchResult result, SearchSettings settings, long nanos) {}

  private Answer ask(IndexedSpace space, SearchMemoryRequest request) {
    int dimension = space.dimension();
    if (request.getVectorCount() > 0 && dimension > 0 && request.getVectorCount() != dimension) {
      throw TroupeException.of(
              ErrorReason.ERROR_REASON_DIMENSION_MISMATCH,
              "the space has embeddings of another dimension")
          .about(
              "namespace",
              Names.namespace(request.getNamespace()),
              "space",
              request.getSpace(),
              "given",
              Integer.toString(request.getVectorCount()),
              "dimension",
              Integer.toString(dimension));
    }
    SearchSettings settings =
        space.settings().getSearch().toBuilder().mergeFrom(request.getSettings()).build();
    SearchQuery query =
        new SearchQuery(
            vector(request),
            request.getText(),
            MemoryFilters.forIndex(request.getFilter()),
            fusion(settings),
            wanted(request) + SPARE,
            request.getExplain());
    long begun = ticker.read();
    SearchResult result = space.index().search(query, clock.micros());
    return new Answer(result, settings, ticker.read() - begun);
  }

  private static float[] vector(SearchMemoryRequest request) {
    float[] floats = new float[request.getVectorCount()];
    for (int i = 0; i < floats.length; i++) {
      floats[i] = request.getVector(i);
    }
    return floats;
  }

  private static int wanted(SearchMemoryRequest request) {
    return request.getTopK() == 0 ? HITS : request.getTopK();
  }

  private static Fusion fusion(SearchSettings settings) {
    return new Fusion(
        settings.getFusion() == dev.troupe.v1.Fusion.FUSION_WEIGHTS
            ? Fusion.Method.WEIGHTED
            : Fusion.Method.RECIPROCAL_RANK,
        settings.getVectorWeight(),
        settings.getTextWeight(),
        settings.getRecencyWeight(),
        settings.getImportanceWeight(),
        settings.getRankConstant(),
        Durations.toMicros(settings.getRecencyHalfLife()),
        DEPTH);
  }

  /** The hits of one search, read until there are enough. */
  private final class Hits {

    private final Partition partition;
    private final SearchMemoryRequest request;
    private final long revision;
    private final long waited;
    private final Answer answer;
    private final List<SearchHit> found;
    private final SearchMemoryResponse.Builder response = SearchMemoryResponse.newBuilder();
    private int room = BYTES;
    private int dropped;

    Hits(
        Partition partition,
        SearchMemoryRequest request,
        long revision,
        long waited,
        Answer answer) {
      this.partition = partition;
      this.request = request;
      this.revision = revision;
      this.waited = waited;
      this.answer = answer;
      this.found =
          answer.result.hits().stream()
              .filter(hit -> !request.hasMinScore() || hit.score() >= request.getMinScore())
              .toList();
    }

    /** Reads the hits from one on. Only those that are returned count as read. */
    CompletionStage<SearchMemoryResponse> read(int from) {
      int to = Math.min(found.size(), from + wanted(request) - response.getHitsCount());
      if (to == from || room <= 0) {
        return CompletableFuture.completedFuture(finish());
      }
      List<SearchHit> some = found.subList(from, to);
      return store
          .read(
              partition,
              request.getSpace(),
              some.stream().map(SearchHit::id).toList(),
              request.getPeek(),
              room)
          .thenCompose(
              items -> {
                for (int i = 0; i < items.size(); i++) {
                  add(some.get(i), items.get(i));
                }
                return response.getTruncated()
                    ? CompletableFuture.completedFuture(finish())
                    : read(to);
              });
    }

    private void add(SearchHit hit, Found found) {
      if (found instanceof Found.TooMuch) {
        response.setTruncated(true);
        return;
      }
      if (found instanceof Found.Item there) {
        MemoryItem item =
            there.said().toItem(there.id(), there.content(), !request.getIncludeEmbedding());
        // One that changed since the index saw it may no longer be meant.
        if (item.getRevision() <= revision || MemoryFilters.matches(request.getFilter(), item)) {
          room -= there.content().size();
          response.addHits(
              dev.troupe.v1.SearchHit.newBuilder()
                  .setItem(item)
                  .setScore(hit.score())
                  .addAllParts(parts(hit))
                  .setImportanceFactor(hit.importanceFactor())
                  .setExplanation(hit.explanation()));
          return;
        }
      }
      dropped++;
    }

    private List<ScorePart> parts(SearchHit hit) {
      return answer.result.legs().stream()
          .map(
              leg ->
                  switch (leg.leg()) {
                    case VECTOR ->
                        part(
                            SearchLeg.SEARCH_LEG_VECTOR,
                            hit.vector(),
                            answer.settings.getVectorWeight());
                    case TEXT ->
                        part(
                            SearchLeg.SEARCH_LEG_TEXT, hit.text(), answer.settings.getTextWeight());
                    case RECENCY ->
                        part(
                            SearchLeg.SEARCH_LEG_RECENCY,
                            hit.recency(),
                            answer.settings.getRecencyWeight());
                  })
          .toList();
    }

    private static ScorePart part(SearchLeg leg, @Nullable LegPart part, double weight) {
      ScorePart.Builder told = ScorePart.newBuilder().setLeg(leg).setWeight(weight);
      return part == null
          ? told.build()
          : told.setRawScore(part.score())
              .setRank(part.rank())
              .setContribution(part.contribution())
              .build();
    }

    private SearchMemoryResponse finish() {
      response.setRevision(revision);
      if (request.getExplain()) {
        SearchExplanation.Builder explanation =
            SearchExplanation.newBuilder()
                .setItems(answer.result.size())
                .setDropped(dropped)
                .setFusion(answer.settings.getFusion())
                .setWaited(Durations.fromNanos(waited))
                .setElapsed(Durations.fromNanos(answer.nanos));
        answer.result.legs().forEach(leg -> explanation.addLegs(leg(leg)));
        response.setExplanation(explanation);
      }
      return response.build();
    }

    private LegExplanation leg(LegReport leg) {
      LegExplanation.Builder told =
          LegExplanation.newBuilder()
              .setMethod(leg.method())
              .setCandidates(leg.candidates())
              .setElapsed(Durations.fromNanos(leg.nanos()));
      return switch (leg.leg()) {
        case VECTOR ->
            told.setLeg(SearchLeg.SEARCH_LEG_VECTOR)
                .setWeight(answer.settings.getVectorWeight())
                .build();
        case TEXT ->
            told.setLeg(SearchLeg.SEARCH_LEG_TEXT)
                .setWeight(answer.settings.getTextWeight())
                .build();
        case RECENCY ->
            told.setLeg(SearchLeg.SEARCH_LEG_RECENCY)
                .setWeight(answer.settings.getRecencyWeight())
                .build();
      };
    }
  }
}
