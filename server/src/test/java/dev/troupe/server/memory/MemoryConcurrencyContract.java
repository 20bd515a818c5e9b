package dev.troupe.server.memory;

import static dev.troupe.server.memory.MemoryHarness.text;
import static org.assertj.core.api.Assertions.assertThat;

import com.google.common.util.concurrent.ListenableFuture;
import com.google.protobuf.FieldMask;
import dev.troupe.server.grpc.Refusal;
import dev.troupe.v1.AppendTurnsRequest;
import dev.troupe.v1.AppendTurnsResponse;
import dev.troupe.v1.Fence;
import dev.troupe.v1.GetWindowRequest;
import dev.troupe.v1.GetWindowResponse;
import dev.troupe.v1.MemoryContent;
import dev.troupe.v1.MemoryFilter;
import dev.troupe.v1.MemoryItem;
import dev.troupe.v1.MemoryPut;
import dev.troupe.v1.MemoryServiceGrpc;
import dev.troupe.v1.MemoryServiceGrpc.MemoryServiceFutureStub;
import dev.troupe.v1.MemoryTier;
import dev.troupe.v1.PutMemoryResponse;
import dev.troupe.v1.SpaceSettings;
import dev.troupe.v1.Turn;
import dev.troupe.v1.UpdateMemoryRequest;
import dev.troupe.v1.UpdateMemoryResponse;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** Many who write at once, through two servers. */
interface MemoryConcurrencyContract extends MemoryContract {

  int WRITERS = 64;

  private MemoryServiceFutureStub stub(int writer) {
    return MemoryServiceGrpc.newFutureStub(
            writer % 2 == 0 ? memory().channelA() : memory().channelB())
        .withDeadlineAfter(60, TimeUnit.SECONDS);
  }

  @Test
  default void manyWritersLoseNothingAndPutNoContentTwice() throws Exception {
    int each = 20;
    List<ListenableFuture<PutMemoryResponse>> calls = new ArrayList<>();
    for (int round = 0; round < each; round++) {
      for (int writer = 0; writer < WRITERS; writer++) {
        // Every second content is the same for all of them.
        String content = round % 2 == 0 ? "shared " + round : "own " + writer + " " + round;
        calls.add(
            stub(writer)
                .putMemory(memory().putting("s", text(content).addTags("w" + writer)).build()));
      }
    }
    int added = 0;
    int merged = 0;
    for (ListenableFuture<PutMemoryResponse> call : calls) {
      if (call.get(60, TimeUnit.SECONDS).getDuplicate()) {
        merged++;
      } else {
        added++;
      }
    }
    int expected = each / 2 + each / 2 * WRITERS;
    assertThat(added).isEqualTo(expected);
    assertThat(merged).isEqualTo(each / 2 * (WRITERS - 1));
    List<MemoryItem> items = memory().list("s", MemoryFilter.newBuilder(), 500);
    assertThat(items).hasSize(expected);
    Set<String> hashes = new HashSet<>();
    for (MemoryItem item : items) {
      assertThat(hashes.add(item.getContentHash())).isTrue();
      if (item.getContent().getText().startsWith("shared")) {
        assertThat(item.getTagsList()).hasSize(WRITERS);
        assertThat(item.getMergeCount()).isEqualTo(WRITERS - 1);
        assertThat(item.getVersion()).isEqualTo(WRITERS);
      }
    }
    assertThat(memory().space("s").getItems()).isEqualTo(expected);
  }

  @Test
  default void ofPutsThatShareAScriptEachHasItsOwnAnswer() throws Exception {
    MemoryContent.Builder wrong = MemoryContent.newBuilder().addEmbedding(1);
    memory().create("full", SpaceSettings.newBuilder().setMaxItems(1));
    memory().put("full", text("pinned", MemoryTier.MEMORY_TIER_PINNED));
    memory().create("three", SpaceSettings.newBuilder().setDimension(3));
    Fence fence = Fence.newBuilder().setName("f").setToken(7).build();
    // On one Redis they live in one partition, and so share scripts.
    for (String space : List.of("full", "three", "good")) {
      memory().a().putMemory(memory().putting(space, text("pinned")).setFence(fence).build());
    }
    List<ListenableFuture<PutMemoryResponse>> good = new ArrayList<>();
    List<ListenableFuture<PutMemoryResponse>> repeated = new ArrayList<>();
    List<ListenableFuture<PutMemoryResponse>> full = new ArrayList<>();
    List<ListenableFuture<PutMemoryResponse>> otherDimension = new ArrayList<>();
    List<ListenableFuture<PutMemoryResponse>> stale = new ArrayList<>();
    for (int i = 0; i < WRITERS; i++) {
      MemoryServiceFutureStub stub = stub(i);
      good.add(stub.putMemory(memory().putting("good", text("item " + i)).build()));
      repeated.add(
          stub.putMemory(memory().putting("good", text("once")).setRequestId("r").build()));
      full.add(stub.putMemory(memory().putting("full", text("item " + i)).build()));
      otherDimension.add(
          stub.putMemory(
              memory().putting("three", MemoryPut.newBuilder().setContent(wrong)).build()));
      stale.add(
          stub.putMemory(
              memory()
                  .putting("good", text("late " + i))
                  .setFence(fence.toBuilder().setToken(6))
                  .build()));
    }
    for (int i = 0; i < WRITERS; i++) {
      PutMemoryResponse put = good.get(i).get(60, TimeUnit.SECONDS);
      assertThat(memory().peek("good", put.getItem().getItemId()).getContent().getText())
          .isEqualTo("item " + i);
      assertThat(repeated.get(i).get(60, TimeUnit.SECONDS))
          .isEqualTo(repeated.get(0).get(60, TimeUnit.SECONDS));
      assertThat(Refusal.of(full.get(i)).reason()).isEqualTo("LIMIT_EXCEEDED");
      assertThat(Refusal.of(otherDimension.get(i)).reason()).isEqualTo("DIMENSION_MISMATCH");
      assertThat(Refusal.of(stale.get(i)).reason()).isEqualTo("STALE_FENCE");
    }
    assertThat(memory().space("good").getItems()).isEqualTo(WRITERS + 2);
  }

