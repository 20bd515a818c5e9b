package dev.troupe.server.memory;

import static dev.troupe.server.memory.MemoryHarness.text;
import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import com.google.protobuf.FieldMask;
import com.google.protobuf.Struct;
import com.google.protobuf.Value;
import com.google.protobuf.util.Durations;
import com.google.protobuf.util.Timestamps;
import dev.troupe.server.grpc.Refusal;
import dev.troupe.v1.DeleteMemoriesRequest;
import dev.troupe.v1.DeleteMemoriesResponse;
import dev.troupe.v1.DeleteSpaceRequest;
import dev.troupe.v1.Fence;
import dev.troupe.v1.ForgetMemoriesRequest;
import dev.troupe.v1.GetMemoriesRequest;
import dev.troupe.v1.ListSpacesRequest;
import dev.troupe.v1.MemoryContent;
import dev.troupe.v1.MemoryFilter;
import dev.troupe.v1.MemoryItem;
import dev.troupe.v1.MemoryPut;
import dev.troupe.v1.MemorySpace;
import dev.troupe.v1.MemoryTier;
import dev.troupe.v1.PromoteMemoryRequest;
import dev.troupe.v1.PutMemoriesRequest;
import dev.troupe.v1.PutMemoriesResponse;
import dev.troupe.v1.PutMemoryRequest;
import dev.troupe.v1.PutMemoryResponse;
import dev.troupe.v1.SpaceSettings;
import dev.troupe.v1.UpdateMemoryRequest;
import dev.troupe.v1.UpdateSpaceRequest;
import dev.troupe.v1.VectorMetric;
import io.grpc.Status;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Items and spaces: what is put is there, unless it was there already, and changes as asked. */
interface MemoryItemContract extends MemoryContract {

  @Test
  default void whatIsPutCanBeReadThroughAnotherServer() {
    MemoryPut.Builder put =
        MemoryPut.newBuilder()
            .setContent(
                MemoryContent.newBuilder()
                    .setText("the cat sat")
                    .setStructData(
                        Struct.newBuilder()
                            .putFields("k", Value.newBuilder().setNumberValue(1.5).build()))
                    .addEmbedding(0.25f)
                    .addEmbedding(-1))
            .addTags("b")
            .addTags("a")
            .addTags("b")
            .setImportance(0.7f)
            .setSource("agents/x")
            .putAttributes("lang", "en");
    PutMemoryResponse response = memory().put("s", put);
    MemoryItem item = memory().peek("s", response.getItem().getItemId());
    assertThat(item.getContent()).isEqualTo(put.getContent());
    assertThat(item.getTagsList()).containsExactly("a", "b");
    assertThat(item.getImportance()).isEqualTo(0.7f);
    assertThat(item.getSource()).isEqualTo("agents/x");
    assertThat(item.getAttributesMap()).containsExactlyEntriesOf(put.getAttributesMap());
    assertThat(item.getTier()).isEqualTo(MemoryTier.MEMORY_TIER_SHORT);
    assertThat(item.getVersion()).isEqualTo(1);
    assertThat(item.getRevision()).isEqualTo(response.getRevision()).isPositive();
    assertThat(item.getContentHash()).hasSize(32);
    assertThat(item.getReadCount()).isZero();
    assertThat(Timestamps.between(item.getCreateTime(), item.getExpireTime()))
        .isEqualTo(Durations.fromMinutes(15));
    assertThat(response.getItem()).isEqualTo(item.toBuilder().clearContent().build());
    MemorySpace space = memory().space("s");
    assertThat(space.getItems()).isEqualTo(1);
    assertThat(space.getBytes()).isEqualTo(item.getSizeBytes());
    assertThat(space.getSettings().getDimension()).isEqualTo(2);
    assertThat(space.getSettings().getMetric()).isEqualTo(VectorMetric.VECTOR_METRIC_COSINE);
  }

  @Test
  default void aReadCountsAndAPeekDoesNot() {
    String id = memory().put("s", text("x")).getItem().getItemId();
    memory().a().getMemory(memory().getting("s", id).build());
    MemoryItem second = memory().b().getMemory(memory().getting("s", id).build()).getItem();
    assertThat(second.getReadCount()).isEqualTo(2);
    assertThat(second.hasReadTime()).isTrue();
    assertThat(memory().peek("s", id).getReadCount()).isEqualTo(2);
    assertThat(memory().peek("s", id).getVersion()).isEqualTo(1);
  }

