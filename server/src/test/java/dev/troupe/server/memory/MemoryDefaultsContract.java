package dev.troupe.server.memory;

import static dev.troupe.server.memory.MemoryHarness.text;
import static dev.troupe.server.memory.MemoryHarness.until;
import static org.assertj.core.api.Assertions.assertThat;

import com.google.common.util.concurrent.ListenableFuture;
import com.google.protobuf.Duration;
import com.google.protobuf.FieldMask;
import com.google.protobuf.util.Durations;
import com.google.protobuf.util.Timestamps;
import dev.troupe.server.grpc.Refusal;
import dev.troupe.v1.GetMemoryDefaultsRequest;
import dev.troupe.v1.MemoryDefaults;
import dev.troupe.v1.MemoryFilter;
import dev.troupe.v1.MemoryItem;
import dev.troupe.v1.MemoryServiceGrpc;
import dev.troupe.v1.MemoryServiceGrpc.MemoryServiceFutureStub;
import dev.troupe.v1.MemorySpace;
import dev.troupe.v1.MemoryTier;
import dev.troupe.v1.PromotionRule;
import dev.troupe.v1.PutMemoryResponse;
import dev.troupe.v1.SpaceSettings;
import dev.troupe.v1.TierSettings;
import dev.troupe.v1.UpdateMemoryDefaultsRequest;
import dev.troupe.v1.UpdateMemoryDefaultsResponse;
import dev.troupe.v1.UpdateSpaceRequest;
import io.grpc.Status;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** What a namespace says where its spaces have no settings of their own. */
interface MemoryDefaultsContract extends MemoryContract {

  Duration USUAL = Durations.fromMinutes(15);
  Duration TWO_HOURS = Durations.fromHours(2);

  private static TierSettings lasting(Duration lifetime) {
    return TierSettings.newBuilder().setLifetime(lifetime).build();
  }

  private UpdateMemoryDefaultsRequest.Builder updating(
      SpaceSettings.Builder settings, String... paths) {
    return UpdateMemoryDefaultsRequest.newBuilder()
        .setNamespace(memory().namespace())
        .setSettings(settings)
        .setUpdateMask(FieldMask.newBuilder().addAllPaths(List.of(paths)));
  }

  private MemoryDefaults update(SpaceSettings.Builder settings, String... paths) {
    return memory().a().updateMemoryDefaults(updating(settings, paths).build()).getDefaults();
  }

  private MemoryDefaults lastTwoHours() {
    return update(SpaceSettings.newBuilder().setShortTier(lasting(TWO_HOURS)), "short_tier");
  }

  private MemoryDefaults defaults() {
    return memory()
        .b()
        .getMemoryDefaults(
            GetMemoryDefaultsRequest.newBuilder().setNamespace(memory().namespace()).build())
        .getDefaults();
  }

  private void updateSpace(String space, SpaceSettings.Builder settings, String path) {
    memory()
        .a()
        .updateSpace(
            UpdateSpaceRequest.newBuilder()
                .setNamespace(memory().namespace())
                .setSpace(space)
                .setSettings(settings)
                .setUpdateMask(FieldMask.newBuilder().addPaths(path))
                .build());
  }

  private static Duration lifetime(MemoryItem item) {
    return Timestamps.between(item.getCreateTime(), item.getExpireTime());
  }

  /** How long something lasts that is put through the other server than settings are changed. */
  private Duration putInto(String space, MemoryTier tier) {
    return lifetime(
        memory()
            .b()
            .putMemory(memory().putting(space, text("" + System.nanoTime(), tier)).build())
            .getItem());
  }

  private Duration putInto(String space) {
    return putInto(space, MemoryTier.MEMORY_TIER_SHORT);
  }

  @Test
  default void aNamespaceSaysNothingUntilItIsTold() {
    assertThat(defaults().getVersion()).isZero();
    assertThat(defaults().getSettings()).isEqualTo(SpaceSettings.getDefaultInstance());
    assertThat(defaults().hasUpdateTime()).isFalse();
    assertThat(putInto("s")).isEqualTo(USUAL);
  }

  @Test
  default void allPartitionsFollowAtOnceAlsoSpacesThatAreThere() {
    List<String> spaces = IntStream.range(0, 32).mapToObj(i -> "s" + i).toList();
    spaces.subList(0, 16).forEach(space -> assertThat(putInto(space)).isEqualTo(USUAL));
    MemoryDefaults changed = lastTwoHours();
    assertThat(changed.getVersion()).isEqualTo(1);
    assertThat(changed.getSpreading()).isFalse();
    spaces.forEach(space -> assertThat(putInto(space)).isEqualTo(TWO_HOURS));
    MemorySpace space = memory().space("s0");
    assertThat(space.getVersion()).isEqualTo(1);
    assertThat(space.getSettings().getShortTier().getLifetime()).isEqualTo(TWO_HOURS);
    assertThat(space.getOwnSettings()).isEqualTo(SpaceSettings.getDefaultInstance());
    assertThat(defaults()).isEqualTo(changed);
  }

