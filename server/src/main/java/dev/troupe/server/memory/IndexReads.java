package dev.troupe.server.memory;

import com.google.inject.Inject;
import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import dev.troupe.server.log.LogPosition;
import dev.troupe.server.redis.Partition;
import dev.troupe.server.redis.Reply;
import dev.troupe.server.redis.Script;
import dev.troupe.v1.ErrorReason;
import dev.troupe.v1.SpaceSettings;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/** Reads spaces from Redis as an index needs them. Thread-safe; never blocks. */
final class IndexReads {

  private static final Script FETCH = Script.load("memory/fetch");
  private static final String TO_GO_ON = "0";

  private final MemoryScripts scripts;

  @Inject
  IndexReads(MemoryScripts scripts) {
    this.scripts = scripts;
  }

  /** An item as it is. */
  record Row(String id, ItemRecord said, ByteString content) {}

  /**
   * Some of a space.
   *
   * @param generation tells a space from an earlier one of the same name
   * @param items how many the space has
   * @param nowMicros the clock of Redis, then
   * @param newest the end of the partition's log, then: nothing of a later change is in it
   * @param next the place to go on; empty at the end
   */
  record Some(
      String generation,
      SpaceSettings settings,
      int dimension,
      long items,
      long nowMicros,
      LogPosition newest,
      String next,
      List<Row> rows) {}

  /**
   * Items in the order of puts, from behind a place on, about a MiB at most; empty when there is no
   * such space.
   */
  CompletionStage<Optional<Some>> page(Partition partition, String space, String after, int most) {
    return fetch(partition, List.of(space, after.isEmpty() ? TO_GO_ON : after, most));
  }

  /**
   * Items by their ids, without those that are not there, in as many reads as their size asks for;
   * empty when there is no such space.
   */
  CompletionStage<Optional<Some>> items(Partition partition, String space, List<String> ids) {
    List<Object> arguments = new ArrayList<>(List.of(space, "ids"));
    arguments.addAll(ids);
    return fetch(partition, arguments)
        .thenCompose(
            some -> {
              String looked = some.map(Some::next).orElse("");
              return looked.isEmpty()
                  ? CompletableFuture.completedFuture(some)
                  : items(partition, space, ids.subList(Integer.parseInt(looked), ids.size()))
                      .thenApply(rest -> together(some, rest));
            });
  }

  /** Of two reads of a space the later one says what it is like; empty if it is gone. */
  static Optional<Some> together(Optional<Some> one, Optional<Some> other) {
    if (one.isEmpty() || other.isEmpty()) {
      return Optional.empty();
    }
    List<Row> rows = new ArrayList<>(one.get().rows());
    rows.addAll(other.get().rows());
    Some last = other.get();
    return Optional.of(
        new Some(
            last.generation(),
            last.settings(),
            last.dimension(),
            last.items(),
            last.nowMicros(),
            later(one.get().newest(), last.newest()),
            "",
            rows));
  }

  /** What either read may hold is not after it; if Redis lost it in between, it will not come. */
  private static LogPosition later(LogPosition one, LogPosition other) {
    return one.sequence() > other.sequence() ? one : other;
  }

  private CompletionStage<Optional<Some>> fetch(Partition partition, List<Object> arguments) {
    return scripts
        .run(FETCH, partition, arguments)
        .thenApply(reply -> Optional.of(some(reply)))
        .exceptionallyCompose(
            failure ->
                Tries.is(ErrorReason.ERROR_REASON_SPACE_NOT_FOUND, failure)
                    ? CompletableFuture.completedFuture(Optional.empty())
                    : CompletableFuture.failedFuture(failure));
  }

  private static Some some(Reply reply) {
    List<Row> rows = new ArrayList<>();
    Iterator<Object> packed = PackedValues.array(reply.bytes(7)).iterator();
    while (packed.hasNext()) {
      String id = ((ByteString) packed.next()).toStringUtf8();
      ItemRecord said = ItemRecord.parse((ByteString) packed.next());
      rows.add(new Row(id, said, (ByteString) packed.next()));
    }
    try {
      return new Some(
          reply.text(1),
          SpaceSettings.parseFrom(reply.bytes(2)),
          (int) reply.number(3),
          reply.number(4),
          reply.number(5),
          LogPosition.parse(reply.text(9), reply.number(8)),
          reply.text(6),
          rows);
    } catch (InvalidProtocolBufferException e) {
      throw new IllegalStateException("the stored settings of a space cannot be read", e);
    }
  }
}