  @Test
  default void theSameContentIsMergedAndKeepsWhatItMerged() {
    PutMemoryResponse first =
        memory()
            .put("s", text("fact").addTags("a").setImportance(0.2f).putAttributes("k", "first"));
    MemoryPut.Builder again =
        text("fact", MemoryTier.MEMORY_TIER_LONG)
            .addTags("b")
            .setImportance(0.9f)
            .setSource("other")
            .putAttributes("k", "second")
            .putAttributes("l", "new");
    again.getContentBuilder().addEmbedding(1).addEmbedding(0);
    PutMemoryResponse second = memory().put("s", again);
    assertThat(first.getDuplicate()).isFalse();
    assertThat(second.getDuplicate()).isTrue();
    assertThat(second.getItem().getItemId()).isEqualTo(first.getItem().getItemId());
    MemoryItem item = memory().peek("s", first.getItem().getItemId());
    assertThat(item.getTagsList()).containsExactly("a", "b");
    assertThat(item.getImportance()).isEqualTo(0.9f);
    assertThat(item.getSource()).isEqualTo("other");
    assertThat(item.getAttributesMap()).containsEntry("k", "first").containsEntry("l", "new");
    assertThat(item.getTier()).isEqualTo(MemoryTier.MEMORY_TIER_LONG);
    assertThat(item.getContent().getEmbeddingList()).containsExactly(1f, 0f);
    assertThat(item.getVersion()).isEqualTo(2);
    assertThat(item.getMergeCount()).isEqualTo(1);
    assertThat(item.getMerges(0).getAttributesMap()).containsEntry("k", "second");
    assertThat(item.getMerges(0).getImportance()).isEqualTo(0.9f);
    assertThat(item.getMerges(0).hasMergeTime()).isTrue();
    assertThat(memory().space("s").getItems()).isEqualTo(1);
  }

  @Test
  default void moreMergesThanAreKeptAreCounted() {
    for (int i = 0; i < 20; i++) {
      memory().put("s", text("same").addTags("t" + i));
    }
    MemoryItem item = memory().list("s", MemoryFilter.newBuilder(), 0).get(0);
    assertThat(item.getMergeCount()).isEqualTo(19);
    assertThat(item.getMergesList()).hasSize(16);
    assertThat(item.getMerges(15).getTagsList()).containsExactly("t19");
    assertThat(item.getTagsList()).hasSize(20);
  }

  @Test
  default void anEmbeddingOfAnotherDimensionIsRefused() {
    MemoryPut.Builder two = text("two");
    two.getContentBuilder().addEmbedding(1).addEmbedding(2);
    memory().put("s", two);
    MemoryPut.Builder three = text("three");
    three.getContentBuilder().addEmbedding(1).addEmbedding(2).addEmbedding(3);
    Refusal refusal = Refusal.of(() -> memory().put("s", three));
    assertThat(refusal.code()).isEqualTo(Status.Code.FAILED_PRECONDITION);
    assertThat(refusal.reason()).isEqualTo("DIMENSION_MISMATCH");
    assertThat(refusal.metadata()).containsEntry("dimension", "2");
    assertThat(memory().space("s").getItems()).isEqualTo(1);
  }

  @Test
  default void eachOfManyHasAnOutcomeOfItsOwn() {
    PutMemoriesRequest.Builder many =
        PutMemoriesRequest.newBuilder().setNamespace(memory().namespace()).setSpace("s");
    for (int i = 0; i < 150; i++) {
      many.addItems(text("item " + i));
    }
    many.addItems(text("item 7"));
    many.addItems(MemoryPut.newBuilder().addTags(""));
    many.setRequestId("r");
    PutMemoriesResponse response = memory().a().putMemories(many.build());
    assertThat(response.getOutcomesCount()).isEqualTo(152);
    assertThat(response.getOutcomes(150).getDuplicate()).isTrue();
    assertThat(response.getOutcomes(150).getItemId())
        .isEqualTo(response.getOutcomes(7).getItemId());
    assertThat(response.getOutcomes(151).getError().getViolationsList())
        .extracting("field")
        .contains("items[151].content", "items[151].tags[0]");
    assertThat(memory().space("s").getItems()).isEqualTo(150);
    assertThat(memory().b().putMemories(many.build())).isEqualTo(response);
    assertThat(memory().list("s", MemoryFilter.newBuilder(), 40))
        .extracting(item -> item.getContent().getText())
        .startsWith("item 0", "item 1")
        .endsWith("item 149")
        .hasSize(150);
    assertThat(memory().peek("s", response.getOutcomes(7).getItemId()).getMergeCount())
        .isEqualTo(1);
  }