  @Test
  default void whatASpaceOrAnItemSaysItselfStands() {
    memory()
        .create("own", SpaceSettings.newBuilder().setShortTier(lasting(Durations.fromMinutes(10))));
    update(
        SpaceSettings.newBuilder()
            .setShortTier(lasting(TWO_HOURS))
            .setWorkingTier(lasting(Durations.fromHours(3))),
        "short_tier",
        "working_tier");
    assertThat(putInto("own")).isEqualTo(Durations.fromMinutes(10));
    assertThat(putInto("own", MemoryTier.MEMORY_TIER_WORKING)).isEqualTo(Durations.fromHours(3));
    assertThat(
            lifetime(
                memory()
                    .put("own", text("its own").setLifetime(Durations.fromSeconds(100)))
                    .getItem()))
        .isEqualTo(Durations.fromSeconds(100));
    assertThat(memory().space("own").getSettings().getWorkingTier().getLifetime())
        .isEqualTo(Durations.fromHours(3));

    updateSpace("own", SpaceSettings.newBuilder(), "short_tier");
    assertThat(putInto("own")).isEqualTo(TWO_HOURS);
    update(SpaceSettings.newBuilder(), "short_tier", "working_tier");
    assertThat(putInto("own")).isEqualTo(USUAL);
  }

  @Test
  default void readsRefreshAndPromoteAsTheNamespaceSaysUnlessTheSpaceDoesNot() {
    update(
        SpaceSettings.newBuilder()
            .setRefreshOnRead(true)
            .addPromotions(
                PromotionRule.newBuilder()
                    .setFrom(MemoryTier.MEMORY_TIER_SHORT)
                    .setReads(2)
                    .setTo(MemoryTier.MEMORY_TIER_LONG)),
        "refresh_on_read",
        "promotions");
    memory()
        .create(
            "not",
            SpaceSettings.newBuilder()
                .setRefreshOnRead(false)
                .addPromotions(PromotionRule.newBuilder().setFrom(MemoryTier.MEMORY_TIER_SHORT)));
    for (String space : List.of("as said", "not")) {
      String id = memory().put(space, text("x")).getItem().getItemId();
      memory().a().getMemory(memory().getting(space, id).build());
      memory().a().getMemory(memory().getting(space, id).build());
      assertThat(memory().peek(space, id).getTier())
          .isEqualTo(
              space.equals("not") ? MemoryTier.MEMORY_TIER_SHORT : MemoryTier.MEMORY_TIER_LONG);
    }
    assertThat(memory().space("as said").getSettings().getRefreshOnRead()).isTrue();
    assertThat(memory().space("as said").getSettings().getPromotionsCount()).isEqualTo(1);
    assertThat(memory().space("not").getSettings().getRefreshOnRead()).isFalse();
    assertThat(memory().space("not").getSettings().getPromotionsCount()).isZero();
    updateSpace("not", SpaceSettings.newBuilder(), "refresh_on_read");
    assertThat(memory().space("not").getSettings().getRefreshOnRead()).isTrue();
  }

  @Test
  default void aSmallerQuotaIsReachedInAllSpacesThatHaveNoneOfTheirOwn() {
    List<String> spaces = IntStream.range(0, 70).mapToObj(i -> "s" + i).toList();
    memory().create("s0", SpaceSettings.newBuilder().setMaxItems(5));
    for (String space : spaces) {
      for (int i = 0; i < 3; i++) {
        memory().put(space, text("item " + i));
      }
    }
    update(SpaceSettings.newBuilder().setMaxItems(1), "max_items");
    for (String space : spaces.subList(1, spaces.size())) {
      until(() -> memory().space(space).getItems() == 1);
      assertThat(memory().texts(space, MemoryFilter.newBuilder())).containsExactly("item 2");
    }
    assertThat(memory().space("s0").getItems()).isEqualTo(3);
  }

  @Test
  default void aSpaceChangesOverAtOnePoint() throws Exception {
    for (int i = 0; i < 4; i++) {
      // The change may overtake all the puts that are sent before it.
      assertThat(putInto("s" + i)).isEqualTo(USUAL);
    }
    List<ListenableFuture<PutMemoryResponse>> puts = new ArrayList<>();
    List<ListenableFuture<UpdateMemoryDefaultsResponse>> changes = new ArrayList<>();
    for (int i = 0; i < 400; i++) {
      if (i == 200) {
        changes.add(
            future(0)
                .updateMemoryDefaults(
                    updating(
                            SpaceSettings.newBuilder().setShortTier(lasting(TWO_HOURS)),
                            "short_tier")
                        .build()));
      }
      puts.add(future(i).putMemory(memory().putting("s" + i % 4, text("item " + i)).build()));
    }
    for (ListenableFuture<PutMemoryResponse> put : puts) {
      put.get(60, TimeUnit.SECONDS);
    }
    changes.get(0).get(60, TimeUnit.SECONDS);
    for (int i = 0; i < 4; i++) {
      assertThat(putInto("s" + i)).isEqualTo(TWO_HOURS);
      List<Duration> inOrder =
          memory().list("s" + i, MemoryFilter.newBuilder(), 0).stream()
              .map(MemoryDefaultsContract::lifetime)
              .toList();
      assertThat(inOrder).hasSize(102).containsOnly(USUAL, TWO_HOURS);
      assertThat(inOrder).isSortedAccordingTo(Durations.comparator());
    }
  }

