package dev.troupe.server.event;

import static java.util.stream.Collectors.groupingBy;
import static java.util.stream.Collectors.toMap;

import com.google.inject.Inject;
import com.google.protobuf.Timestamp;
import dev.troupe.server.error.TroupeException;
import dev.troupe.server.event.LatestEvents.Begin;
import dev.troupe.server.grpc.Names;
import dev.troupe.server.log.LogEntry;
import dev.troupe.server.log.LogPosition;
import dev.troupe.server.log.LogReader;
import dev.troupe.server.log.OlderEntries;
import dev.troupe.server.log.PartitionLogs;
import dev.troupe.server.log.PartitionLogs.LogHead;
import dev.troupe.server.log.PartitionLogs.Until;
import dev.troupe.server.log.ResumePoint;
import dev.troupe.server.redis.Namespaces;
import dev.troupe.server.redis.Partition;
import dev.troupe.v1.ErrorReason;
import dev.troupe.v1.StartPosition;
import dev.troupe.v1.SubscribeRequest;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import java.util.function.IntFunction;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/** Finds out which partitions a subscription reads, and from where on. Thread-safe. */
final class EventStarts {

  private final Namespaces namespaces;
  private final PartitionLogs logs;
  private final TopicStreams streams;

  @Inject
  EventStarts(Namespaces namespaces, PartitionLogs logs, TopicStreams streams) {
    this.namespaces = namespaces;
    this.logs = logs;
    this.streams = streams;
  }

  /**
   * A point in the logs, and readers that stand there.
   *
   * @param endMillis the first millisecond that is no longer asked for
   * @param until where a partition ends by then
   */
  record Start(
      ResumePoint point,
      Map<Integer, LogReader> readers,
      long endMillis,
      IntFunction<CompletionStage<Until>> until) {

    boolean hasEnd() {
      return endMillis != Long.MAX_VALUE;
    }
  }

  /**
   * Where a subscription begins.
   *
   * @param unaware partitions where it wants what there is, and need not hear what was lost before.
   *     The token has the sequence all the same: who goes on with it wants what there was then
   */
  private record Origin(ResumePoint point, Set<Partition> unaware) {}

  /** What a resume token is bound to: the topics, in whatever order they were given. */
  static String purpose(Collection<String> topics) {
    return "events\0" + String.join("\0", new TreeSet<>(topics));
  }

  /** The same with a filter. */
  private static String purpose(Collection<String> topics, EventSelector selector) {
    String filter = selector.fingerprint();
    return filter.isEmpty() ? purpose(topics) : purpose(topics) + "\0\0" + filter;
  }

  /**
   * Opens readers where the request says; fails with INVALID_RESUME_TOKEN for a wrong one.
   *
   * @param wants which entries count where the newest so many are asked for
   */
  CompletionStage<Start> open(
      SubscribeRequest request, EventFilter filter, Predicate<LogEntry> wants) {
    String namespace = Names.namespace(request.getNamespace());
    String purpose = purpose(request.getTopicsList(), filter.selector());
    return partitions(namespace, filter)
        .thenCompose(
            partitions ->
                origin(namespace, purpose, request, wants, partitions)
                    .thenApply(origin -> start(request, partitions, origin)));
  }

  private Start start(
      SubscribeRequest request, Map<Partition, List<String>> partitions, Origin origin) {
    Map<Integer, Partition> byIndex = new HashMap<>();
    partitions.keySet().forEach(partition -> byIndex.put(partition.index(), partition));
    long end = request.hasEndTime() ? millis(request.getEndTime()) : Long.MAX_VALUE;
    return new Start(
        origin.point(),
        readers(partitions, origin, !request.getResumeToken().isEmpty()),
        end,
        index -> {
          Partition partition = byIndex.get(index);
          return partition == null
              ? CompletableFuture.failedFuture(
                  new IllegalArgumentException("no partition " + index))
              : logs.until(partition, end);
        });
  }

  /** What is read, with the topics of each partition if they are all known. */
  private CompletionStage<Map<Partition, List<String>>> partitions(
      String namespace, EventFilter filter) {
    Set<String> topics = filter.onlyTopics();
    if (topics.isEmpty()) {
      return namespaces
          .partitions(namespace)
          .thenApply(all -> all.stream().collect(toMap(each -> each, each -> List.of())));
    }
    Function<String, CompletionStage<Partition>> locate =
        topic -> namespaces.locate(namespace, topic);
    return all(topics, locate)
        .thenApply(located -> topics.stream().collect(groupingBy(topic -> located.get(topic))));
  }

  /** What topics keep from before the log begins; null when it is not known which ones. */
  private @Nullable OlderEntries history(
      Partition partition, @Nullable List<String> topics, boolean resumed) {
    return topics == null || topics.isEmpty()
        ? null
        : new TopicHistory(streams, partition, topics, resumed);
  }

