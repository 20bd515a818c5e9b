package dev.troupe.server.memory;

import static dev.troupe.server.memory.MemoryScripts.addList;
import static dev.troupe.server.memory.MemoryScripts.addMap;
import static dev.troupe.server.memory.MemoryScripts.guarded;

import com.google.inject.Inject;
import com.google.protobuf.ByteString;
import com.google.protobuf.Timestamp;
import com.google.protobuf.util.Timestamps;
import dev.troupe.server.memory.MemoryScripts.Guard;
import dev.troupe.server.redis.Partition;
import dev.troupe.server.redis.Reply;
import dev.troupe.server.redis.Script;
import dev.troupe.v1.MemoryFilter;
import dev.troupe.v1.MemoryItem;
import dev.troupe.v1.MemoryTier;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletionStage;

/**
 * The items of all memory spaces, in Redis.
 *
 * <p>Each change is one script: the item, its place by content, time, order of puts and order of
 * eviction, the counters of the space and the entry in the log change together or not at all. What
 * is past its lifetime is not there, swept or not. Thread-safe; never blocks. A refusal is a {@code
 * TroupeException} in the stage.
 */
final class MemoryStore {

  /** Most items that one call of a script puts or removes. */
  static final int MOST_AT_ONCE = 64;

  private static final Script READ = Script.load("memory/read");
  private static final Script LIST = Script.load("memory/list");
  private static final Script UPDATE = Script.load("memory/update");
  private static final Script PROMOTE = Script.load("memory/promote");
  private static final Script FORGET = Script.load("memory/forget");
  private static final Script DELETE = Script.load("memory/delete");

  private final MemoryScripts scripts;

  @Inject
  MemoryStore(MemoryScripts scripts) {
    this.scripts = scripts;
  }

  /** One item that was looked for. */
  sealed interface Found {

    /** It is there. */
    record Item(String id, ItemRecord said, ByteString content) implements Found {}

    /** It is not there, or past its lifetime. */
    record Missing(String id) implements Found {}

    /** It is there, but was not read as the others passed the bytes. */
    record TooMuch(String id) implements Found {}
  }

  /**
   * Reads items, in the order of their ids as given.
   *
   * @param peek looks only; otherwise each read counts, and may refresh and promote
   * @param bytes past which no more are read
   */
  CompletionStage<List<Found>> read(
      Partition partition, String space, List<String> ids, boolean peek, int bytes) {
    if (ids.size() <= MOST_AT_ONCE) {
      return readSome(partition, space, ids, peek, bytes);
    }
    return readSome(partition, space, ids.subList(0, MOST_AT_ONCE), peek, bytes)
        .thenCompose(
            some ->
                read(
                        partition,
                        space,
                        ids.subList(MOST_AT_ONCE, ids.size()),
                        peek,
                        bytes - sizeOf(some))
                    .thenApply(
                        others -> {
                          List<Found> all = new ArrayList<>(some);
                          all.addAll(others);
                          return all;
                        }));
  }

  private static int sizeOf(List<Found> found) {
    return found.stream()
        .mapToInt(one -> one instanceof Found.Item item ? item.content().size() : 0)
        .sum();
  }

  private CompletionStage<List<Found>> readSome(
      Partition partition, String space, List<String> ids, boolean peek, int bytes) {
    List<Object> arguments = new ArrayList<>(List.of(space, peek ? "1" : "0", bytes));
    arguments.addAll(ids);
    return scripts
        .run(READ, partition, arguments)
        .thenApply(
            reply -> {
              List<Found> found = new ArrayList<>(ids.size());
              for (int i = 0; i < ids.size(); i++) {
                found.add(found(ids.get(i), reply, i + 3));
              }
              return found;
            });
  }

  private static Found found(String id, Reply reply, int index) {
    if (reply.isList(index)) {
      Reply row = reply.nested(index);
      return new Found.Item(id, ItemRecord.parse(row.bytes(0)), row.bytes(1));
    }
    return reply.text(index).isEmpty() ? new Found.Missing(id) : new Found.TooMuch(id);
  }

  /** Some items in the order of puts; {@code next} is the place to go on, empty at the end. */
  record Page(List<Found.Item> items, String next) {}

  /**
   * Lists items that match, from behind a place on; looks at 512 at most.
   *
   * @param after the place; empty from the beginning
   * @param bytes past which the page ends
   * @param content whether to read what the items are about
   */
  CompletionStage<Page> list(
      Partition partition,
      String space,
      MemoryFilter filter,
      String after,
      int most,
      int bytes,
      boolean content) {
    List<Object> arguments =
        new ArrayList<>(
            List.of(space, after.isEmpty() ? "0" : after, most, bytes, content ? "1" : "0"));
    addFilter(arguments, filter);
    return scripts
        .run(LIST, partition, arguments)
        .thenApply(
            reply -> {
              List<Found.Item> items = new ArrayList<>();
              for (int i = 2; i < reply.size(); i += 3) {
                items.add(
                    new Found.Item(
                        reply.text(i), ItemRecord.parse(reply.bytes(i + 1)), reply.bytes(i + 2)));
              }
              return new Page(items, reply.text(1));
            });
  }

