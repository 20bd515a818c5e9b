package dev.troupe.server.memory;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.FieldMask;
import com.google.protobuf.Struct;
import com.google.protobuf.Value;
import com.google.protobuf.util.Durations;
import dev.troupe.server.grpc.Refusal;
import dev.troupe.v1.AppendTurnsRequest;
import dev.troupe.v1.AppendTurnsResponse;
import dev.troupe.v1.ConversationInfo;
import dev.troupe.v1.DeleteConversationRequest;
import dev.troupe.v1.DeleteSpaceRequest;
import dev.troupe.v1.GetWindowRequest;
import dev.troupe.v1.GetWindowResponse;
import dev.troupe.v1.ListConversationsRequest;
import dev.troupe.v1.SetSummaryRequest;
import dev.troupe.v1.SetSummaryResponse;
import dev.troupe.v1.SpaceSettings;
import dev.troupe.v1.Turn;
import dev.troupe.v1.UpdateSpaceRequest;
import io.grpc.Status;
import org.junit.jupiter.api.Test;

/** Conversations: turns are appended, windows read, summaries compared and set. */
interface ConversationContract extends MemoryContract {

  private AppendTurnsRequest.Builder turns(String conversation, String... texts) {
    AppendTurnsRequest.Builder request =
        AppendTurnsRequest.newBuilder()
            .setNamespace(memory().namespace())
            .setSpace("s")
            .setConversation(conversation);
    for (String text : texts) {
      request.addTurns(Turn.newBuilder().setRole("user").setText(text));
    }
    return request;
  }

  private GetWindowRequest.Builder window() {
    return GetWindowRequest.newBuilder()
        .setNamespace(memory().namespace())
        .setSpace("s")
        .setConversation("c");
  }

  private SetSummaryRequest.Builder summary(String text, long lastTurn, long version) {
    return SetSummaryRequest.newBuilder()
        .setNamespace(memory().namespace())
        .setSpace("s")
        .setConversation("c")
        .setText(text)
        .setLastTurn(lastTurn)
        .setExpectedVersion(version);
  }

  @Test
  default void turnsGetNumbersAndComeBackInOrder() {
    Struct data =
        Struct.newBuilder()
            .putFields("tool", Value.newBuilder().setStringValue("grep").build())
            .build();
    AppendTurnsRequest.Builder first = turns("c", "hello", "world");
    first.getTurnsBuilder(1).setData(data).putAttributes("k", "v").setTokens(7);
    AppendTurnsResponse appended = memory().a().appendTurns(first.build());
    assertThat(appended.getFirstTurn()).isEqualTo(1);
    assertThat(appended.getLastTurn()).isEqualTo(2);
    memory().b().appendTurns(turns("c", "three").setExpectedLastTurn(2).build());
    GetWindowResponse window = memory().b().getWindow(window().build());
    assertThat(window.getTurnsList())
        .extracting(Turn::getText)
        .containsExactly("hello", "world", "three");
    assertThat(window.getTurnsList()).extracting(Turn::getNumber).containsExactly(1L, 2L, 3L);
    assertThat(window.getTurnsList()).extracting(Turn::getTokens).containsExactly(2, 7, 2);
    assertThat(window.getTurns(1).getData()).isEqualTo(data);
    assertThat(window.getTurns(1).getAttributesMap()).containsEntry("k", "v");
    assertThat(window.getTurns(0).hasTime()).isTrue();
    assertThat(window.getTokens()).isEqualTo(11);
    assertThat(window.getLastTurn()).isEqualTo(3);
    assertThat(window.getTruncated()).isFalse();
    assertThat(window.hasSummary()).isFalse();
  }

  @Test
  default void anAppendToAnUnexpectedEndIsRefused() {
    memory().a().appendTurns(turns("c", "1").setExpectedLastTurn(0).build());
    Refusal refusal =
        Refusal.of(() -> memory().b().appendTurns(turns("c", "2").setExpectedLastTurn(0).build()));
    assertThat(refusal.code()).isEqualTo(Status.Code.ABORTED);
    assertThat(refusal.reason()).isEqualTo("TURN_MISMATCH");
    assertThat(refusal.metadata()).containsEntry("last_turn", "1");
  }

  @Test
  default void aRepeatedAppendGetsTheFirstAnswer() {
    AppendTurnsRequest request = turns("c", "1", "2").setRequestId("r").build();
    AppendTurnsResponse first = memory().a().appendTurns(request);
    memory().a().appendTurns(turns("c", "3").build());
    assertThat(memory().b().appendTurns(request)).isEqualTo(first);
    assertThat(memory().b().getWindow(window().build()).getLastTurn()).isEqualTo(3);
  }

  @Test
  default void aWindowEndsAtTurnsOrTokens() {
    for (int i = 1; i <= 200; i++) {
      memory().a().appendTurns(turns("c", "turn " + i + " of some length").build());
    }
    GetWindowResponse byTurns = memory().b().getWindow(window().setMaxTurns(5).build());
    assertThat(byTurns.getTurnsList())
        .extracting(Turn::getNumber)
        .containsExactly(196L, 197L, 198L, 199L, 200L);
    assertThat(byTurns.getTruncated()).isTrue();
    int each = byTurns.getTurns(0).getTokens();
    GetWindowResponse byTokens = memory().b().getWindow(window().setMaxTokens(3 * each).build());
    assertThat(byTokens.getTurnsList()).hasSize(3);
    assertThat(byTokens.getTokens()).isEqualTo(3 * each);
    assertThat(memory().b().getWindow(window().setMaxTokens(1).build()).getTurnsList()).hasSize(1);
    GetWindowResponse before =
        memory().b().getWindow(window().setMaxTurns(100).setBeforeTurn(196).build());
    assertThat(before.getTurnsList()).hasSize(100);
    assertThat(before.getTurns(99).getNumber()).isEqualTo(195);
    assertThat(
            memory()
                .b()
                .getWindow(window().setMaxTurns(1000).setBeforeTurn(96).build())
                .getTruncated())
        .isFalse();
  }