  @Test
  default void aRepeatedRequestGetsTheFirstAnswer() {
    PutMemoryRequest request = memory().putting("s", text("x")).setRequestId("r").build();
    PutMemoryResponse first = memory().a().putMemory(request);
    assertThat(memory().b().putMemory(request)).isEqualTo(first);
    assertThat(memory().peek("s", first.getItem().getItemId()).getMergeCount()).isZero();
    Refusal other =
        Refusal.of(
            () ->
                memory().a().putMemory(memory().putting("s", text("y")).setRequestId("r").build()));
    assertThat(other.reason()).isEqualTo("REQUEST_ID_REUSED");
  }

  @Test
  default void aStaleFenceKeepsEveryWriteOut() {
    Fence high = Fence.newBuilder().setName("job").setToken(9).build();
    Fence low = Fence.newBuilder().setName("job").setToken(8).build();
    PutMemoryRequest.Builder put = memory().putting("s", text("x"));
    memory().a().putMemory(put.setFence(high).build());
    Refusal refusal =
        Refusal.of(
            () -> memory().b().putMemory(memory().putting("s", text("y")).setFence(low).build()));
    assertThat(refusal.reason()).isEqualTo("STALE_FENCE");
    assertThat(refusal.metadata()).containsEntry("highest_token", "9");
    assertThat(memory().texts("s", MemoryFilter.newBuilder())).containsExactly("x");
  }

  @Test
  default void listsTellWhatMatchesInTheOrderOfPuts() {
    memory().put("s", text("1").addTags("red").addTags("big").setSource("a").setImportance(0.1f));
    memory().put("s", text("2").addTags("red").putAttributes("k", "v").setImportance(0.9f));
    memory().put("s", text("3", MemoryTier.MEMORY_TIER_LONG).addTags("blue").setSource("b"));
    assertThat(memory().texts("s", MemoryFilter.newBuilder())).containsExactly("1", "2", "3");
    assertThat(memory().texts("s", MemoryFilter.newBuilder().addAllTags("red")))
        .containsExactly("1", "2");
    assertThat(memory().texts("s", MemoryFilter.newBuilder().addAllTags("red").addNoTags("big")))
        .containsExactly("2");
    assertThat(memory().texts("s", MemoryFilter.newBuilder().addAnyTags("big").addAnyTags("blue")))
        .containsExactly("1", "3");
    assertThat(memory().texts("s", MemoryFilter.newBuilder().addSources("b").addSources("z")))
        .containsExactly("3");
    assertThat(memory().texts("s", MemoryFilter.newBuilder().setMinImportance(0.5f)))
        .containsExactly("2", "3");
    assertThat(memory().texts("s", MemoryFilter.newBuilder().putAttributes("k", "v")))
        .containsExactly("2");
    assertThat(memory().texts("s", MemoryFilter.newBuilder().addTiers(MemoryTier.MEMORY_TIER_LONG)))
        .containsExactly("3");
    MemoryItem second = memory().list("s", MemoryFilter.newBuilder(), 0).get(1);
    assertThat(
            memory().texts("s", MemoryFilter.newBuilder().setCreatedFrom(second.getCreateTime())))
        .containsExactly("2", "3");
    assertThat(
            memory().texts("s", MemoryFilter.newBuilder().setUpdatedBefore(second.getCreateTime())))
        .containsExactly("1");
  }

  @Test
  default void anUpdateWritesWhatTheMaskNamesAndNoMore() {
    MemoryPut.Builder put = text("old").addTags("t").setSource("src").putAttributes("k", "v");
    put.getContentBuilder().addEmbedding(1).addEmbedding(0);
    MemoryItem item = memory().put("s", put).getItem();
    UpdateMemoryRequest.Builder update =
        update(item.getItemId(), "content.text", "tags", "importance");
    update
        .getItemBuilder()
        .setContent(MemoryContent.newBuilder().setText("new"))
        .setImportance(1)
        .setSource("ignored");
    MemoryItem updated = memory().a().updateMemory(update.setExpectedVersion(1).build()).getItem();
    MemoryItem read = memory().peek("s", item.getItemId());
    assertThat(read.toBuilder().clearContent().build()).isEqualTo(updated);
    assertThat(read.getContent().getText()).isEqualTo("new");
    assertThat(read.getContent().getEmbeddingList()).containsExactly(1f, 0f);
    assertThat(read.getTagsList()).isEmpty();
    assertThat(read.getImportance()).isEqualTo(1f);
    assertThat(read.getSource()).isEqualTo("src");
    assertThat(read.getVersion()).isEqualTo(2);
    assertThat(read.getContentHash()).isNotEqualTo(item.getContentHash());
    assertThat(read.getExpireTime()).isEqualTo(item.getExpireTime());
    Refusal stale = Refusal.of(() -> memory().b().updateMemory(update.build()));
    assertThat(stale.code()).isEqualTo(Status.Code.ABORTED);
    assertThat(stale.reason()).isEqualTo("VERSION_MISMATCH");
    assertThat(stale.metadata()).containsEntry("current_version", "2");
    // The old content is nobody's any more.
    assertThat(memory().put("s", text("old")).getDuplicate()).isFalse();
  }

