package dev.troupe.server.memory;

import static dev.troupe.server.memory.MemoryHarness.text;
import static dev.troupe.server.memory.MemoryHarness.until;
import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.util.Durations;
import com.google.protobuf.util.Timestamps;
import dev.troupe.server.grpc.Refusal;
import dev.troupe.v1.Event;
import dev.troupe.v1.EventStreamServiceGrpc;
import dev.troupe.v1.MemoryChange;
import dev.troupe.v1.MemoryChangeKind;
import dev.troupe.v1.MemoryFilter;
import dev.troupe.v1.MemoryItem;
import dev.troupe.v1.MemoryTier;
import dev.troupe.v1.PromotionRule;
import dev.troupe.v1.SpaceSettings;
import dev.troupe.v1.StartPosition;
import dev.troupe.v1.SubscribeRequest;
import dev.troupe.v1.SubscribeResponse;
import dev.troupe.v1.TierSettings;
import dev.troupe.v1.WatchMemoryRequest;
import dev.troupe.v1.WatchMemoryResponse;
import io.grpc.Context;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.function.Predicate;
import org.junit.jupiter.api.Test;

/** What time, and reading, does to items; and how others hear of it. */
interface MemoryTimeContract extends MemoryContract {

  private static TierSettings.Builder lifetime(long millis) {
    return TierSettings.newBuilder().setLifetime(Durations.fromMillis(millis));
  }

  @Test
  default void whatIsPastItsLifetimeIsNeverReturned() {
    String id =
        memory()
            .put("s", text("brief").setLifetime(Durations.fromSeconds(1)))
            .getItem()
            .getItemId();
    memory().put("s", text("stays"));
    MemoryItem item = memory().peek("s", id);
    until(
        () -> {
          try {
            // Whatever is returned had not ended when the call began.
            assertThat(memory().peek("s", id).getExpireTime()).isEqualTo(item.getExpireTime());
            return false;
          } catch (io.grpc.StatusRuntimeException e) {
            return Refusal.of(e).reason().equals("ITEM_NOT_FOUND");
          }
        });
    assertThat(memory().texts("s", MemoryFilter.newBuilder())).containsExactly("stays");
    until(() -> memory().space("s").getItems() == 1);
    MemoryItem again = memory().put("s", text("brief")).getItem();
    assertThat(again.getItemId()).isNotEqualTo(id);
    assertThat(again.getMergeCount()).isZero();
  }

  @Test
  default void contentThatEndedButIsNotSweptIsPutAnew() {
    // The sweeper pauses up to a second, so that some of these meet what it has not seen.
    String last = "";
    for (int i = 0; i < 3; i++) {
      String before = last;
      String id =
          memory()
              .put("s", text("again").setLifetime(Durations.fromSeconds(1)))
              .getItem()
              .getItemId();
      assertThat(id).isNotEqualTo(before);
      last = id;
      until(
          () ->
              !memory()
                  .b()
                  .getMemories(
                      dev.troupe.v1.GetMemoriesRequest.newBuilder()
                          .setNamespace(memory().namespace())
                          .setSpace("s")
                          .addItemIds(id)
                          .setPeek(true)
                          .build())
                  .getMissingList()
                  .isEmpty());
    }
  }

  @Test
  default void readsMakeAnItemLastWhereTheSpaceSaysSo() {
    memory()
        .create(
            "s", SpaceSettings.newBuilder().setShortTier(lifetime(4000)).setRefreshOnRead(true));
    MemoryItem put = memory().put("s", text("x")).getItem();
    // Not before a sixteenth of its lifetime has passed.
    until(
        () -> {
          MemoryItem read =
              memory().a().getMemory(memory().getting("s", put.getItemId()).build()).getItem();
          return Timestamps.compare(read.getExpireTime(), put.getExpireTime()) > 0;
        });
    MemoryItem later = memory().peek("s", put.getItemId());
    assertThat(later.getVersion()).isEqualTo(1);
    assertThat(Durations.toMillis(Timestamps.between(put.getExpireTime(), later.getExpireTime())))
        .isGreaterThanOrEqualTo(250);
  }

  @Test
  default void readsPromoteAsTheRulesSay() {
    memory()
        .create(
            "s",
            SpaceSettings.newBuilder()
                .addPromotions(
                    PromotionRule.newBuilder()
                        .setFrom(MemoryTier.MEMORY_TIER_SHORT)
                        .setReads(3)
                        .setTo(MemoryTier.MEMORY_TIER_WORKING))
                .addPromotions(
                    PromotionRule.newBuilder()
                        .setFrom(MemoryTier.MEMORY_TIER_WORKING)
                        .setReads(2)
                        .setTo(MemoryTier.MEMORY_TIER_PINNED)));
    String id = memory().put("s", text("x")).getItem().getItemId();
    List<MemoryTier> tiers = new ArrayList<>();
    for (int i = 0; i < 6; i++) {
      tiers.add(memory().a().getMemory(memory().getting("s", id).build()).getItem().getTier());
    }
    assertThat(tiers)
        .containsExactly(
            MemoryTier.MEMORY_TIER_SHORT,
            MemoryTier.MEMORY_TIER_SHORT,
            MemoryTier.MEMORY_TIER_WORKING,
            MemoryTier.MEMORY_TIER_WORKING,
            MemoryTier.MEMORY_TIER_PINNED,
            MemoryTier.MEMORY_TIER_PINNED);
    MemoryItem item = memory().peek("s", id);
    assertThat(item.getVersion()).isEqualTo(3);
    assertThat(item.hasExpireTime()).isFalse();
    assertThat(item.getReadCount()).isEqualTo(6);
  }

