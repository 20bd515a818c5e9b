package dev.troupe.server.memory;

import static dev.troupe.server.memory.MemoryScripts.guarded;

import com.google.inject.Inject;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.util.Timestamps;
import dev.troupe.server.memory.MemoryScripts.Guard;
import dev.troupe.server.redis.Namespaces;
import dev.troupe.server.redis.Partition;
import dev.troupe.server.redis.PartitionSweep.Swept;
import dev.troupe.server.redis.Reply;
import dev.troupe.server.redis.Script;
import dev.troupe.v1.MemorySpace;
import dev.troupe.v1.SpaceSettings;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletionStage;

/**
 * The memory spaces of all namespaces, in Redis. A space with all that is in it lives in one
 * partition. Each change is one script, which also appends to the log. Thread-safe; never blocks.
 */
final class SpaceStore {

  private static final Script CREATE = Script.load("memory/create_space");
  private static final Script UPDATE = Script.load("memory/update_space");
  private static final Script GET = Script.load("memory/get_spaces");
  private static final Script LIST = Script.load("memory/list_spaces");
  private static final Script DELETE = Script.load("memory/delete_space");
  private static final Script SWEEP = Script.load("memory/sweep");

  private final MemoryScripts scripts;
  private final Namespaces namespaces;
  private final MemoryConfig config;
  private final SpaceDefaults defaults;

  @Inject
  SpaceStore(
      MemoryScripts scripts, Namespaces namespaces, MemoryConfig config, SpaceDefaults defaults) {
    this.scripts = scripts;
    this.namespaces = namespaces;
    this.config = config;
    this.defaults = defaults;
  }

  /** Where a space lives. */
  CompletionStage<Partition> locate(String namespace, String space) {
    return namespaces.locate(namespace, space);
  }

  /** Creates a space with settings of its {@code own}. */
  CompletionStage<MemorySpace> create(
      Partition partition, String space, SpaceSettings own, Guard guard) {
    List<Object> arguments = guarded(partition, space, guard);
    arguments.add(config.maxSpaces());
    addSettings(arguments, own);
    return scripts.run(CREATE, partition, arguments).thenApply(reply -> space(reply.nested(1)));
  }

  /** Writes a space's own settings, if those that stand are still of the given version. */
  CompletionStage<MemorySpace> update(
      Partition partition, String space, long version, SpaceSettings own, Guard guard) {
    List<Object> arguments = guarded(partition, space, guard);
    arguments.add(version);
    addSettings(arguments, own);
    return scripts.run(UPDATE, partition, arguments).thenApply(reply -> space(reply.nested(1)));
  }

  private void addSettings(List<Object> arguments, SpaceSettings own) {
    SpaceSettings complete = defaults.complete(own);
    arguments.addAll(
        List.of(
            complete.toByteArray(),
            own.toByteArray(),
            SettingNumbers.of(complete, own),
            own.getDimension()));
  }

  /** Reads a space; fails when there is none. */
  CompletionStage<MemorySpace> get(Partition partition, String space) {
    return get(partition, List.of(space))
        .thenApply(
            found ->
                found
                    .get(0)
                    .orElseThrow(
                        () ->
                            MemoryScripts.refusal(new Reply(List.of("NO_SPACE")))
                                .about("namespace", partition.namespace(), "space", space)));
  }

  /** Reads spaces, in the order of their names as given; empty for those that are not there. */
  CompletionStage<List<Optional<MemorySpace>>> get(Partition partition, List<String> names) {
    return scripts
        .run(GET, partition, names)
        .thenApply(
            reply -> {
              List<Optional<MemorySpace>> spaces = new ArrayList<>();
              for (int i = 1; i < reply.size(); i++) {
                spaces.add(
                    reply.isList(i) ? Optional.of(space(reply.nested(i))) : Optional.empty());
              }
              // A reply ends with its first nil, if nothing follows.
              while (spaces.size() < names.size()) {
                spaces.add(Optional.empty());
              }
              return spaces;
            });
  }

  /** Names of spaces in the order of their bytes, from behind one on. */
  CompletionStage<List<String>> names(Partition partition, String prefix, String after, int most) {
    return scripts
        .run(LIST, partition, List.of(prefix, after, most))
        .thenApply(
            reply -> {
              List<String> names = new ArrayList<>();
              for (int i = 1; i < reply.size(); i++) {
                names.add(reply.text(i));
              }
              return names;
            });
  }

  /** What a deletion found: how many items went, and its revision. */
  record Deleted(boolean there, long items, long revision) {}

  /** Deletes a space with all that is in it. */
  CompletionStage<Deleted> delete(Partition partition, String space, Guard guard) {
    return scripts
        .run(DELETE, partition, guarded(partition, space, guard))
        .thenApply(reply -> new Deleted(reply.number(1) == 1, reply.number(2), reply.number(3)));
  }

  /**
   * What a sweep found.
   *
   * @param defaultsMicros when what the namespace says last changed, as the partition has it
   */
  record Sweep(Swept swept, long defaultsMicros) {}

  /** Announces and removes what time is up for. Any number of servers may do so. */
  CompletionStage<Sweep> sweep(Partition partition) {
    return scripts
        .run(SWEEP, partition, List.of())
        .thenApply(
            reply -> new Sweep(new Swept(reply.number(1) == 1, reply.number(2)), reply.number(3)));
  }

  private static MemorySpace space(Reply row) {
    try {
      SpaceSettings complete = SpaceSettings.parseFrom(row.bytes(1));
      SpaceSettings own =
          row.elements().get(9) == null
              ? SpaceDefaults.ownOfBefore(complete)
              : SpaceSettings.parseFrom(row.bytes(9));
      SpaceSettings inForce =
          SpaceDefaults.inForce(complete, own, SpaceSettings.parseFrom(row.bytes(10)));
      return MemorySpace.newBuilder()
          .setName(row.text(0))
          .setSettings(inForce.toBuilder().setDimension((int) row.number(5)))
          .setOwnSettings(own)
          .setVersion(row.number(2))
          .setCreateTime(Timestamps.fromMicros(row.number(3)))
          .setUpdateTime(Timestamps.fromMicros(row.number(4)))
          .setItems(row.number(6))
          .setBytes(row.number(7))
          .setConversationBytes(row.number(11))
          .setRevision(row.number(8))
          .build();
    } catch (InvalidProtocolBufferException e) {
      throw new IllegalStateException("the stored settings of a space cannot be read", e);
    }
  }
}