  private UpdateMemoryRequest.Builder update(String id, String... paths) {
    return UpdateMemoryRequest.newBuilder()
        .setNamespace(memory().namespace())
        .setSpace("s")
        .setItem(MemoryItem.newBuilder().setItemId(id))
        .setUpdateMask(FieldMask.newBuilder().addAllPaths(List.of(paths)));
  }

  @Test
  default void anUpdateToTheContentOfAnotherItemIsRefused() {
    String one = memory().put("s", text("one")).getItem().getItemId();
    String two = memory().put("s", text("two")).getItem().getItemId();
    UpdateMemoryRequest.Builder update = update(two, "content.text");
    update.getItemBuilder().setContent(MemoryContent.newBuilder().setText("one"));
    Refusal refusal = Refusal.of(() -> memory().a().updateMemory(update.build()));
    assertThat(refusal.code()).isEqualTo(Status.Code.ALREADY_EXISTS);
    assertThat(refusal.reason()).isEqualTo("ITEM_EXISTS");
    assertThat(refusal.metadata()).containsEntry("item_id", one);
  }

  @Test
  default void anUpdateThatWouldLeaveNothingIsRefused() {
    String id = memory().put("s", text("x")).getItem().getItemId();
    Refusal refusal =
        Refusal.of(() -> memory().a().updateMemory(update(id, "content.text").build()));
    assertThat(refusal.fields()).containsKey("item.content");
  }

  @Test
  default void aRepeatedUpdateGetsTheFirstAnswerEvenWhenTheItemIsGone() {
    String id = memory().put("s", text("x")).getItem().getItemId();
    UpdateMemoryRequest.Builder update = update(id, "source").setRequestId("u");
    update.getItemBuilder().setSource("me");
    var first = memory().a().updateMemory(update.build());
    forget(id);
    assertThat(memory().b().updateMemory(update.build())).isEqualTo(first);
  }

  private List<String> forget(String... ids) {
    return memory()
        .a()
        .forgetMemories(
            ForgetMemoriesRequest.newBuilder()
                .setNamespace(memory().namespace())
                .setSpace("s")
                .addAllItemIds(List.of(ids))
                .build())
        .getForgottenList();
  }

  @Test
  default void whatIsForgottenIsGoneEverywhere() {
    String one = memory().put("s", text("one")).getItem().getItemId();
    String two = memory().put("s", text("two")).getItem().getItemId();
    assertThat(forget(one, "unknown")).containsExactly(one);
    assertThat(forget(one)).isEmpty();
    assertThat(Refusal.of(() -> memory().peek("s", one)).reason()).isEqualTo("ITEM_NOT_FOUND");
    var found =
        memory()
            .b()
            .getMemories(
                GetMemoriesRequest.newBuilder()
                    .setNamespace(memory().namespace())
                    .setSpace("s")
                    .addItemIds(two)
                    .addItemIds(one)
                    .build());
    assertThat(found.getItemsList()).extracting(MemoryItem::getItemId).containsExactly(two);
    assertThat(found.getMissingList()).containsExactly(one);
    assertThat(found.getTruncated()).isFalse();
    assertThat(memory().texts("s", MemoryFilter.newBuilder())).containsExactly("two");
    assertThat(memory().put("s", text("one")).getDuplicate()).isFalse();
  }