  @Test
  default void ofManyUpdatesOfOneVersionOneIsWritten() throws Exception {
    String id = memory().put("s", text("x")).getItem().getItemId();
    List<ListenableFuture<UpdateMemoryResponse>> calls = new ArrayList<>();
    for (int writer = 0; writer < WRITERS; writer++) {
      calls.add(stub(writer).updateMemory(update(id, "w" + writer, 1)));
    }
    int written = 0;
    for (ListenableFuture<UpdateMemoryResponse> call : calls) {
      try {
        call.get(60, TimeUnit.SECONDS);
        written++;
      } catch (ExecutionException refused) {
        assertThat(refused.getCause()).hasMessageContaining("ABORTED");
      }
    }
    assertThat(written).isEqualTo(1);
    assertThat(memory().peek("s", id).getVersion()).isEqualTo(2);
  }

  @Test
  default void updatesOfAnyVersionAreAllWritten() throws Exception {
    String id = memory().put("s", text("x")).getItem().getItemId();
    List<ListenableFuture<UpdateMemoryResponse>> calls = new ArrayList<>();
    for (int writer = 0; writer < WRITERS; writer++) {
      calls.add(stub(writer).updateMemory(update(id, "w" + writer, 0)));
    }
    Set<Long> versions = new HashSet<>();
    for (ListenableFuture<UpdateMemoryResponse> call : calls) {
      versions.add(call.get(60, TimeUnit.SECONDS).getItem().getVersion());
    }
    assertThat(versions).hasSize(WRITERS);
    assertThat(memory().peek("s", id).getVersion()).isEqualTo(1 + WRITERS);
  }

  private UpdateMemoryRequest update(String id, String source, long version) {
    return UpdateMemoryRequest.newBuilder()
        .setNamespace(memory().namespace())
        .setSpace("s")
        .setItem(
            MemoryItem.newBuilder()
                .setItemId(id)
                .setSource(source)
                .setContent(MemoryContent.newBuilder().setText("x")))
        .setUpdateMask(FieldMask.newBuilder().addPaths("source"))
        .setExpectedVersion(version)
        .build();
  }

  @Test
  default void turnsOfManyWritersStandBesideEachOtherInDenseOrder() throws Exception {
    int each = 10;
    List<ListenableFuture<AppendTurnsResponse>> calls = new ArrayList<>();
    for (int round = 0; round < each; round++) {
      for (int writer = 0; writer < WRITERS; writer++) {
        AppendTurnsRequest request =
            AppendTurnsRequest.newBuilder()
                .setNamespace(memory().namespace())
                .setSpace("s")
                .setConversation("c")
                .addTurns(Turn.newBuilder().setRole("w" + writer).setText("first " + round))
                .addTurns(Turn.newBuilder().setRole("w" + writer).setText("second " + round))
                .setRequestId("r" + writer + "-" + round)
                .build();
        calls.add(stub(writer).appendTurns(request));
        // As a client does that did not hear the answer.
        calls.add(stub(writer + 1).appendTurns(request));
      }
    }
    for (ListenableFuture<AppendTurnsResponse> call : calls) {
      AppendTurnsResponse appended = call.get(60, TimeUnit.SECONDS);
      assertThat(appended.getLastTurn()).isEqualTo(appended.getFirstTurn() + 1);
    }
    int total = 2 * each * WRITERS;
    List<Turn> turns = new ArrayList<>();
    long before = 0;
    do {
      GetWindowResponse window =
          memory()
              .b()
              .getWindow(
                  GetWindowRequest.newBuilder()
                      .setNamespace(memory().namespace())
                      .setSpace("s")
                      .setConversation("c")
                      .setMaxTurns(300)
                      .setBeforeTurn(before)
                      .build());
      assertThat(window.getLastTurn()).isEqualTo(total);
      turns.addAll(0, window.getTurnsList());
      before = window.getTruncated() ? window.getTurns(0).getNumber() : 0;
    } while (before > 0);
    assertThat(turns).hasSize(total);
    Set<String> said = new HashSet<>();
    for (int i = 0; i < total; i++) {
      Turn turn = turns.get(i);
      assertThat(turn.getNumber()).isEqualTo(i + 1);
      assertThat(said.add(turn.getRole() + " " + turn.getText())).isTrue();
      if (i % 2 == 1) {
        assertThat(turn.getRole()).isEqualTo(turns.get(i - 1).getRole());
        assertThat(turn.getText()).isEqualTo(turns.get(i - 1).getText().replace("first", "second"));
      }
    }
  }
}
