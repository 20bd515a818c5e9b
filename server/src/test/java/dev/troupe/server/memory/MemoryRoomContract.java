package dev.troupe.server.memory;

import static dev.troupe.server.memory.MemoryHarness.text;
import static org.assertj.core.api.Assertions.assertThat;

import com.google.common.util.concurrent.ListenableFuture;
import com.google.protobuf.FieldMask;
import com.google.protobuf.Timestamp;
import dev.troupe.server.grpc.Refusal;
import dev.troupe.v1.AppendTurnsRequest;
import dev.troupe.v1.AppendTurnsResponse;
import dev.troupe.v1.MemoryContent;
import dev.troupe.v1.MemoryFilter;
import dev.troupe.v1.MemoryItem;
import dev.troupe.v1.MemoryPut;
import dev.troupe.v1.MemoryServiceGrpc;
import dev.troupe.v1.MemoryTier;
import dev.troupe.v1.PutMemoriesRequest;
import dev.troupe.v1.PutMemoriesResponse;
import dev.troupe.v1.PutMemoryResponse;
import dev.troupe.v1.PutOutcome;
import dev.troupe.v1.SpaceSettings;
import dev.troupe.v1.Turn;
import dev.troupe.v1.UpdateMemoryRequest;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** What needs more room than one step makes. */
interface MemoryRoomContract extends MemoryContract {

  int QUOTA = 60_000;
  int LARGE = 50_000;
  int MOST_IN_A_STEP = 64;

  private static MemoryPut.Builder sized(String text, int bytes) {
    return text(text + " " + "x".repeat(bytes));
  }

  private PutMemoriesResponse putAll(int items, String text, int bytes, String requestId) {
    PutMemoriesRequest.Builder request =
        PutMemoriesRequest.newBuilder()
            .setNamespace(memory().namespace())
            .setSpace("s")
            .setRequestId(requestId);
    for (int i = 0; i < items; i++) {
      request.addItems(sized(text + i, bytes));
    }
    return memory().a().putMemories(request.build());
  }

  /** Fills a space with items of 200 bytes. */
  private long fill() {
    memory().create("s", SpaceSettings.newBuilder().setMaxBytes(QUOTA));
    assertThat(putAll(350, "small ", 190, "").getOutcomesList()).noneMatch(PutOutcome::hasError);
    long items = memory().space("s").getItems();
    assertThat(items).isGreaterThan(4L * MOST_IN_A_STEP);
    return items;
  }

  private AppendTurnsResponse append(int bytes) {
    return memory()
        .a()
        .appendTurns(
            AppendTurnsRequest.newBuilder()
                .setNamespace(memory().namespace())
                .setSpace("s")
                .setConversation("c")
                .addTurns(Turn.newBuilder().setRole("user").setText("t".repeat(bytes)))
                .build());
  }

  @Test
  default void aFullSpaceTakesALargeTurn() {
    long before = fill();
    AppendTurnsResponse appended = append(LARGE);
    assertThat(appended.getFirstTurn()).isEqualTo(1);
    assertThat(appended.getEvictedList())
        .hasSizeGreaterThan(3 * MOST_IN_A_STEP)
        .doesNotHaveDuplicates();
    assertThat(memory().space("s").getItems()).isEqualTo(before - appended.getEvictedCount());
    assertThat(memory().space("s").getBytes()).isBetween((long) LARGE, (long) QUOTA);
    // It goes no further than it has to.
    assertThat(memory().space("s").getBytes()).isGreaterThan(QUOTA - 300);
  }

