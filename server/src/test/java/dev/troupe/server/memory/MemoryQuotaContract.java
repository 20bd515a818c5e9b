package dev.troupe.server.memory;

import static dev.troupe.server.memory.MemoryHarness.text;
import static dev.troupe.server.memory.MemoryHarness.until;
import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.FieldMask;
import com.google.protobuf.util.Durations;
import dev.troupe.server.grpc.Refusal;
import dev.troupe.v1.MemoryFilter;
import dev.troupe.v1.MemoryTier;
import dev.troupe.v1.PutMemoryResponse;
import dev.troupe.v1.SpaceSettings;
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
