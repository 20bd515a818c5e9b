package dev.troupe.server.memory;

import dev.troupe.server.grpc.Checks;
import dev.troupe.v1.AppendTurnsRequest;
import dev.troupe.v1.DeleteConversationRequest;
import dev.troupe.v1.GetWindowRequest;
import dev.troupe.v1.ListConversationsRequest;
import dev.troupe.v1.SetSummaryRequest;
import dev.troupe.v1.Turn;

/** The limits of conversations, checked at the door. */
final class ConversationChecks {

  private static final int TEXT_BYTES = 64 << 10;
  private static final int APPEND_BYTES = 1 << 20;
  private static final int MOST_TURNS = 64;
  private static final int MOST_WINDOW = 1000;
  private static final int MOST_TOKENS = 1_000_000;
  private static final int MOST_ATTRIBUTES = 32;

  private ConversationChecks() {}

  private static Checks in(String namespace, String space, String conversation) {
    return new Checks()
        .namespace(namespace)
        .name("space", space)
        .name("conversation", conversation);
  }

  static void append(AppendTurnsRequest request) {
    Checks checks =
        in(request.getNamespace(), request.getSpace(), request.getConversation())
            .that(request.getTurnsCount() > 0, "turns", "required")
            .atMost("turns", request.getTurnsCount(), MOST_TURNS)
            .bytes("turns", request.getSerializedSize(), APPEND_BYTES)
            .that(request.getExpectedLastTurn() >= 0, "expected_last_turn", "expected 0 or more")
            .requestId(request.getRequestId())
            .fence(request.hasFence(), request.getFence());
    for (int i = 0; i < Math.min(request.getTurnsCount(), MOST_TURNS); i++) {
      turn(checks, "turns[" + i + "].", request.getTurns(i));
    }
    checks.done();
  }

  private static void turn(Checks checks, String at, Turn turn) {
    checks
        .name(at + "role", turn.getRole())
        .bytes(at + "text", turn.getTextBytes().size(), TEXT_BYTES)
        .bytes(at + "data", turn.getData().getSerializedSize(), TEXT_BYTES)
        .depth(at + "data", turn.getData())
        .range(at + "tokens", turn.getTokens(), 0, MOST_TOKENS)
        .labels(at + "attributes", turn.getAttributesMap(), MOST_ATTRIBUTES);
  }

  static void window(GetWindowRequest request) {
    in(request.getNamespace(), request.getSpace(), request.getConversation())
        .range("max_turns", request.getMaxTurns(), 0, MOST_WINDOW)
        .that(request.getMaxTokens() >= 0, "max_tokens", "expected 0 or more")
        .that(request.getBeforeTurn() >= 0, "before_turn", "expected 0 or more")
        .done();
  }

  static void summary(SetSummaryRequest request) {
    in(request.getNamespace(), request.getSpace(), request.getConversation())
        .that(!request.getText().isEmpty(), "text", "required")
        .bytes("text", request.getTextBytes().size(), TEXT_BYTES)
        .that(request.getLastTurn() > 0, "last_turn", "expected a number above 0")
        .that(request.getExpectedVersion() >= 0, "expected_version", "expected 0 or more")
        .that(request.getKeepTurns() >= 0, "keep_turns", "expected 0 or more")
        .requestId(request.getRequestId())
        .fence(request.hasFence(), request.getFence())
        .done();
  }

  static void list(ListConversationsRequest request) {
    SpaceChecks.page(
            new Checks()
                .namespace(request.getNamespace())
                .name("space", request.getSpace())
                .optionalName("prefix", request.getPrefix()),
            request.getPageSize())
        .done();
  }

  static void delete(DeleteConversationRequest request) {
    in(request.getNamespace(), request.getSpace(), request.getConversation())
        .requestId(request.getRequestId())
        .fence(request.hasFence(), request.getFence())
        .done();
  }
}
