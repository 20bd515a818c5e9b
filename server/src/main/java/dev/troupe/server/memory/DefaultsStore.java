package dev.troupe.server.memory;

import com.google.inject.Inject;
import com.google.protobuf.InvalidProtocolBufferException;
import dev.troupe.server.memory.MemoryScripts.Guard;
import dev.troupe.server.redis.Partition;
import dev.troupe.server.redis.Reply;
import dev.troupe.server.redis.Script;
import dev.troupe.v1.SpaceSettings;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletionStage;

/**
 * What a namespace says where its spaces have no settings of their own, in Redis, once in each
 * partition. A partition's spaces are ruled by its copy, in the step that puts, reads or removes.
 * Thread-safe; never blocks.
 */
final class DefaultsStore {

  private static final Script GET = Script.load("memory/get_defaults");
  private static final Script UPDATE = Script.load("memory/update_defaults");
  private static final Script TAKE = Script.load("memory/take_defaults");

  private final MemoryScripts scripts;

  @Inject
  DefaultsStore(MemoryScripts scripts) {
    this.scripts = scripts;
  }

  /**
   * What a partition has.
   *
   * @param version 0 when there is nothing
   * @param changedMicros when it was made, microseconds since 1970; a later one replaces an earlier
   */
  record Copy(long version, long changedMicros, SpaceSettings settings) {}

  /** What a partition has. */
  CompletionStage<Copy> get(Partition partition) {
    return scripts.run(GET, partition, List.of()).thenApply(DefaultsStore::copy);
  }

  /** Makes a new version in the first partition, if the one there is of the given version. */
  CompletionStage<Copy> update(Partition first, long version, SpaceSettings settings, Guard guard) {
    List<Object> arguments = new ArrayList<>();
    MemoryScripts.addGuard(arguments, first, guard);
    arguments.addAll(List.of(version, settings.toByteArray(), SettingNumbers.given(settings)));
    return scripts.runForAll(UPDATE, first, arguments).thenApply(DefaultsStore::copy);
  }

  /** Gives a partition what another one has, unless it has what is later. */
  CompletionStage<Copy> give(Partition partition, Copy copy) {
    return scripts
        .run(
            TAKE,
            partition,
            List.of(
                copy.version(),
                copy.changedMicros(),
                copy.settings().toByteArray(),
                SettingNumbers.given(copy.settings())))
        .thenApply(done -> copy);
  }

  private static Copy copy(Reply reply) {
    Reply row = reply.nested(1);
    try {
      return new Copy(row.number(0), row.number(1), SpaceSettings.parseFrom(row.bytes(2)));
    } catch (InvalidProtocolBufferException e) {
      throw new IllegalStateException("the stored settings of a namespace cannot be read", e);
    }
  }
}
