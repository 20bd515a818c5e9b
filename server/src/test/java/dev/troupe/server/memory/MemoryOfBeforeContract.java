package dev.troupe.server.memory;

import static dev.troupe.server.memory.MemoryHarness.text;
import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.FieldMask;
import com.google.protobuf.util.Durations;
import com.google.protobuf.util.Timestamps;
import dev.troupe.v1.AppendTurnsRequest;
import dev.troupe.v1.AppendTurnsResponse;
import dev.troupe.v1.DeleteConversationRequest;
import dev.troupe.v1.MemoryItem;
import dev.troupe.v1.MemorySpace;
import dev.troupe.v1.MemoryTier;
import dev.troupe.v1.PromotionRule;
import dev.troupe.v1.SetSummaryRequest;
import dev.troupe.v1.SpaceSettings;
import dev.troupe.v1.TierSettings;
import dev.troupe.v1.Turn;
import dev.troupe.v1.UpdateMemoryDefaultsRequest;
import dev.troupe.v1.UpdateSpaceRequest;
import org.junit.jupiter.api.Test;

/** Spaces and conversations as a server wrote them that knew no settings of namespaces. */
interface MemoryOfBeforeContract extends MemoryContract {

  /** Takes away what was not there then, from a space and its conversation. */
  String REWRITE =
      """
      local s = KEYS[1]
      if redis.call('EXISTS', s) == 0 then return '' end
      local turns, all = redis.call('HGET', s, 't'), redis.call('HGET', s, 'b')
      local cfg = cmsgpack.unpack(redis.call('HGET', s, 'cfg'))
      cfg[17] = nil
      redis.call('HSET', s, 'cfg', cmsgpack.pack(cfg), 'b', all - turns)
      redis.call('HDEL', s, 'own', 't')
      local talk = string.sub(s, 1, -2)..'t:'..redis.call('HGET', s, 'g')..':c'
      local t = cmsgpack.unpack(redis.call('HGET', talk, 'h'))
      t[9] = nil
      redis.call('HSET', talk, 'h', cmsgpack.pack(t))
      local answer = string.match(s, '^.-}:')..'rq:AppendTurns:before'
      local record = cmsgpack.unpack(redis.call('GET', answer))
      record[2][5] = nil
      redis.call('SET', answer, cmsgpack.pack(record), 'PX', 600000)
      return 'done'
      """;

  private AppendTurnsRequest turns(int count, String requestId) {
    AppendTurnsRequest.Builder request =
        AppendTurnsRequest.newBuilder()
            .setNamespace(memory().namespace())
            .setSpace("s")
            .setConversation("c")
            .setRequestId(requestId);
    for (int i = 0; i < count; i++) {
      request.addTurns(Turn.newBuilder().setRole("user").setText("t".repeat(1000)));
    }
    return request.build();
  }

  private AppendTurnsResponse begin() {
    memory().create("s", SpaceSettings.newBuilder().setMaxItems(70));
    memory().put("s", text("item"));
    AppendTurnsResponse first = memory().a().appendTurns(turns(5, "before"));
    assertThat(memory().rewrite("me:1:s:s", REWRITE)).isEqualTo(1);
    return first;
  }

  private void endConversation() {
    memory()
        .a()
        .deleteConversation(
            DeleteConversationRequest.newBuilder()
                .setNamespace(memory().namespace())
                .setSpace("s")
                .setConversation("c")
                .build());
  }

  @Test
  default void turnsThatWereNotCountedNeverCountBelowNothing() {
    AppendTurnsResponse first = begin();
    long items = memory().space("s").getBytes();
    AppendTurnsResponse repeated = memory().b().appendTurns(turns(5, "before"));
    assertThat(repeated).isEqualTo(first);
    assertThat(memory().b().appendTurns(turns(1, "")).getFirstTurn()).isEqualTo(6);
    assertThat(memory().space("s").getConversationBytes()).isBetween(1000L, 1100L);
    // All that were not counted go.
    memory()
        .b()
        .setSummary(
            SetSummaryRequest.newBuilder()
                .setNamespace(memory().namespace())
                .setSpace("s")
                .setConversation("c")
                .setText("short")
                .setLastTurn(5)
                .setKeepTurns(0)
                .build());
    MemorySpace space = memory().space("s");
    assertThat(space.getConversationBytes()).isBetween(0L, 1200L);
    assertThat(space.getBytes()).isEqualTo(items + space.getConversationBytes());
    endConversation();
    assertThat(memory().space("s").getConversationBytes()).isZero();
    assertThat(memory().space("s").getBytes()).isEqualTo(items);
  }

  @Test
  default void theSettingsOfASpaceStayAsTheyAre() {
    begin();
    endConversation();
    SpaceSettings before = memory().space("s").getSettings();
    memory()
        .a()
        .updateMemoryDefaults(
            UpdateMemoryDefaultsRequest.newBuilder()
                .setNamespace(memory().namespace())
                .setSettings(
                    SpaceSettings.newBuilder()
                        .setMaxItems(1)
                        .setRefreshOnRead(true)
                        .setShortTier(TierSettings.newBuilder().setLifetime(Durations.fromHours(2)))
                        .addPromotions(
                            PromotionRule.newBuilder()
                                .setFrom(MemoryTier.MEMORY_TIER_SHORT)
                                .setReads(1)
                                .setTo(MemoryTier.MEMORY_TIER_LONG)))
                .setUpdateMask(
                    FieldMask.newBuilder()
                        .addPaths("max_items")
                        .addPaths("refresh_on_read")
                        .addPaths("short_tier")
                        .addPaths("promotions"))
                .build());
    assertThat(memory().space("s").getSettings()).isEqualTo(before);
    assertThat(before.getMaxItems()).isEqualTo(70);
    MemoryItem item = memory().put("s", text("other")).getItem();
    assertThat(Timestamps.between(item.getCreateTime(), item.getExpireTime()))
        .isEqualTo(Durations.fromMinutes(15));
    memory().a().getMemory(memory().getting("s", item.getItemId()).build());
    assertThat(memory().peek("s", item.getItemId()).getTier())
        .isEqualTo(MemoryTier.MEMORY_TIER_SHORT);
    assertThat(memory().space("s").getItems()).isEqualTo(2);

    // It may be told to follow.
    memory()
        .a()
        .updateSpace(
            UpdateSpaceRequest.newBuilder()
                .setNamespace(memory().namespace())
                .setSpace("s")
                .setUpdateMask(FieldMask.newBuilder().addPaths("short_tier"))
                .build());
    MemorySpace after = memory().space("s");
    assertThat(after.getSettings().getShortTier().getLifetime()).isEqualTo(Durations.fromHours(2));
    assertThat(after.getSettings().getMaxItems()).isEqualTo(70);
    assertThat(after.getSettings().getRefreshOnRead()).isFalse();
  }
}
