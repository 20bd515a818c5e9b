package dev.troupe.server.memory;

import com.google.inject.Inject;
import com.google.protobuf.Duration;
import com.google.protobuf.util.Durations;
import dev.troupe.v1.Fusion;
import dev.troupe.v1.MemoryTier;
import dev.troupe.v1.PromotionRule;
import dev.troupe.v1.SearchSettings;
import dev.troupe.v1.SpaceSettings;
import dev.troupe.v1.TextLanguage;
import dev.troupe.v1.TierSettings;
import dev.troupe.v1.VectorMetric;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/** Fills in what the settings of a space leave to the server. */
final class SpaceDefaults {

  private static final int RANK_CONSTANT = 60;
  private static final Duration HALF_LIFE = Durations.fromHours(1);
  private static final int TIERS = 3;

  private final MemoryConfig config;
  private final SpaceSettings untouched;

  @Inject
  SpaceDefaults(MemoryConfig config) {
    this.config = config;
    this.untouched = complete(SpaceSettings.getDefaultInstance());
  }

  /** The settings of a space that begins by itself. */
  SpaceSettings untouched() {
    return untouched;
  }

  /** The same settings, all of them given. */
  SpaceSettings complete(SpaceSettings given) {
    SpaceSettings.Builder all = given.toBuilder();
    if (given.getMetric() == VectorMetric.VECTOR_METRIC_UNSPECIFIED) {
      all.setMetric(VectorMetric.VECTOR_METRIC_COSINE);
    }
    if (given.getLanguage() == TextLanguage.TEXT_LANGUAGE_UNSPECIFIED) {
      all.setLanguage(TextLanguage.TEXT_LANGUAGE_ANY);
    }
    all.setShortTier(tier(given.getShortTier(), config.shortLifetime()));
    all.setWorkingTier(tier(given.getWorkingTier(), config.workingLifetime()));
    all.setLongTier(tier(given.getLongTier(), config.longLifetime()));
    if (given.getMaxItems() == 0) {
      all.setMaxItems(config.maxItems());
    }
    if (given.getMaxBytes() == 0) {
      all.setMaxBytes(config.maxBytes().bytes());
    }
    if (!given.hasConversationLifetime()) {
      all.setConversationLifetime(proto(config.conversationLifetime()));
    }
    return all.setSearch(search(given.getSearch())).build();
  }

  private TierSettings tier(TierSettings given, java.time.Duration lifetime) {
    TierSettings.Builder all = given.toBuilder();
    if (!given.hasLifetime()) {
      all.setLifetime(proto(lifetime));
    }
    if (!given.hasConsolidationLead()) {
      all.setConsolidationLead(proto(config.consolidationLead()));
    }
    return all.build();
  }

  private static SearchSettings search(SearchSettings given) {
    SearchSettings.Builder all = given.toBuilder();
    if (given.getFusion() == Fusion.FUSION_UNSPECIFIED) {
      all.setFusion(Fusion.FUSION_RECIPROCAL_RANK);
    }
    all.setVectorWeight(given.hasVectorWeight() ? given.getVectorWeight() : 1);
    all.setTextWeight(given.hasTextWeight() ? given.getTextWeight() : 1);
    all.setRecencyWeight(given.getRecencyWeight());
    all.setImportanceWeight(given.getImportanceWeight());
    if (given.getRankConstant() == 0) {
      all.setRankConstant(RANK_CONSTANT);
    }
    if (!given.hasRecencyHalfLife()) {
      all.setRecencyHalfLife(HALF_LIFE);
    }
    return all.build();
  }

  private static Duration proto(java.time.Duration duration) {
    return Durations.fromMillis(duration.toMillis());
  }

  /** What the scripts need of complete settings, in the order of {@code lua/memory/space}. */
  static String numbers(SpaceSettings settings) {
    List<TierSettings> tiers =
        List.of(settings.getShortTier(), settings.getWorkingTier(), settings.getLongTier());
    List<Long> numbers = new ArrayList<>();
    tiers.forEach(tier -> numbers.add(Durations.toMicros(tier.getLifetime())));
    tiers.forEach(tier -> numbers.add(Durations.toMicros(tier.getConsolidationLead())));
    numbers.add(settings.getRefreshOnRead() ? 1L : 0L);
    long[] reads = new long[TIERS];
    long[] to = new long[TIERS];
    for (PromotionRule rule : settings.getPromotionsList()) {
      int index = rule.getFrom().getNumber() - MemoryTier.MEMORY_TIER_SHORT_VALUE;
      reads[index] = rule.getReads();
      to[index] = rule.getTo().getNumber();
    }
    for (long each : reads) {
      numbers.add(each);
    }
    for (long each : to) {
      numbers.add(each);
    }
    numbers.add(settings.getMaxItems());
    numbers.add(settings.getMaxBytes());
    numbers.add(Durations.toMicros(settings.getConversationLifetime()));
    return numbers.stream().map(String::valueOf).collect(Collectors.joining(" "));
  }
}
