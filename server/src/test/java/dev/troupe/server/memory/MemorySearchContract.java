package dev.troupe.server.memory;

import static dev.troupe.server.memory.MemoryHarness.text;
import static dev.troupe.server.memory.MemoryHarness.until;
import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.FieldMask;
import com.google.protobuf.util.Durations;
import dev.troupe.server.crash.TroupeProcess;
import dev.troupe.server.grpc.Refusal;
import dev.troupe.v1.DeleteSpaceRequest;
import dev.troupe.v1.ForgetMemoriesRequest;
import dev.troupe.v1.Fusion;
import dev.troupe.v1.GetSpaceRequest;
import dev.troupe.v1.MemoryContent;
import dev.troupe.v1.MemoryFilter;
import dev.troupe.v1.MemoryItem;
import dev.troupe.v1.MemoryPut;
import dev.troupe.v1.MemorySpace;
import dev.troupe.v1.PutMemoriesRequest;
import dev.troupe.v1.PutMemoryResponse;
import dev.troupe.v1.ScorePart;
import dev.troupe.v1.SearchHit;
import dev.troupe.v1.SearchLeg;
import dev.troupe.v1.SearchMemoryRequest;
import dev.troupe.v1.SearchMemoryResponse;
import dev.troupe.v1.SearchSettings;
import dev.troupe.v1.SpaceSettings;
import dev.troupe.v1.UpdateMemoryRequest;
import io.grpc.ManagedChannel;
import io.grpc.Status;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** What is found, on every server alike. */
interface MemorySearchContract extends MemoryContract {

  private SearchMemoryRequest.Builder searching(long revision) {
    return SearchMemoryRequest.newBuilder()
        .setNamespace(memory().namespace())
        .setSpace("s")
        .setMinRevision(revision);
  }

  private static List<String> texts(SearchMemoryResponse response) {
    return response.getHitsList().stream()
        .map(hit -> hit.getItem().getContent().getText())
        .toList();
  }

  private static MemoryPut.Builder point(String text, float x, float y) {
    return MemoryPut.newBuilder()
        .setContent(MemoryContent.newBuilder().setText(text).addEmbedding(x).addEmbedding(y));
  }

  @Test
  default void whatWasPutThroughOneServerIsFoundAtOnceThroughTheOther() {
    for (int i = 0; i < 30; i++) {
      PutMemoryResponse put = memory().put("s", text("fact number" + i));
      SearchMemoryResponse found =
          memory().b().searchMemory(searching(put.getRevision()).setText("number" + i).build());
      assertThat(found.getRevision()).isGreaterThanOrEqualTo(put.getRevision());
      assertThat(texts(found)).first().isEqualTo("fact number" + i);
      assertThat(found.getHits(0).getItem().getItemId()).isEqualTo(put.getItem().getItemId());
    }
  }

  @Test
  default void whatWasPutIsFoundThroughTheSameServerWithoutItsRevision() {
    for (int i = 0; i < 30; i++) {
      memory().put("s", text("own" + i));
      SearchMemoryRequest.Builder request = searching(0).setText("own" + i);
      assertThat(texts(memory().a().searchMemory(request.build()))).containsExactly("own" + i);
      // The first of a space is where an index may still be on its way.
      memory().put("new" + i, text("first"));
      request.setSpace("new" + i).setText("first");
      assertThat(texts(memory().a().searchMemory(request.build()))).containsExactly("first");
    }
  }

  @Test
  default void eachLegAloneAndAllFusedTellWhatTheirScoresAreMadeOf() {
    memory().put("s", point("apples are red", 1, 0));
    memory().put("s", point("pears are green", 0, 1));
    long revision = memory().put("s", point("red cars are fast", 0.6f, 0.8f)).getRevision();
    SearchMemoryResponse vector =
        memory().a().searchMemory(searching(revision).addVector(1).addVector(0).build());
    assertThat(texts(vector))
        .containsExactly("apples are red", "red cars are fast", "pears are green");
    assertThat(vector.getHits(0).getParts(0).getLeg()).isEqualTo(SearchLeg.SEARCH_LEG_VECTOR);
    assertThat(vector.getHits(0).getParts(0).getRawScore()).isBetween(0.999, 1.001);
    assertThat(vector.getHits(1).getParts(0).getRawScore()).isBetween(0.59, 0.61);
    SearchMemoryResponse words =
        memory().b().searchMemory(searching(revision).setText("red").build());
    assertThat(texts(words)).containsExactlyInAnyOrder("apples are red", "red cars are fast");
    SearchMemoryResponse newest = memory().b().searchMemory(searching(revision).build());
    assertThat(texts(newest))
        .containsExactly("red cars are fast", "pears are green", "apples are red");
    SearchMemoryResponse fused =
        memory()
            .b()
            .searchMemory(
                searching(revision)
                    .addVector(0)
                    .addVector(1)
                    .setText("red cars")
                    .setExplain(true)
                    .setSettings(SearchSettings.newBuilder().setRecencyWeight(0.5))
                    .build());
    assertThat(texts(fused)).first().isEqualTo("red cars are fast");
    SearchHit first = fused.getHits(0);
    assertThat(first.getPartsList()).hasSize(3);
    assertThat(first.getPartsList().stream().mapToDouble(ScorePart::getContribution).sum())
        .isBetween(first.getScore() - 1e-9, first.getScore() + 1e-9);
    assertThat(first.getExplanation()).isNotEmpty();
    assertThat(fused.getExplanation().getLegsList()).hasSize(3);
    assertThat(fused.getExplanation().getItems()).isEqualTo(3);
    assertThat(fused.getExplanation().getFusion()).isEqualTo(Fusion.FUSION_RECIPROCAL_RANK);
  }

