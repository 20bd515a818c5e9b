package dev.troupe.server.memory;

import static dev.troupe.server.memory.MemoryHarness.text;
import static dev.troupe.server.memory.MemoryHarness.until;
import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.FieldMask;
import com.google.protobuf.util.Durations;
import dev.troupe.server.grpc.Refusal;
import dev.troupe.v1.AppendTurnsRequest;
import dev.troupe.v1.AppendTurnsResponse;
import dev.troupe.v1.DeleteConversationRequest;
import dev.troupe.v1.GetWindowRequest;
import dev.troupe.v1.MemoryFilter;
import dev.troupe.v1.MemoryItem;
import dev.troupe.v1.MemoryPut;
import dev.troupe.v1.MemorySpace;
import dev.troupe.v1.MemoryTier;
import dev.troupe.v1.PutMemoryResponse;
import dev.troupe.v1.SetSummaryRequest;
import dev.troupe.v1.SpaceSettings;
import dev.troupe.v1.Turn;
import dev.troupe.v1.UpdateSpaceRequest;
import io.grpc.Status;
import org.junit.jupiter.api.Test;

/** How much a space may hold, and what goes first. */
interface MemoryQuotaContract extends MemoryContract {

  @Test
  default void whatMattersLeastGoesFirst() {
    memory().create("s", SpaceSettings.newBuilder().setMaxItems(6));
    memory().put("s", text("pinned", MemoryTier.MEMORY_TIER_PINNED).setImportance(0));
    memory().put("s", text("long", MemoryTier.MEMORY_TIER_LONG).setImportance(0));
    memory().put("s", text("working", MemoryTier.MEMORY_TIER_WORKING).setImportance(0));
    memory().put("s", text("important").setImportance(0.9f));
    String old = memory().put("s", text("old").setImportance(0.4f)).getItem().getItemId();
    memory().put("s", text("new").setImportance(0.4f));
    // A read makes it the one that was used last.
    memory().a().getMemory(memory().getting("s", old).build());
    String[] order = {"new", "old", "important"};
    for (int i = 0; i < order.length; i++) {
      int before = i;
      PutMemoryResponse put =
          memory().put("s", text("keep " + i, MemoryTier.MEMORY_TIER_LONG).setImportance(1));
      assertThat(put.getEvictedList()).hasSize(1);
      assertThat(memory().texts("s", MemoryFilter.newBuilder()))
          .as("after %s puts", before + 1)
          .doesNotContain(order[before])
          .hasSize(6);
    }
    memory().put("s", text("keep 3", MemoryTier.MEMORY_TIER_LONG).setImportance(1));
    assertThat(memory().texts("s", MemoryFilter.newBuilder()))
        .containsExactly("pinned", "long", "keep 0", "keep 1", "keep 2", "keep 3");
    memory().put("s", text("keep 4", MemoryTier.MEMORY_TIER_LONG).setImportance(1));
    assertThat(memory().texts("s", MemoryFilter.newBuilder())).doesNotContain("long");
  }

  @Test
  default void whatEndedGoesBeforeAnythingElse() {
    memory().create("s", SpaceSettings.newBuilder().setMaxItems(2));
    String brief =
        memory()
            .put("s", text("brief").setImportance(1).setLifetime(Durations.fromSeconds(1)))
            .getItem()
            .getItemId();
    memory().put("s", text("stays").setImportance(0));
    until(
        () -> {
          try {
            memory().peek("s", brief);
            return false;
          } catch (io.grpc.StatusRuntimeException e) {
            return true;
          }
        });
    PutMemoryResponse put = memory().put("s", text("third"));
    assertThat(put.getEvictedList()).isEmpty();
    assertThat(memory().texts("s", MemoryFilter.newBuilder())).containsExactly("stays", "third");
  }

  @Test
  default void pinnedItemsAreNeverEvicted() {
    memory().create("s", SpaceSettings.newBuilder().setMaxItems(2));
    memory().put("s", text("1", MemoryTier.MEMORY_TIER_PINNED));
    memory().put("s", text("2", MemoryTier.MEMORY_TIER_PINNED));
    Refusal refusal = Refusal.of(() -> memory().put("s", text("3")));
    assertThat(refusal.code()).isEqualTo(Status.Code.RESOURCE_EXHAUSTED);
    assertThat(refusal.reason()).isEqualTo("LIMIT_EXCEEDED");
    assertThat(memory().texts("s", MemoryFilter.newBuilder())).containsExactly("1", "2");
  }