  @Test
  default void itemsAreAnnouncedBeforeTheyEndOncePerItem() {
    SpaceSettings.Builder settings = SpaceSettings.newBuilder();
    settings.setShortTier(lifetime(2500).setConsolidationLead(Durations.fromMillis(1500)));
    settings.setWorkingTier(lifetime(2500).setConsolidationLead(Durations.fromMillis(0)));
    memory().create("s", settings);
    List<String> ids = new ArrayList<>();
    for (int i = 0; i < 3; i++) {
      ids.add(memory().put("s", text("short " + i)).getItem().getItemId());
    }
    memory().put("s", text("working", MemoryTier.MEMORY_TIER_WORKING));
    List<String> ended = new ArrayList<>();
    List<MemoryChange> seen =
        changesUntil(
            change -> {
              if (change.getKind() == MemoryChangeKind.MEMORY_CHANGE_KIND_EXPIRED) {
                ended.addAll(change.getItemIdsList());
              }
              return ended.size() == 4;
            });
    List<String> announced = new ArrayList<>();
    for (MemoryChange change : seen) {
      if (change.getKind() == MemoryChangeKind.MEMORY_CHANGE_KIND_EXPIRING) {
        assertThat(change.getTier()).isEqualTo(MemoryTier.MEMORY_TIER_SHORT);
        assertThat(change.hasExpireTime()).isTrue();
        announced.addAll(change.getItemIdsList());
      }
    }
    assertThat(announced).containsExactlyInAnyOrderElementsOf(ids);
    assertThat(ended).doesNotHaveDuplicates().containsAll(ids);
    assertThat(memory().space("s").getItems()).isZero();
    assertThat(seen.stream().map(MemoryChange::getRevision).toList()).isSorted();
  }

  /** The changes of the namespace from the beginning on, as events. */
  private List<MemoryChange> changesUntil(Predicate<MemoryChange> last) {
    List<MemoryChange> changes = new ArrayList<>();
    Context.CancellableContext context = Context.current().withCancellation();
    context.run(
        () -> {
          Iterator<SubscribeResponse> events =
              EventStreamServiceGrpc.newBlockingStub(memory().channelB())
                  .withDeadlineAfter(30, java.util.concurrent.TimeUnit.SECONDS)
                  .subscribe(
                      SubscribeRequest.newBuilder()
                          .setNamespace(memory().namespace())
                          .addTopics("troupe.memory")
                          .setStart(StartPosition.START_POSITION_BEGINNING)
                          .build());
          while (events.hasNext()) {
            for (var delivery : events.next().getBatch().getDeliveriesList()) {
              Event event = delivery.getEvent();
              assertThat(event.getType())
                  .isEqualTo(
                      "memory."
                          + event
                              .getMemory()
                              .getKind()
                              .name()
                              .substring("MEMORY_CHANGE_KIND_".length())
                              .toLowerCase(java.util.Locale.ROOT));
              changes.add(event.getMemory());
              if (last.test(event.getMemory())) {
                return;
              }
            }
          }
        });
    context.cancel(null);
    return changes;
  }

  @Test
  default void aWatchTellsOfTheSpacesThatWereAskedForAndResumes() {
    Context.CancellableContext context = Context.current().withCancellation();
    List<String> tokens = new ArrayList<>();
    context.run(
        () -> {
          Iterator<WatchMemoryResponse> watch = watch("");
          assertThat(watch.next().hasChange()).isFalse();
          memory().put("other", text("x"));
          String id = memory().put("s", text("1")).getItem().getItemId();
          memory().put("s", text("1"));
          MemoryChange created = watch.next().getChange();
          assertThat(created.getKind())
              .isEqualTo(MemoryChangeKind.MEMORY_CHANGE_KIND_SPACE_CREATED);
          WatchMemoryResponse put = watch.next();
          assertThat(put.getChange().getKind()).isEqualTo(MemoryChangeKind.MEMORY_CHANGE_KIND_PUT);
          assertThat(put.getChange().getItemIdsList()).containsExactly(id);
          assertThat(put.getChange().getVersion()).isEqualTo(1);
          tokens.add(put.getResumeToken());
        });
    context.cancel(null);
    Context.CancellableContext second = Context.current().withCancellation();
    second.run(
        () -> {
          Iterator<WatchMemoryResponse> watch = watch(tokens.get(0));
          WatchMemoryResponse next = watch.next();
          while (!next.hasChange()) {
            next = watch.next();
          }
          assertThat(next.getChange().getKind())
              .isEqualTo(MemoryChangeKind.MEMORY_CHANGE_KIND_MERGED);
          assertThat(next.getChange().getVersion()).isEqualTo(2);
        });
    second.cancel(null);
  }

  private Iterator<WatchMemoryResponse> watch(String token) {
    return memory()
        .a()
        .watchMemory(
            WatchMemoryRequest.newBuilder()
                .setNamespace(memory().namespace())
                .addSpaces("s")
                .setResumeToken(token)
                .build());
  }
}