  @Test
  default void aDeletionByFilterGoesStepByStepUpToItsLimit() {
    PutMemoriesRequest.Builder many =
        PutMemoriesRequest.newBuilder().setNamespace(memory().namespace()).setSpace("s");
    for (int i = 0; i < 300; i++) {
      many.addItems(text("item " + i).addTags(i % 2 == 0 ? "even" : "odd"));
    }
    memory().a().putMemories(many.build());
    DeleteMemoriesRequest.Builder delete =
        DeleteMemoriesRequest.newBuilder()
            .setNamespace(memory().namespace())
            .setSpace("s")
            .setFilter(MemoryFilter.newBuilder().addAllTags("even"))
            .setLimit(100);
    DeleteMemoriesResponse first = memory().a().deleteMemories(delete.setRequestId("d").build());
    assertThat(first.getDeleted()).isEqualTo(100);
    assertThat(first.getMore()).isTrue();
    assertThat(memory().b().deleteMemories(delete.build())).isEqualTo(first);
    assertThat(memory().space("s").getItems()).isEqualTo(200);
    DeleteMemoriesResponse rest = memory().b().deleteMemories(delete.setRequestId("e").build());
    assertThat(rest.getDeleted()).isEqualTo(50);
    assertThat(rest.getMore()).isFalse();
    assertThat(memory().texts("s", MemoryFilter.newBuilder()))
        .hasSize(150)
        .allMatch(text -> Integer.parseInt(text.substring(5)) % 2 == 1);
    Refusal all =
        Refusal.of(() -> memory().a().deleteMemories(delete.clone().clearFilter().build()));
    assertThat(all.fields()).containsKey("filter");
    assertThat(
            memory()
                .a()
                .deleteMemories(
                    delete.clearFilter().setAll(true).setLimit(0).setRequestId("").build())
                .getDeleted())
        .isEqualTo(150);
    assertThat(memory().space("s").getItems()).isZero();
  }

  @Test
  default void aPromotionMovesAnItemAndItsEnd() {
    MemoryItem item = memory().put("s", text("x")).getItem();
    PromoteMemoryRequest.Builder promote =
        PromoteMemoryRequest.newBuilder()
            .setNamespace(memory().namespace())
            .setSpace("s")
            .setItemId(item.getItemId())
            .setTier(MemoryTier.MEMORY_TIER_LONG)
            .setExpectedVersion(1);
    MemoryItem longer = memory().a().promoteMemory(promote.build()).getItem();
    assertThat(longer.getTier()).isEqualTo(MemoryTier.MEMORY_TIER_LONG);
    assertThat(Timestamps.between(longer.getUpdateTime(), longer.getExpireTime()))
        .isEqualTo(Durations.fromHours(24));
    assertThat(Refusal.of(() -> memory().b().promoteMemory(promote.build())).reason())
        .isEqualTo("VERSION_MISMATCH");
    promote.setExpectedVersion(0).setTier(MemoryTier.MEMORY_TIER_PINNED);
    assertThat(memory().b().promoteMemory(promote.build()).getItem().hasExpireTime()).isFalse();
  }

  @Test
  default void namespacesAndSpacesDoNotSeeEachOther() {
    String id = memory().put("s", text("secret")).getItem().getItemId();
    memory().put("other", text("mine"));
    assertThat(Refusal.of(() -> memory().peek("other", id)).reason()).isEqualTo("ITEM_NOT_FOUND");
    String before = memory().namespace();
    memory().audit();
    memory().newNamespace();
    assertThat(Refusal.of(() -> memory().peek("s", id)).reason()).isEqualTo("SPACE_NOT_FOUND");
    memory().put("s", text("here"));
    assertThat(memory().texts("s", MemoryFilter.newBuilder())).containsExactly("here");
    assertThat(memory().namespace()).isNotEqualTo(before);
  }