  @Test
  default void filtersAndLimitsHold() {
    long revision = 0;
    for (int i = 0; i < 50; i++) {
      revision =
          memory()
              .put(
                  "s",
                  text("word " + i)
                      .addTags(i % 5 == 0 ? "fifth" : "other")
                      .setImportance(i / 50f)
                      .putAttributes("n", "" + i))
              .getRevision();
    }
    SearchMemoryResponse fifth =
        memory()
            .b()
            .searchMemory(
                searching(revision)
                    .setText("word")
                    .setTopK(4)
                    .setFilter(MemoryFilter.newBuilder().addAllTags("fifth").setMinImportance(0.2f))
                    .build());
    assertThat(fifth.getHitsList())
        .hasSize(4)
        .allMatch(hit -> hit.getItem().getTagsList().contains("fifth"))
        .allMatch(hit -> hit.getItem().getImportance() >= 0.2f);
    assertThat(
            texts(
                memory()
                    .a()
                    .searchMemory(
                        searching(revision)
                            .setFilter(MemoryFilter.newBuilder().putAttributes("n", "17"))
                            .build())))
        .containsExactly("word 17");
    assertThat(
            memory()
                .a()
                .searchMemory(searching(revision).setText("word").setMinScore(2).build())
                .getHitsList())
        .isEmpty();
  }

  @Test
  default void changesReachTheIndex() {
    PutMemoryResponse put = memory().put("s", text("the old words"));
    String id = put.getItem().getItemId();
    long updated =
        memory()
            .a()
            .updateMemory(
                UpdateMemoryRequest.newBuilder()
                    .setNamespace(memory().namespace())
                    .setSpace("s")
                    .setItem(
                        MemoryItem.newBuilder()
                            .setItemId(id)
                            .setContent(MemoryContent.newBuilder().setText("something new")))
                    .setUpdateMask(FieldMask.newBuilder().addPaths("content.text"))
                    .build())
            .getRevision();
    assertThat(texts(memory().b().searchMemory(searching(updated).setText("old").build())))
        .isEmpty();
    assertThat(texts(memory().b().searchMemory(searching(updated).setText("new").build())))
        .containsExactly("something new");
    long forgotten =
        memory()
            .a()
            .forgetMemories(
                ForgetMemoriesRequest.newBuilder()
                    .setNamespace(memory().namespace())
                    .setSpace("s")
                    .addItemIds(id)
                    .build())
            .getRevision();
    assertThat(memory().b().searchMemory(searching(forgotten).setText("new").build()).getHitsList())
        .isEmpty();
  }

  @Test
  default void nothingGoneOrOfAnotherSpaceIsFoundEvenWithoutARevision() {
    String id = memory().put("s", text("fleeting")).getItem().getItemId();
    memory().put("t", text("fleeting too"));
    until(
        () ->
            texts(memory().b().searchMemory(searching(0).setText("fleeting").build())).size() == 1);
    memory()
        .a()
        .forgetMemories(
            ForgetMemoriesRequest.newBuilder()
                .setNamespace(memory().namespace())
                .setSpace("s")
                .addItemIds(id)
                .build());
    assertThat(memory().b().searchMemory(searching(0).setText("fleeting").build()).getHitsList())
        .isEmpty();
    long revision =
        memory().put("s", text("brief").setLifetime(Durations.fromSeconds(1))).getRevision();
    MemoryItem brief =
        memory()
            .b()
            .searchMemory(searching(revision).setText("brief").build())
            .getHits(0)
            .getItem();
    until(
        () -> memory().b().searchMemory(searching(0).setText("brief").build()).getHitsCount() == 0);
    assertThat(brief.hasExpireTime()).isTrue();
  }

