package dev.troupe.server.memory;

import static dev.troupe.server.memory.MemoryScripts.guarded;

import com.google.inject.Inject;
import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.util.Timestamps;
import dev.troupe.server.memory.MemoryScripts.Guard;
import dev.troupe.server.redis.Partition;
import dev.troupe.server.redis.Reply;
import dev.troupe.server.redis.Script;
import dev.troupe.v1.AppendTurnsRequest;
import dev.troupe.v1.ConversationInfo;
import dev.troupe.v1.GetWindowRequest;
import dev.troupe.v1.GetWindowResponse;
import dev.troupe.v1.SetSummaryRequest;
import dev.troupe.v1.Summary;
import dev.troupe.v1.Turn;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CompletionStage;

/**
 * The conversations of all memory spaces, in Redis: turns with dense numbers that are only ever
 * appended, and a summary that is compared before it is set. Thread-safe; never blocks. A refusal
 * is a {@code TroupeException} in the stage.
 */
final class ConversationStore {

  private static final Script APPEND = Script.load("memory/append_turns");
  private static final Script WINDOW = Script.load("memory/window");
  private static final Script SUMMARY = Script.load("memory/set_summary");
  private static final Script LIST = Script.load("memory/list_conversations");
  private static final Script DELETE = Script.load("memory/delete_conversation");

  /** With the largest turn behind it, still below the 4 MiB that gRPC clients take. */
  private static final int WINDOW_BYTES = 2 << 20;

  private static final int TURNS = 100;
  private static final int BYTES_PER_TOKEN = 4;
  private static final int FIELDS = 5;
  private static final int EVICTED = 4;

  private final MemoryScripts scripts;
  private final MemoryConfig config;
  private final SpaceDefaults defaults;

  @Inject
  ConversationStore(MemoryScripts scripts, MemoryConfig config, SpaceDefaults defaults) {
    this.scripts = scripts;
    this.config = config;
    this.defaults = defaults;
  }

  /**
   * Where the turns of an append stand.
   *
   * @param evictedIds of the items that had to go for them
   */
  record Appended(long first, long last, long revision, List<String> evictedIds) {}

  /**
   * Appends turns, all of them or none; the space and the conversation begin if need be. Where many
   * items have to go for them, that takes several steps.
   */
  CompletionStage<Appended> append(Partition partition, AppendTurnsRequest request, Guard guard) {
    List<Object> arguments = guarded(partition, request.getSpace(), guard);
    arguments.add(config.maxSpaces());
    defaults.addUntouched(arguments);
    arguments.addAll(
        List.of(
            request.getConversation(),
            request.hasExpectedLastTurn() ? request.getExpectedLastTurn() : "",
            config.maxTurns()));
    for (Turn turn : request.getTurnsList()) {
      int tokens = turn.getTokens() == 0 ? tokens(turn.getTextBytes()) : turn.getTokens();
      arguments.add(tokens);
      arguments.add(
          turn.toBuilder().setTokens(tokens).clearNumber().clearTime().build().toByteArray());
    }
    return scripts
        .runWithRoom(APPEND, partition, arguments, "conversation", request.getConversation())
        .thenApply(
            made -> {
              Reply reply = made.reply();
              List<String> evictedIds = new ArrayList<>(made.evictedIds());
              // An answer that is repeated may be from before it told them.
              if (reply.size() > EVICTED) {
                evictedIds.addAll(reply.nested(EVICTED).texts(0));
              }
              return new Appended(reply.number(2), reply.number(3), reply.number(1), evictedIds);
            });
  }

  private static int tokens(ByteString text) {
    return (text.size() + BYTES_PER_TOKEN - 1) / BYTES_PER_TOKEN;
  }

  /** The last turns, oldest first. */
  CompletionStage<GetWindowResponse> window(Partition partition, GetWindowRequest request) {
    List<Object> arguments =
        List.of(
            request.getSpace(),
            request.getConversation(),
            request.getMaxTurns() == 0 ? TURNS : request.getMaxTurns(),
            request.getMaxTokens(),
            request.getBeforeTurn(),
            request.getAfterSummary() ? "1" : "0",
            WINDOW_BYTES);
    return scripts
        .run(WINDOW, partition, arguments, "conversation", request.getConversation())
        .thenApply(ConversationStore::window);
  }

  private static GetWindowResponse window(Reply reply) {
    GetWindowResponse.Builder window =
        GetWindowResponse.newBuilder()
            .setLastTurn(reply.number(1))
            .setFirstTurn(reply.number(2))
            .setTokens(reply.number(3))
            .setTruncated(reply.number(4) == 1);
    List<Turn> turns = new ArrayList<>();
    try {
      if (!reply.bytes(5).isEmpty()) {
        window.setSummary(Summary.parseFrom(reply.bytes(5)));
      }
      for (int i = 6; i < reply.size(); i++) {
        turns.add(Turn.parseFrom(reply.bytes(i)));
      }
    } catch (InvalidProtocolBufferException e) {
      throw new IllegalStateException("a stored turn cannot be read", e);
    }
    Collections.reverse(turns);
    return window.addAllTurns(turns).build();
  }

  /** A summary that was set. */
  record Set(Summary summary, long revision) {}

  /** Sets the summary, if the one that stands is of the version that the request names. */
  CompletionStage<Set> setSummary(Partition partition, SetSummaryRequest request, Guard guard) {
    List<Object> arguments = guarded(partition, request.getSpace(), guard);
    arguments.addAll(
        List.of(
            request.getConversation(),
            request.getLastTurn(),
            request.getExpectedVersion(),
            request.hasKeepTurns() ? request.getKeepTurns() : "",
            tokens(request.getTextBytes()),
            Summary.newBuilder()
                .setText(request.getText())
                .setLastTurn(request.getLastTurn())
                .build()
                .toByteArray()));
    return scripts
        .run(SUMMARY, partition, arguments, "conversation", request.getConversation())
        .thenApply(
            reply -> {
              try {
                return new Set(Summary.parseFrom(reply.bytes(2)), reply.number(1));
              } catch (InvalidProtocolBufferException e) {
                throw new IllegalStateException("a stored summary cannot be read", e);
              }
            });
  }

  /** Some conversations by name; {@code next} is the place to go on, empty at the end. */
  record Page(List<ConversationInfo> conversations, String next) {}

  /** Lists conversations, from behind a name on. */
  CompletionStage<Page> list(
      Partition partition, String space, String prefix, String after, int most) {
    return scripts
        .run(LIST, partition, List.of(space, prefix, after, most))
        .thenApply(
            reply -> {
              List<ConversationInfo> found = new ArrayList<>();
              for (int i = 2; i < reply.size(); i += FIELDS) {
                found.add(
                    ConversationInfo.newBuilder()
                        .setConversation(reply.text(i))
                        .setLastTurn(reply.number(i + 1))
                        .setFirstTurn(reply.number(i + 2))
                        .setUpdateTime(Timestamps.fromMicros(reply.number(i + 3)))
                        .setExpireTime(Timestamps.fromMicros(reply.number(i + 4)))
                        .build());
              }
              return new Page(found, reply.text(1));
            });
  }

  /** Whether there was one to delete. */
  record Deleted(boolean there, long revision) {}

  /** Deletes a conversation. */
  CompletionStage<Deleted> delete(
      Partition partition, String space, String conversation, Guard guard) {
    List<Object> arguments = guarded(partition, space, guard);
    arguments.add(conversation);
    return scripts
        .run(DELETE, partition, arguments, "conversation", conversation)
        .thenApply(reply -> new Deleted(reply.number(2) == 1, reply.number(1)));
  }
}
