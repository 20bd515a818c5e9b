package dev.troupe.server.event;

import com.google.inject.Inject;
import com.google.protobuf.Timestamp;
import dev.troupe.server.error.TroupeException;
import dev.troupe.server.grpc.Names;
import dev.troupe.server.log.LogEntry;
import dev.troupe.server.log.LogReader;
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

/** Finds out which partitions a subscription reads, and from where on. Thread-safe. */
final class EventStarts {

  private final Namespaces namespaces;
  private final PartitionLogs logs;

  @Inject
  EventStarts(Namespaces namespaces, PartitionLogs logs) {
    this.namespaces = namespaces;
    this.logs = logs;
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
                point(namespace, purpose, request, wants, partitions)
                    .thenApply(point -> start(request, partitions, point)));
  }

  private Start start(
      SubscribeRequest request, Collection<Partition> partitions, ResumePoint point) {
    Map<Integer, Partition> byIndex = new HashMap<>();
    partitions.forEach(partition -> byIndex.put(partition.index(), partition));
    long end = request.hasEndTime() ? millis(request.getEndTime()) : Long.MAX_VALUE;
    return new Start(
        point,
        readers(partitions, point),
        end,
        index -> {
          Partition partition = byIndex.get(index);
          return partition == null
              ? CompletableFuture.failedFuture(
                  new IllegalArgumentException("no partition " + index))
              : logs.until(partition, end);
        });
  }

  private CompletionStage<Collection<Partition>> partitions(String namespace, EventFilter filter) {
    Set<String> topics = filter.onlyTopics();
    if (topics.isEmpty()) {
      return namespaces.partitions(namespace).thenApply(all -> all);
    }
    Function<String, CompletionStage<Partition>> locate =
        topic -> namespaces.locate(namespace, topic);
    return all(topics, locate).thenApply(located -> Set.copyOf(located.values()));
  }

  private CompletionStage<ResumePoint> point(
      String namespace,
      String purpose,
      SubscribeRequest request,
      Predicate<LogEntry> wants,
      Collection<Partition> partitions) {
    if (!request.getResumeToken().isEmpty()) {
      return resume(namespace, purpose, request.getResumeToken(), partitions);
    }
    if (request.getLast() > 0) {
      return new LatestEvents(logs, wants, request.getLast())
          .begins(partitions)
          .thenApply(found -> point(namespace, purpose, found));
    }
    Function<Partition, CompletionStage<LogHead>> start = logs::head;
    if (request.hasStartTime()) {
      long millis = millis(request.getStartTime());
      start = partition -> logs.before(partition, millis);
    } else if (request.getStart() == StartPosition.START_POSITION_BEGINNING) {
      start = partition -> logs.before(partition, 0);
    }
    return all(partitions, start).thenApply(found -> point(namespace, purpose, found));
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

  private Map<Integer, LogReader> readers(Collection<Partition> partitions, ResumePoint point) {
    Map<Integer, LogHead> positions = point.positions();
    Map<Integer, LogReader> readers = new HashMap<>();
    for (Partition partition : partitions) {
      LogHead from = positions.get(partition.index());
      if (from != null) {
        readers.put(partition.index(), logs.open(partition, from.position(), from.epoch()));
      }
    }
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