  @Test
  default void aSpaceThatBeganAnewHasNothingOfTheFormerOne() {
    long first = memory().put("s", point("old", 1, 0)).getRevision();
    assertThat(memory().b().searchMemory(searching(first).build()).getHitsCount()).isEqualTo(1);
    memory()
        .a()
        .deleteSpace(
            DeleteSpaceRequest.newBuilder()
                .setNamespace(memory().namespace())
                .setSpace("s")
                .build());
    assertThat(Refusal.of(() -> memory().a().searchMemory(searching(0).build())).reason())
        .isEqualTo("SPACE_NOT_FOUND");
    MemoryPut.Builder three = text("new");
    three.getContentBuilder().addEmbedding(1).addEmbedding(2).addEmbedding(3);
    long second = memory().put("s", three).getRevision();
    SearchMemoryResponse found =
        memory().b().searchMemory(searching(second).addVector(1).addVector(2).addVector(3).build());
    assertThat(texts(found)).containsExactly("new");
    Refusal refusal =
        Refusal.of(
            () -> memory().b().searchMemory(searching(second).addVector(1).addVector(2).build()));
    assertThat(refusal.reason()).isEqualTo("DIMENSION_MISMATCH");
    assertThat(refusal.metadata()).containsEntry("dimension", "3");
  }

  @Test
  default void aSearchCountsAsAReadOfItsHitsUnlessItPeeks() {
    PutMemoryResponse put = memory().put("s", text("counted"));
    String id = put.getItem().getItemId();
    memory().a().searchMemory(searching(put.getRevision()).setPeek(true).build());
    assertThat(memory().peek("s", id).getReadCount()).isZero();
    memory().a().searchMemory(searching(put.getRevision()).build());
    assertThat(memory().peek("s", id).getReadCount()).isEqualTo(1);
  }

  @Test
  default void anItemThatReadsKeepAliveIsStillFound() {
    SpaceSettings.Builder settings = SpaceSettings.newBuilder().setRefreshOnRead(true);
    settings.getShortTierBuilder().setLifetime(Durations.fromSeconds(2));
    memory().create("s", settings);
    PutMemoryResponse put = memory().put("s", text("kept"));
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(4);
    until(
        () -> {
          assertThat(texts(memory().b().searchMemory(searching(put.getRevision()).build())))
              .containsExactly("kept");
          return System.nanoTime() > end;
        });
  }

  @Test
  default void aRevisionThatWasNeverGivenOutIsRefusedAtOnce() {
    memory().put("s", text("x"));
    Refusal refusal = Refusal.of(() -> memory().b().searchMemory(searching(1_000_000).build()));
    assertThat(refusal.code()).isEqualTo(Status.Code.INVALID_ARGUMENT);
    assertThat(refusal.fields()).containsOnlyKeys("min_revision");
  }

  @Test
  default void aServerThatStartsLoadsWhatIsThere() throws Exception {
    Random random = new Random(7);
    PutMemoriesRequest.Builder many = null;
    long revision = 0;
    for (int i = 0; i < 3000; i++) {
      if (many == null) {
        many = PutMemoriesRequest.newBuilder().setNamespace(memory().namespace()).setSpace("s");
      }
      MemoryPut.Builder item = text("item " + i);
      for (int d = 0; d < 32; d++) {
        item.getContentBuilder().addEmbedding((float) random.nextGaussian());
      }
      many.addItems(item);
      if (many.getItemsCount() == 500) {
        revision = memory().a().putMemories(many.build()).getRevision();
        many = null;
      }
    }
    MemoryItem wanted = memory().list("s", MemoryFilter.newBuilder(), 500).get(1234);
    try (TroupeProcess late = memory().newServer()) {
      ManagedChannel channel = late.channel();
      try {
        SearchMemoryResponse found =
            MemoryHarness.stub(channel)
                .searchMemory(
                    searching(revision)
                        .addAllVector(wanted.getContent().getEmbeddingList())
                        .setTopK(3)
                        .build());
        assertThat(found.getHits(0).getItem().getItemId()).isEqualTo(wanted.getItemId());
        MemorySpace space =
            MemoryHarness.stub(channel)
                .getSpace(
                    GetSpaceRequest.newBuilder()
                        .setNamespace(memory().namespace())
                        .setSpace("s")
                        .build())
                .getSpace();
        assertThat(space.getIndex().getReady()).isTrue();
        assertThat(space.getIndex().getItemsLoaded()).isEqualTo(3000);
        assertThat(space.getIndex().getItemsTotal()).isEqualTo(3000);
        assertThat(space.getIndex().getRevision()).isGreaterThanOrEqualTo(revision);
      } finally {
        channel.shutdownNow();
      }
    }
  }
}