  @Test
  default void aFullSpaceTakesALargeItemAndAnUpdateThatMakesOneLarge() {
    long before = fill();
    PutMemoryResponse put = memory().put("s", sized("large", LARGE));
    assertThat(put.getEvictedList()).hasSizeGreaterThan(3 * MOST_IN_A_STEP).doesNotHaveDuplicates();
    assertThat(memory().space("s").getItems()).isEqualTo(before + 1 - put.getEvictedCount());
    assertThat(memory().space("s").getBytes()).isLessThanOrEqualTo(QUOTA);

    putAll(350, "again ", 190, "");
    String id = memory().put("s", text("grows", MemoryTier.MEMORY_TIER_LONG)).getItem().getItemId();
    memory()
        .b()
        .updateMemory(
            UpdateMemoryRequest.newBuilder()
                .setNamespace(memory().namespace())
                .setSpace("s")
                .setItem(
                    MemoryItem.newBuilder()
                        .setItemId(id)
                        .setContent(MemoryContent.newBuilder().setText("y".repeat(LARGE))))
                .setUpdateMask(FieldMask.newBuilder().addPaths("content.text"))
                .build());
    assertThat(memory().peek("s", id).getContent().getText()).hasSize(LARGE);
    assertThat(memory().space("s").getBytes()).isLessThanOrEqualTo(QUOTA);
  }

  @Test
  default void whatPinnedItemsAndTurnsLeaveNoRoomForIsRefusedBeforeAnythingGoes() {
    memory().create("s", SpaceSettings.newBuilder().setMaxBytes(QUOTA));
    for (int i = 0; i < 10; i++) {
      memory().put("s", sized("pinned " + i, 1000).setTier(MemoryTier.MEMORY_TIER_PINNED));
    }
    append(5000);
    putAll(300, "small ", 190, "");
    List<String> before = memory().texts("s", MemoryFilter.newBuilder());
    assertThat(Refusal.of(() -> append(LARGE)).reason()).isEqualTo("LIMIT_EXCEEDED");
    assertThat(Refusal.of(() -> memory().put("s", sized("large", LARGE))).reason())
        .isEqualTo("LIMIT_EXCEEDED");
    assertThat(memory().texts("s", MemoryFilter.newBuilder())).isEqualTo(before);
    append(LARGE - 8000);
  }

  @Test
  default void putsThatShareAScriptEvictNoMoreThanOneMay() throws Exception {
    fill();
    List<ListenableFuture<PutMemoryResponse>> calls = new ArrayList<>();
    for (int i = 0; i < 64; i++) {
      calls.add(
          MemoryServiceGrpc.newFutureStub(memory().channelA())
              .withDeadlineAfter(60, TimeUnit.SECONDS)
              .putMemory(memory().putting("s", sized("medium " + i, 3000)).build()));
    }
    // Time stands still for a script, and no two have the same.
    Map<Timestamp, Integer> evicted = new HashMap<>();
    for (ListenableFuture<PutMemoryResponse> call : calls) {
      PutMemoryResponse put = call.get(60, TimeUnit.SECONDS);
      evicted.merge(put.getItem().getCreateTime(), put.getEvictedCount(), Integer::sum);
    }
    assertThat(evicted.values()).allMatch(count -> count <= MOST_IN_A_STEP);
    assertThat(memory().space("s").getBytes()).isLessThanOrEqualTo(QUOTA);
    assertThat(memory().texts("s", MemoryFilter.newBuilder()))
        .allMatch(text -> text.startsWith("medium"));
  }

  @Test
  default void manyItemsOfOneCallMakeRoomInAsManyStepsAsTheyNeed() {
    fill();
    PutMemoriesResponse put = putAll(40, "medium ", 1200, "r");
    assertThat(put.getOutcomesList()).hasSize(40).noneMatch(PutOutcome::hasError);
    assertThat(put.getEvicted()).isGreaterThan(2 * MOST_IN_A_STEP);
    assertThat(
            memory().texts("s", MemoryFilter.newBuilder()).stream()
                .filter(text -> text.startsWith("medium")))
        .hasSize(40);
    PutMemoriesResponse again = putAll(40, "medium ", 1200, "r");
    assertThat(again.getOutcomesList()).isEqualTo(put.getOutcomesList());
    assertThat(again.getRevision()).isEqualTo(put.getRevision());
  }
}