  @Test
  default void aSummaryIsComparedBeforeItIsSet() {
    memory().a().appendTurns(turns("c", "1", "2", "3", "4").build());
    SetSummaryResponse set = memory().a().setSummary(summary("so far", 2, 0).build());
    assertThat(set.getSummary().getVersion()).isEqualTo(1);
    GetWindowResponse window = memory().b().getWindow(window().setAfterSummary(true).build());
    assertThat(window.getSummary().getText()).isEqualTo("so far");
    assertThat(window.getSummary().getLastTurn()).isEqualTo(2);
    assertThat(window.getTurnsList()).extracting(Turn::getText).containsExactly("3", "4");
    Refusal stale = Refusal.of(() -> memory().b().setSummary(summary("other", 3, 0).build()));
    assertThat(stale.reason()).isEqualTo("VERSION_MISMATCH");
    assertThat(stale.metadata()).containsEntry("current_version", "1");
    Refusal ahead = Refusal.of(() -> memory().b().setSummary(summary("other", 5, 1).build()));
    assertThat(ahead.reason()).isEqualTo("TURN_MISMATCH");
    Refusal back = Refusal.of(() -> memory().b().setSummary(summary("other", 1, 1).build()));
    assertThat(back.reason()).isEqualTo("TURN_MISMATCH");
    SetSummaryRequest next = summary("more", 4, 1).setKeepTurns(1).setRequestId("r").build();
    SetSummaryResponse second = memory().b().setSummary(next);
    assertThat(memory().a().setSummary(next)).isEqualTo(second);
    GetWindowResponse rest = memory().a().getWindow(window().build());
    assertThat(rest.getTurnsList()).extracting(Turn::getText).containsExactly("4");
    assertThat(rest.getFirstTurn()).isEqualTo(4);
    assertThat(rest.getSummary().getVersion()).isEqualTo(2);
    assertThat(memory().a().appendTurns(turns("c", "5").build()).getFirstTurn()).isEqualTo(5);
  }

  @Test
  default void aSummaryNeitherShortensNorProlongsAConversation() {
    memory().a().appendTurns(turns("c", "1").build());
    ConversationInfo before = listed();
    memory()
        .a()
        .updateSpace(
            UpdateSpaceRequest.newBuilder()
                .setNamespace(memory().namespace())
                .setSpace("s")
                .setSettings(
                    SpaceSettings.newBuilder().setConversationLifetime(Durations.fromSeconds(20)))
                .setUpdateMask(FieldMask.newBuilder().addPaths("conversation_lifetime"))
                .build());
    memory().a().setSummary(summary("all so far", 1, 0).build());
    assertThat(listed().getExpireTime()).isEqualTo(before.getExpireTime());
  }

  private ConversationInfo listed() {
    return memory()
        .b()
        .listConversations(
            ListConversationsRequest.newBuilder()
                .setNamespace(memory().namespace())
                .setSpace("s")
                .build())
        .getConversations(0);
  }

  @Test
  default void conversationsAreListedAndDeleted() {
    for (String name : new String[] {"b", "a", "ab", "c"}) {
      memory().a().appendTurns(turns(name, "x").build());
    }
    ListConversationsRequest.Builder list =
        ListConversationsRequest.newBuilder()
            .setNamespace(memory().namespace())
            .setSpace("s")
            .setPageSize(1);
    var first = memory().b().listConversations(list.setPrefix("a").build());
    assertThat(first.getConversationsList())
        .extracting(ConversationInfo::getConversation)
        .containsExactly("a");
    var second =
        memory().b().listConversations(list.setPageToken(first.getNextPageToken()).build());
    assertThat(second.getConversationsList())
        .extracting(ConversationInfo::getConversation)
        .containsExactly("ab");
    assertThat(second.getConversations(0).getLastTurn()).isEqualTo(1);
    DeleteConversationRequest delete =
        DeleteConversationRequest.newBuilder()
            .setNamespace(memory().namespace())
            .setSpace("s")
            .setConversation("a")
            .build();
    assertThat(memory().b().deleteConversation(delete).getDeleted()).isTrue();
    assertThat(memory().b().deleteConversation(delete).getDeleted()).isFalse();
    memory()
        .a()
        .deleteSpace(
            DeleteSpaceRequest.newBuilder()
                .setNamespace(memory().namespace())
                .setSpace("s")
                .build());
    assertThat(Refusal.of(() -> memory().a().getWindow(window().build())).reason())
        .isEqualTo("SPACE_NOT_FOUND");
    memory().a().appendTurns(turns("c", "anew").build());
    assertThat(memory().b().getWindow(window().build()).getTurnsList())
        .extracting(Turn::getText)
        .containsExactly("anew");
  }

  @Test
  default void badTurnsAreToldAllAtOnce() {
    Refusal refusal =
        Refusal.of(
            () ->
                memory()
                    .a()
                    .appendTurns(
                        AppendTurnsRequest.newBuilder()
                            .setNamespace(memory().namespace())
                            .addTurns(Turn.newBuilder().setTokens(-1))
                            .setExpectedLastTurn(-1)
                            .build()));
    assertThat(refusal.fields())
        .containsOnlyKeys(
            "space", "conversation", "turns[0].role", "turns[0].tokens", "expected_last_turn");
  }
}