  private static void addFilter(List<Object> arguments, MemoryFilter filter) {
    addList(arguments, filter.getAllTagsList());
    addList(arguments, filter.getAnyTagsList());
    addList(arguments, filter.getNoTagsList());
    addList(
        arguments,
        filter.getTiersList().stream().map(MemoryTier::getNumber).map(String::valueOf).toList());
    addList(arguments, filter.getSourcesList());
    addMap(arguments, filter.getAttributesMap());
    arguments.add(Float.toString(filter.getMinImportance()));
    arguments.add(micros(filter.hasCreatedFrom(), filter.getCreatedFrom()));
    arguments.add(micros(filter.hasCreatedBefore(), filter.getCreatedBefore()));
    arguments.add(micros(filter.hasUpdatedFrom(), filter.getUpdatedFrom()));
    arguments.add(micros(filter.hasUpdatedBefore(), filter.getUpdatedBefore()));
  }

  private static long micros(boolean given, Timestamp time) {
    return given ? Math.max(1, Timestamps.toMicros(time)) : 0;
  }

  /** An item that was written, without its content, and the revision of that. */
  record Written(ItemRecord said, long revision) {}

  /**
   * Writes an item anew, if it is still of the given version.
   *
   * @param item with its new values
   * @param version that it was read with
   * @param lifetimeMicros its own, which begins anew, 0 for the tier's; below 0 as it was
   */
  CompletionStage<Written> update(
      Partition partition,
      String space,
      MemoryItem item,
      long version,
      long lifetimeMicros,
      Guard guard) {
    List<Object> arguments = guarded(partition, space, guard);
    arguments.addAll(
        List.of(
            item.getItemId(),
            version,
            ContentHash.of(item.getContent()),
            Float.toString(item.getImportance()),
            item.getSource(),
            lifetimeMicros < 0 ? "" : lifetimeMicros,
            item.getContent().getEmbeddingCount()));
    addList(arguments, item.getTagsList().stream().distinct().toList());
    addMap(arguments, item.getAttributesMap());
    arguments.add(item.getContent().toByteArray());
    return scripts
        .runWithRoom(UPDATE, partition, arguments, "item_id", item.getItemId())
        .thenApply(made -> written(made.reply()));
  }

  private static Written written(Reply reply) {
    return new Written(ItemRecord.parse(reply.bytes(2)), reply.number(1));
  }

  /**
   * Moves an item to another tier, where its lifetime begins.
   *
   * @param version that it has to be of; 0 for any
   * @param lifetimeMicros its own; 0 for the tier's
   */
  CompletionStage<Written> promote(
      Partition partition,
      String space,
      String id,
      long version,
      MemoryTier tier,
      long lifetimeMicros,
      Guard guard) {
    List<Object> arguments = guarded(partition, space, guard);
    arguments.addAll(List.of(id, version, tier.getNumber(), lifetimeMicros));
    return scripts
        .run(PROMOTE, partition, arguments, "item_id", id)
        .thenApply(MemoryStore::written);
  }

  /** Which items were forgotten. */
  record Forgotten(List<String> ids, long revision) {}

  /** Forgets up to {@value #MOST_AT_ONCE} items. */
  CompletionStage<Forgotten> forget(
      Partition partition, String space, List<String> ids, Guard guard) {
    List<Object> arguments = guarded(partition, space, guard);
    arguments.addAll(ids);
    return scripts
        .run(FORGET, partition, arguments)
        .thenApply(reply -> new Forgotten(reply.texts(2), reply.number(1)));
  }

  /**
   * One step of a deletion.
   *
   * @param next the place to go on; empty at the end
   * @param end up to where to go, as the first step found it
   */
  record Step(long deleted, String next, String end, long revision) {}

  /** Deletes items that match, from behind a place on, at most {@value #MOST_AT_ONCE}. */
  CompletionStage<Step> delete(
      Partition partition,
      String space,
      MemoryFilter filter,
      String after,
      String end,
      int most,
      Guard guard) {
    List<Object> arguments = guarded(partition, space, guard);
    arguments.addAll(List.of(after.isEmpty() ? "0" : after, end, most));
    addFilter(arguments, filter);
    return scripts
        .run(DELETE, partition, arguments)
        .thenApply(
            reply -> new Step(reply.number(2), reply.text(3), reply.text(4), reply.number(1)));
  }
}