  @Test
  default void bytesCountToo() {
    memory().create("s", SpaceSettings.newBuilder().setMaxBytes(10_000));
    for (int i = 0; i < 10; i++) {
      memory().put("s", text(i + "x".repeat(3000)));
    }
    assertThat(memory().space("s").getBytes()).isBetween(9000L, 10_000L);
    assertThat(memory().texts("s", MemoryFilter.newBuilder()))
        .extracting(text -> text.charAt(0))
        .containsExactly('7', '8', '9');
    Refusal tooLarge = Refusal.of(() -> memory().put("s", text("x".repeat(11_000))));
    assertThat(tooLarge.reason()).isEqualTo("LIMIT_EXCEEDED");
    assertThat(memory().space("s").getItems()).isEqualTo(3);
  }

  private static MemoryPut.Builder large(String text, MemoryTier tier) {
    return text(text + "x".repeat(4000), tier).setImportance(0.2f);
  }

  private static MemoryPut.Builder withAttributes(MemoryPut.Builder item, int count) {
    for (int i = 0; i < count; i++) {
      item.putAttributes("k" + i, "v".repeat(200));
    }
    return item;
  }

  @Test
  default void whatADuplicateAddsMakesRoomToo() {
    memory().create("s", SpaceSettings.newBuilder().setMaxBytes(10_000));
    memory().put("s", large("first", MemoryTier.MEMORY_TIER_LONG));
    String second =
        memory().put("s", large("second", MemoryTier.MEMORY_TIER_SHORT)).getItem().getItemId();
    PutMemoryResponse merged =
        memory().put("s", withAttributes(large("first", MemoryTier.MEMORY_TIER_LONG), 8));
    assertThat(merged.getDuplicate()).isTrue();
    assertThat(merged.getEvictedList()).containsExactly(second);
    assertThat(merged.getItem().getAttributesCount()).isEqualTo(8);
    assertThat(memory().space("s").getBytes()).isBetween(7000L, 10_000L);
    assertThat(memory().texts("s", MemoryFilter.newBuilder())).hasSize(1);
  }

  @Test
  default void aDuplicateThatWouldPassTheQuotaIsRefusedAndChangesNothing() {
    memory().create("s", SpaceSettings.newBuilder().setMaxBytes(10_000));
    memory().put("s", large("other", MemoryTier.MEMORY_TIER_PINNED));
    MemoryItem before = memory().put("s", large("item", MemoryTier.MEMORY_TIER_SHORT)).getItem();
    Refusal refusal =
        Refusal.of(
            () ->
                memory()
                    .put(
                        "s",
                        withAttributes(large("item", MemoryTier.MEMORY_TIER_LONG), 8)
                            .addTags("new")));
    assertThat(refusal.code()).isEqualTo(Status.Code.RESOURCE_EXHAUSTED);
    assertThat(refusal.reason()).isEqualTo("LIMIT_EXCEEDED");
    MemoryItem after = memory().peek("s", before.getItemId());
    assertThat(after.toBuilder().clearContent().build()).isEqualTo(before);
    assertThat(memory().space("s").getItems()).isEqualTo(2);
  }

  private AppendTurnsRequest.Builder turns(int count, int bytes) {
    AppendTurnsRequest.Builder request =
        AppendTurnsRequest.newBuilder()
            .setNamespace(memory().namespace())
            .setSpace("s")
            .setConversation("c");
    for (int i = 0; i < count; i++) {
      request.addTurns(Turn.newBuilder().setRole("user").setText("t".repeat(bytes)));
    }
    return request;
  }

  private long lastTurn() {
    return memory()
        .b()
        .getWindow(
            GetWindowRequest.newBuilder()
                .setNamespace(memory().namespace())
                .setSpace("s")
                .setConversation("c")
                .build())
        .getLastTurn();
  }

