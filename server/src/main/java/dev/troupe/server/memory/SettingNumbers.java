package dev.troupe.server.memory;

import com.google.protobuf.util.Durations;
import dev.troupe.v1.MemoryTier;
import dev.troupe.v1.PromotionRule;
import dev.troupe.v1.SpaceSettings;
import dev.troupe.v1.TierSettings;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.LongStream;

/** What the scripts need of settings, in the order of {@code lua/memory/space}. */
final class SettingNumbers {

  private static final int TIERS = 3;
  private static final int REFRESH = 6;
  private static final int READS = 7;
  private static final int TO = 10;
  private static final int ITEMS = 13;
  private static final int BYTES = 14;
  private static final int TALK = 15;
  private static final int COUNT = 16;
  private static final long NOT_GIVEN = -1;

  private SettingNumbers() {}

  /**
   * The numbers of a space, and which of them are its own.
   *
   * @param complete its settings
   * @param own those of them that it has of its own
   */
  static String of(SpaceSettings complete, SpaceSettings own) {
    long[] owned = numbers(own);
    long bits = 0;
    for (int i = 0; i < COUNT; i++) {
      if (owned[i] != NOT_GIVEN) {
        bits |= 1L << i;
      }
    }
    LongStream all = Arrays.stream(numbers(complete)).map(number -> Math.max(0, number));
    return text(LongStream.concat(all, LongStream.of(bits)));
  }

  /** The numbers of what a namespace says; below 0 for what it does not say. */
  static String given(SpaceSettings settings) {
    return text(Arrays.stream(numbers(settings)));
  }

  private static String text(LongStream numbers) {
    return numbers.mapToObj(String::valueOf).collect(Collectors.joining(" "));
  }

  private static long[] numbers(SpaceSettings settings) {
    long[] numbers = new long[COUNT];
    Arrays.fill(numbers, NOT_GIVEN);
    List<TierSettings> tiers =
        List.of(settings.getShortTier(), settings.getWorkingTier(), settings.getLongTier());
    for (int i = 0; i < TIERS; i++) {
      TierSettings tier = tiers.get(i);
      if (tier.hasLifetime()) {
        numbers[i] = Durations.toMicros(tier.getLifetime());
      }
      if (tier.hasConsolidationLead()) {
        numbers[TIERS + i] = Durations.toMicros(tier.getConsolidationLead());
      }
    }
    if (settings.hasRefreshOnRead()) {
      numbers[REFRESH] = settings.getRefreshOnRead() ? 1 : 0;
    }
    for (PromotionRule rule : settings.getPromotionsList()) {
      int index = rule.getFrom().getNumber() - MemoryTier.MEMORY_TIER_SHORT_VALUE;
      numbers[READS + index] = rule.getReads();
      numbers[TO + index] = rule.getTo().getNumber();
    }
    if (settings.getMaxItems() > 0) {
      numbers[ITEMS] = settings.getMaxItems();
    }
    if (settings.getMaxBytes() > 0) {
      numbers[BYTES] = settings.getMaxBytes();
    }
    if (settings.hasConversationLifetime()) {
      numbers[TALK] = Durations.toMicros(settings.getConversationLifetime());
    }
    return numbers;
  }
}