  @Test
  default void aSpaceIsCreatedOnceAndChangedByVersion() {
    SpaceSettings.Builder settings =
        SpaceSettings.newBuilder()
            .setDimension(3)
            .setMetric(VectorMetric.VECTOR_METRIC_DOT)
            .setMaxItems(10)
            .setDescription("notes");
    settings.getShortTierBuilder().setLifetime(Durations.fromSeconds(5));
    MemorySpace space = memory().create("s", settings);
    assertThat(space.getVersion()).isEqualTo(1);
    assertThat(space.getSettings().getShortTier().getLifetime())
        .isEqualTo(Durations.fromSeconds(5));
    assertThat(space.getSettings().getLongTier().getLifetime()).isEqualTo(Durations.fromHours(24));
    assertThat(space.getSettings().getDimension()).isEqualTo(3);
    assertThat(Refusal.of(() -> memory().create("s", settings)).reason()).isEqualTo("SPACE_EXISTS");
    UpdateSpaceRequest.Builder update =
        UpdateSpaceRequest.newBuilder()
            .setNamespace(memory().namespace())
            .setSpace("s")
            .setExpectedVersion(1)
            .setUpdateMask(
                FieldMask.newBuilder().addPaths("short_tier").addPaths("refresh_on_read"))
            .setSettings(SpaceSettings.newBuilder().setRefreshOnRead(true));
    MemorySpace updated = memory().b().updateSpace(update.build()).getSpace();
    assertThat(updated.getVersion()).isEqualTo(2);
    assertThat(updated.getSettings().getShortTier().getLifetime())
        .isEqualTo(Durations.fromMinutes(15));
    assertThat(updated.getSettings().getRefreshOnRead()).isTrue();
    assertThat(updated.getSettings().getMaxItems()).isEqualTo(10);
    assertThat(updated.getSettings().getDescription()).isEqualTo("notes");
    assertThat(Refusal.of(() -> memory().a().updateSpace(update.build())).metadata())
        .containsEntry("current_version", "2");
    Refusal fixed =
        Refusal.of(
            () ->
                memory()
                    .a()
                    .updateSpace(
                        update
                            .setExpectedVersion(0)
                            .setUpdateMask(FieldMask.newBuilder().addPaths("dimension"))
                            .setSettings(SpaceSettings.newBuilder().setDimension(4))
                            .build()));
    assertThat(fixed.reason()).isEqualTo("DIMENSION_MISMATCH");
  }

  @Test
  default void spacesAreListedByNameAndDeletedWithAllTheyHave() {
    List<String> names = new ArrayList<>();
    for (int i = 0; i < 12; i++) {
      names.add("p" + i);
      memory().put("p" + i, text("x"));
    }
    memory().put("q", text("x"));
    assertThat(spaces("p", 5)).containsExactlyInAnyOrderElementsOf(names);
    var deleted =
        memory()
            .a()
            .deleteSpace(
                DeleteSpaceRequest.newBuilder()
                    .setNamespace(memory().namespace())
                    .setSpace("p3")
                    .build());
    assertThat(deleted.getDeleted()).isTrue();
    assertThat(deleted.getItems()).isEqualTo(1);
    names.remove("p3");
    assertThat(spaces("p", 0)).containsExactlyInAnyOrderElementsOf(names);
    assertThat(Refusal.of(() -> memory().space("p3")).reason()).isEqualTo("SPACE_NOT_FOUND");
    memory().put("p3", text("again"));
    assertThat(memory().texts("p3", MemoryFilter.newBuilder())).containsExactly("again");
  }

  private List<String> spaces(String prefix, int pageSize) {
    List<String> names = new ArrayList<>();
    String token = "";
    do {
      var page =
          memory()
              .b()
              .listSpaces(
                  ListSpacesRequest.newBuilder()
                      .setNamespace(memory().namespace())
                      .setPrefix(prefix)
                      .setPageSize(pageSize)
                      .setPageToken(token)
                      .build());
      page.getSpacesList().forEach(space -> names.add(space.getName()));
      token = page.getNextPageToken();
    } while (!token.isEmpty());
    return names;
  }

  @Test
  default void badInputIsToldAllAtOnce() {
    MemoryPut.Builder bad =
        MemoryPut.newBuilder()
            .setImportance(2)
            .addTags("")
            .setSource("\u0007")
            .setLifetime(Durations.fromMillis(1))
            .setTier(MemoryTier.MEMORY_TIER_PINNED);
    bad.getContentBuilder().addEmbedding(Float.NaN);
    Refusal put = Refusal.of(() -> memory().put("", bad));
    assertThat(put.code()).isEqualTo(Status.Code.INVALID_ARGUMENT);
    assertThat(put.fields())
        .containsOnlyKeys(
            "space",
            "item.content.embedding[0]",
            "item.importance",
            "item.tags[0]",
            "item.source",
            "item.lifetime");
    Refusal empty = Refusal.of(() -> memory().put("s", MemoryPut.newBuilder()));
    assertThat(empty.fields()).containsOnlyKeys("item.content");
    Refusal large =
        Refusal.of(
            () ->
                memory()
                    .put(
                        "s",
                        MemoryPut.newBuilder()
                            .setContent(
                                MemoryContent.newBuilder()
                                    .setText("x".repeat(65 * 1024))
                                    .setBytesData(ByteString.copyFrom(new byte[257 * 1024])))));
    assertThat(large.fields()).containsOnlyKeys("item.content.text", "item.content.bytes_data");
  }
}