  @Test
  default void turnsCountAndItemsGoForThem() {
    memory().create("s", SpaceSettings.newBuilder().setMaxBytes(10_000));
    memory().put("s", large("pinned", MemoryTier.MEMORY_TIER_PINNED));
    String brief =
        memory().put("s", large("brief", MemoryTier.MEMORY_TIER_SHORT)).getItem().getItemId();
    AppendTurnsResponse appended = memory().a().appendTurns(turns(3, 1500).build());
    assertThat(appended.getEvictedList()).containsExactly(brief);
    MemorySpace space = memory().space("s");
    assertThat(space.getConversationBytes()).isBetween(4500L, 4700L);
    assertThat(space.getBytes()).isBetween(8500L, 9000L);

    Refusal refusal = Refusal.of(() -> memory().a().appendTurns(turns(1, 3000).build()));
    assertThat(refusal.code()).isEqualTo(Status.Code.RESOURCE_EXHAUSTED);
    assertThat(refusal.reason()).isEqualTo("LIMIT_EXCEEDED");
    assertThat(lastTurn()).isEqualTo(3);
    assertThat(memory().space("s").toBuilder().clearIndex().build())
        .isEqualTo(space.toBuilder().clearIndex().build());
    // Turns do not go for items.
    Refusal put = Refusal.of(() -> memory().put("s", large("brief", MemoryTier.MEMORY_TIER_SHORT)));
    assertThat(put.reason()).isEqualTo("LIMIT_EXCEEDED");

    memory()
        .a()
        .deleteConversation(
            DeleteConversationRequest.newBuilder()
                .setNamespace(memory().namespace())
                .setSpace("s")
                .setConversation("c")
                .build());
    assertThat(memory().space("s").getConversationBytes()).isZero();
    memory().put("s", large("brief", MemoryTier.MEMORY_TIER_SHORT));
  }

  @Test
  default void aSummaryMakesRoomHoweverFullItIs() {
    memory().create("s", SpaceSettings.newBuilder().setMaxBytes(100_000));
    for (int i = 0; i < 14; i++) {
      memory().a().appendTurns(turns(60, 80).build());
    }
    long full = memory().space("s").getConversationBytes();
    assertThat(full).isBetween(85_000L, 100_000L);
    memory()
        .b()
        .setSummary(
            SetSummaryRequest.newBuilder()
                .setNamespace(memory().namespace())
                .setSpace("s")
                .setConversation("c")
                .setText("s".repeat(20_000))
                .setLastTurn(840)
                .setKeepTurns(10)
                .build());
    until(() -> memory().space("s").getConversationBytes() < 22_000);
    assertThat(memory().space("s").getConversationBytes()).isGreaterThan(20_000);
    memory().a().appendTurns(turns(60, 80).build());
    assertThat(lastTurn()).isEqualTo(900);
  }

  @Test
  default void itemsGoForASummaryInSteps() {
    memory().create("s", SpaceSettings.newBuilder().setMaxBytes(10_000));
    memory().a().appendTurns(turns(1, 100).build());
    memory().put("s", large("one", MemoryTier.MEMORY_TIER_SHORT));
    memory().put("s", large("two", MemoryTier.MEMORY_TIER_SHORT));
    memory()
        .b()
        .setSummary(
            SetSummaryRequest.newBuilder()
                .setNamespace(memory().namespace())
                .setSpace("s")
                .setConversation("c")
                .setText("s".repeat(5000))
                .setLastTurn(1)
                .build());
    until(() -> memory().space("s").getBytes() <= 10_000);
    assertThat(memory().texts("s", MemoryFilter.newBuilder()))
        .singleElement()
        .asString()
        .startsWith("two");
  }

  @Test
  default void aSmallerQuotaIsReachedInSteps() {
    for (int i = 0; i < 100; i++) {
      memory().put("s", text("item " + i));
    }
    memory()
        .b()
        .updateSpace(
            UpdateSpaceRequest.newBuilder()
                .setNamespace(memory().namespace())
                .setSpace("s")
                .setSettings(SpaceSettings.newBuilder().setMaxItems(10))
                .setUpdateMask(FieldMask.newBuilder().addPaths("max_items"))
                .build());
    until(() -> memory().space("s").getItems() == 10);
    assertThat(memory().texts("s", MemoryFilter.newBuilder())).startsWith("item 90").hasSize(10);
  }
}
