package dev.troupe.server.memory;

import com.google.inject.Inject;
import dev.troupe.server.error.TroupeException;
import dev.troupe.server.redis.Fences;
import dev.troupe.server.redis.Partition;
import dev.troupe.server.redis.Reply;
import dev.troupe.server.redis.Script;
import dev.troupe.server.redis.ScriptRunner;
import dev.troupe.v1.ErrorReason;
import dev.troupe.v1.Fence;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/** Runs the scripts of the memory stores and reads why they refuse. */
final class MemoryScripts {

  /** What scripts reply when there is no room. */
  static final Reply FULL = new Reply(List.of("FULL"));

  /** How often a script is run for one call that needs room, each time for 64 items at most. */
  static final int MOST_ROUNDS = 256;

  private final ScriptRunner scripts;

  @Inject
  MemoryScripts(ScriptRunner scripts) {
    this.scripts = scripts;
  }

  /** What every write carries beside what it writes. */
  record Guard(Fence fence, String requestId, String digest) {

    /** The same for one of the scripts that a request takes. */
    Guard step(int number) {
      return requestId.isEmpty() ? this : new Guard(fence, requestId + "/" + number, digest);
    }
  }

  /**
   * The reply, when it is OK; else a {@link TroupeException}.
   *
   * @param arguments the first one is the space, in all scripts that refuse anything
   * @param about names and values of what is meant within the space, for a refusal
   */
  CompletionStage<Reply> run(
      Script script, Partition partition, List<?> arguments, String... about) {
    return scripts
        .run(script, partition, arguments.toArray())
        .thenApply(elements -> accepted(new Reply(elements), partition, arguments, about));
  }

  private static Reply accepted(
      Reply reply, Partition partition, List<?> arguments, String... about) {
    if (!reply.ok()) {
      throw refusal(reply)
          .about(about)
          .about(
              "namespace",
              partition.namespace(),
              "space",
              arguments.isEmpty() ? "" : String.valueOf(arguments.get(0)));
    }
    return reply;
  }

  /** What a script replied that made room before, and which items had to go before its last run. */
  record Made(Reply reply, List<String> evictedIds) {}

  /**
   * The same for a script that makes room: it removes some items at a time, and is run again while
   * it says MORE.
   */
  CompletionStage<Made> runWithRoom(
      Script script, Partition partition, List<?> arguments, String... about) {
    return runWithRoom(MOST_ROUNDS, new ArrayList<>(), script, partition, arguments, about);
  }

  private CompletionStage<Made> runWithRoom(
      int rounds,
      List<String> evictedIds,
      Script script,
      Partition partition,
      List<?> arguments,
      String... about) {
    return scripts
        .run(script, partition, arguments.toArray())
        .thenCompose(
            elements -> {
              Reply reply = new Reply(elements);
              if (!reply.code().equals("MORE")) {
                return CompletableFuture.completedFuture(
                    new Made(accepted(reply, partition, arguments, about), evictedIds));
              }
              evictedIds.addAll(reply.nested(1).texts(0));
              return rounds > 1
                  ? runWithRoom(rounds - 1, evictedIds, script, partition, arguments, about)
                  : CompletableFuture.completedFuture(
                      new Made(accepted(FULL, partition, arguments, about), evictedIds));
            });
  }

  /** The same for a script about no space in particular. */
  CompletionStage<Reply> runForAll(Script script, Partition partition, List<?> arguments) {
    return scripts
        .run(script, partition, arguments.toArray())
        .thenApply(
            elements -> {
              Reply reply = new Reply(elements);
              if (!reply.ok()) {
                throw refusal(reply).about("namespace", partition.namespace());
              }
              return reply;
            });
  }

  /** The arguments that every write begins with. */
  static List<Object> guarded(Partition partition, String space, Guard guard) {
    List<Object> arguments = new ArrayList<>();
    arguments.add(space);
    addGuard(arguments, partition, guard);
    return arguments;
  }

  /** What guards a write. */
  static void addGuard(List<Object> arguments, Partition partition, Guard guard) {
    arguments.add(Fences.name(partition, guard.fence()));
    arguments.add(guard.fence().getToken());
    arguments.add(guard.requestId());
    arguments.add(guard.digest());
  }

  /** A list as the scripts read it: its length, then its members. */
  static void addList(List<Object> arguments, List<String> list) {
    arguments.add(list.size());
    arguments.addAll(list);
  }

  /** A map as a list of keys and values. */
  static void addMap(List<Object> arguments, Map<String, String> map) {
    arguments.add(2 * map.size());
    map.forEach(
        (key, value) -> {
          arguments.add(key);
          arguments.add(value);
        });
  }

  /** Why a script, or one item of it, changed nothing. */
  static TroupeException refusal(Reply reply) {
    return switch (reply.code()) {
      case "NO_SPACE" ->
          TroupeException.of(ErrorReason.ERROR_REASON_SPACE_NOT_FOUND, "no such memory space");
      case "NO_ITEM" ->
          TroupeException.of(ErrorReason.ERROR_REASON_ITEM_NOT_FOUND, "no such item in the space");
      case "SPACE_EXISTS" ->
          TroupeException.of(
              ErrorReason.ERROR_REASON_SPACE_EXISTS, "there is a memory space of this name");
      case "SPACES" ->
          TroupeException.of(
              ErrorReason.ERROR_REASON_LIMIT_EXCEEDED,
              "too many memory spaces (memory.max-spaces)");
      case "VERSION" ->
          TroupeException.of(
              ErrorReason.ERROR_REASON_VERSION_MISMATCH,
              "it changed since that version",
              Map.of("current_version", reply.text(1)));
      case "EXISTS" ->
          TroupeException.of(
              ErrorReason.ERROR_REASON_ITEM_EXISTS,
              "another item of the space has this content",
              Map.of("item_id", reply.text(1)));
      case "DIMENSION" ->
          TroupeException.of(
                  ErrorReason.ERROR_REASON_DIMENSION_MISMATCH,
                  "the space has embeddings of another dimension")
              .about("dimension", reply.text(1));
      case "FULL" ->
          TroupeException.of(
              ErrorReason.ERROR_REASON_LIMIT_EXCEEDED,
              "the quota of the space leaves no room that may be evicted");
      case "TURN" ->
          TroupeException.of(
              ErrorReason.ERROR_REASON_TURN_MISMATCH,
              "the conversation does not end with that turn",
              Map.of("last_turn", reply.text(1)));
      case "BACK" ->
          TroupeException.of(
              ErrorReason.ERROR_REASON_TURN_MISMATCH,
              "the former summary goes further",
              Map.of("last_turn", reply.text(1)));
      case "STALE_FENCE" -> TroupeException.staleFence(reply.number(1));
      case "REUSED" -> TroupeException.requestIdReused();
      default -> throw new IllegalStateException("unknown reply " + reply.code());
    };
  }
}