  private MemoryServiceFutureStub future(int i) {
    return MemoryServiceGrpc.newFutureStub(i % 2 == 0 ? memory().channelA() : memory().channelB())
        .withDeadlineAfter(60, TimeUnit.SECONDS);
  }

  @Test
  default void thoseWhoChangeDifferentSettingsAtOnceDoNotUndoEachOther() throws Exception {
    List<String> paths = List.of("max_items", "max_bytes", "refresh_on_read", "short_tier");
    SpaceSettings.Builder settings =
        SpaceSettings.newBuilder()
            .setMaxItems(77)
            .setMaxBytes(1 << 20)
            .setRefreshOnRead(true)
            .setShortTier(lasting(TWO_HOURS));
    List<ListenableFuture<UpdateMemoryDefaultsResponse>> calls = new ArrayList<>();
    for (int i = 0; i < paths.size(); i++) {
      calls.add(future(i).updateMemoryDefaults(updating(settings, paths.get(i)).build()));
    }
    for (ListenableFuture<UpdateMemoryDefaultsResponse> call : calls) {
      call.get(60, TimeUnit.SECONDS);
    }
    until(() -> !defaults().getSpreading());
    assertThat(defaults().getVersion()).isEqualTo(4);
    assertThat(defaults().getSettings()).isEqualTo(settings.build());
    for (int i = 0; i < 16; i++) {
      memory().put("s" + i, text("x"));
      assertThat(memory().space("s" + i).getSettings().getMaxItems()).isEqualTo(77);
      assertThat(memory().space("s" + i).getSettings().getMaxBytes()).isEqualTo(1 << 20);
    }
  }

  @Test
  default void aPartitionThatIsBehindIsBroughtToTheNewestByTheSweeper() {
    lastTwoHours();
    // As one is that was not told before the server ended, or that lost its data.
    for (int partition = 0; partition < memory().partitions() - 1; partition++) {
      memory().lose(partition, "me:def");
    }
    if (memory().partitions() > 1) {
      until(() -> !defaults().getSpreading());
    } else {
      lastTwoHours();
    }
    assertThat(defaults().getSettings().getShortTier().getLifetime()).isEqualTo(TWO_HOURS);
    for (int i = 0; i < 32; i++) {
      assertThat(putInto("s" + i)).isEqualTo(TWO_HOURS);
    }
  }

  @Test
  default void versionsAndRequestIdsAreCompared() {
    assertThat(lastTwoHours().getVersion()).isEqualTo(1);
    UpdateMemoryDefaultsRequest request =
        updating(SpaceSettings.newBuilder().setMaxItems(5), "max_items")
            .setExpectedVersion(1)
            .setRequestId("r1")
            .build();
    MemoryDefaults first = memory().a().updateMemoryDefaults(request).getDefaults();
    assertThat(first.getVersion()).isEqualTo(2);
    assertThat(first.getSettings().getShortTier()).isEqualTo(lasting(TWO_HOURS));
    assertThat(memory().b().updateMemoryDefaults(request).getDefaults()).isEqualTo(first);
    Refusal late =
        Refusal.of(
            () ->
                memory().b().updateMemoryDefaults(request.toBuilder().setRequestId("r2").build()));
    assertThat(late.code()).isEqualTo(Status.Code.ABORTED);
    assertThat(late.reason()).isEqualTo("VERSION_MISMATCH");
    assertThat(late.metadata()).containsEntry("current_version", "2");
    Refusal reused =
        Refusal.of(
            () ->
                memory()
                    .b()
                    .updateMemoryDefaults(
                        updating(SpaceSettings.newBuilder().setMaxItems(6), "max_items")
                            .setRequestId("r1")
                            .build()));
    assertThat(reused.reason()).isEqualTo("REQUEST_ID_REUSED");
    assertThat(defaults()).isEqualTo(first);
  }

  @Test
  default void whatIsNotForAllSpacesIsRefused() {
    Refusal refusal =
        Refusal.of(
            () ->
                update(
                    SpaceSettings.newBuilder().setShortTier(lasting(Durations.fromMillis(1))),
                    "short_tier",
                    "dimension"));
    assertThat(refusal.code()).isEqualTo(Status.Code.INVALID_ARGUMENT);
    assertThat(refusal.fields())
        .containsOnlyKeys("update_mask.paths[1]", "settings.short_tier.lifetime");
  }
}