  private CompletionStage<Origin> origin(
      String namespace,
      String purpose,
      SubscribeRequest request,
      Predicate<LogEntry> wants,
      Map<Partition, List<String>> partitions) {
    if (!request.getResumeToken().isEmpty()) {
      return resume(namespace, purpose, request.getResumeToken(), partitions.keySet())
          .thenApply(point -> new Origin(point, Set.of()));
    }
    if (request.getLast() > 0) {
      Function<Partition, @Nullable OlderEntries> older =
          partition -> history(partition, partitions.get(partition), false);
      return new LatestEvents(logs, older, wants, request.getLast())
          .begins(partitions.keySet())
          .thenApply(found -> latest(namespace, purpose, found));
    }
    Function<Partition, CompletionStage<LogHead>> start = logs::head;
    if (request.hasStartTime()) {
      long millis = millis(request.getStartTime());
      start = partition -> before(partition, partitions.get(partition), millis);
    } else if (request.getStart() == StartPosition.START_POSITION_BEGINNING) {
      start = partition -> before(partition, partitions.get(partition), 0);
    }
    return all(partitions.keySet(), start)
        .thenApply(found -> new Origin(point(namespace, purpose, found), Set.of()));
  }

  private static Origin latest(String namespace, String purpose, Map<Partition, Begin> found) {
    Map<Partition, LogHead> heads = new HashMap<>();
    Set<Partition> unaware = new HashSet<>();
    found.forEach(
        (partition, begin) -> {
          heads.put(partition, begin.head());
          if (begin.behindWhatIsGone()) {
            unaware.add(partition);
          }
        });
    return new Origin(point(namespace, purpose, heads), unaware);
  }

  private CompletionStage<LogHead> before(
      Partition partition, @Nullable List<String> topics, long millis) {
    CompletionStage<LogHead> inLog = logs.before(partition, millis);
    return topics == null || topics.isEmpty()
        ? inLog
        : inLog.thenCompose(found -> orBeforeLog(partition, found, LogPosition.startOf(millis)));
  }

  /**
   * The place of a time in the log, or, where the log begins later, without a sequence: what its
   * topics keep begins nobody knows where.
   */
  private CompletionStage<LogHead> orBeforeLog(
      Partition partition, LogHead found, LogPosition time) {
    LogPosition place = found.position();
    LogHead unknown = new LogHead(time, found.epoch());
    if (!place.isExact() || place.compareTo(time) != 0) {
      return CompletableFuture.completedFuture(unknown);
    }
    if (place.sequence() == 0) {
      // The log still has its first entry.
      return CompletableFuture.completedFuture(found);
    }
    LogPosition behind = new LogPosition(time.millis(), time.order() + 1, -1);
    return logs.back(partition, behind, 1, null)
        .thenApply(
            last -> {
              // The log may have been trimmed since.
              boolean isThere =
                  !last.isEmpty() && last.get(0).position().sequence() == place.sequence();
              return isThere ? found : unknown;
            });
  }

  private static ResumePoint point(
      String namespace, String purpose, Map<Partition, LogHead> found) {
    Map<Integer, LogHead> positions = new HashMap<>();
    found.forEach((partition, head) -> positions.put(partition.index(), head));
    return ResumePoint.of(namespace, purpose, positions);
  }

  private static CompletionStage<ResumePoint> resume(
      String namespace, String purpose, String token, Collection<Partition> partitions) {
    ResumePoint point = ResumePoint.parse(namespace, purpose, token);
    Set<Integer> indexes = new TreeSet<>();
    partitions.forEach(partition -> indexes.add(partition.index()));
    if (!point.positions().keySet().equals(indexes)) {
      throw TroupeException.of(
          ErrorReason.ERROR_REASON_INVALID_RESUME_TOKEN,
          "resume_token: made for other partitions (expected a token of this namespace)");
    }
    return CompletableFuture.completedFuture(point);
  }

  /** Rounded up, as the log counts in milliseconds and must not begin before the time. */
  private static long millis(Timestamp time) {
    return time.getSeconds() * 1000 + (time.getNanos() + 999_999) / 1_000_000;
  }

  private Map<Integer, LogReader> readers(
      Map<Partition, List<String>> partitions, Origin origin, boolean resumed) {
    Map<Integer, LogHead> positions = origin.point().positions();
    Map<Integer, LogReader> readers = new HashMap<>();
    partitions.forEach(
        (partition, topics) -> {
          LogHead from = positions.get(partition.index());
          if (from != null) {
            LogPosition after = from.position();
            readers.put(
                partition.index(),
                logs.open(
                    partition,
                    origin.unaware().contains(partition) ? after.withoutSequence() : after,
                    from.epoch(),
                    history(partition, topics, resumed)));
          }
        });
    return readers;
  }

  /** Asks all at once and waits for all answers. */
  private static <K, V> CompletionStage<Map<K, V>> all(
      Collection<K> keys, Function<K, CompletionStage<V>> question) {
    CompletionStage<Map<K, V>> answers = CompletableFuture.completedFuture(new LinkedHashMap<>());
    for (Map.Entry<K, CompletionStage<V>> asked : asked(keys, question)) {
      answers =
          answers.thenCombine(
              asked.getValue(),
              (map, answer) -> {
                map.put(asked.getKey(), answer);
                return map;
              });
    }
    return answers;
  }

  private static <K, V> List<Map.Entry<K, CompletionStage<V>>> asked(
      Collection<K> keys, Function<K, CompletionStage<V>> question) {
    return keys.stream().map(key -> Map.entry(key, question.apply(key))).toList();
  }
}
