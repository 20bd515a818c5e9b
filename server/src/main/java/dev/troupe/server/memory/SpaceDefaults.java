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
import java.util.EnumMap;
import java.util.List;
import java.util.Map;

/** Fills in what the settings of a space leave to its namespace or to the server. */
final class SpaceDefaults {

  private static final int RANK_CONSTANT = 60;
  private static final Duration HALF_LIFE = Durations.fromHours(1);

  private final MemoryConfig config;
  private final byte[] untouched;
  private final String untouchedNumbers;

  @Inject
  SpaceDefaults(MemoryConfig config) {
    this.config = config;
    SpaceSettings nothing = SpaceSettings.getDefaultInstance();
    this.untouched = complete(nothing).toByteArray();
    this.untouchedNumbers = SettingNumbers.of(complete(nothing), nothing);
  }

  /** Adds the settings of a space that begins by itself, encoded and in numbers. */
  void addUntouched(List<Object> arguments) {
    arguments.add(untouched);
    arguments.add(untouchedNumbers);
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

  /**
   * The settings of a space as they are in force.
   *
   * @param complete its settings, those that it left to the server filled in
   * @param own those of them that it has of its own
   * @param namespace what its namespace says
   */
  static SpaceSettings inForce(SpaceSettings complete, SpaceSettings own, SpaceSettings namespace) {
    SpaceSettings.Builder all =
        complete.toBuilder()
            .setShortTier(
                tier(complete.getShortTier(), own.getShortTier(), namespace.getShortTier()))
            .setWorkingTier(
                tier(complete.getWorkingTier(), own.getWorkingTier(), namespace.getWorkingTier()))
            .setLongTier(tier(complete.getLongTier(), own.getLongTier(), namespace.getLongTier()))
            .setRefreshOnRead(
                own.hasRefreshOnRead() ? own.getRefreshOnRead() : namespace.getRefreshOnRead())
            .clearPromotions()
            .addAllPromotions(promotions(own, namespace));
    if (own.getMaxItems() == 0 && namespace.getMaxItems() > 0) {
      all.setMaxItems(namespace.getMaxItems());
    }
    if (own.getMaxBytes() == 0 && namespace.getMaxBytes() > 0) {
      all.setMaxBytes(namespace.getMaxBytes());
    }
    if (!own.hasConversationLifetime() && namespace.hasConversationLifetime()) {
      all.setConversationLifetime(namespace.getConversationLifetime());
    }
    return all.build();
  }

  /**
   * What a space has of its own that began before namespaces could say anything: all, also that
   * reads neither refresh nor promote.
   */
  static SpaceSettings ownOfBefore(SpaceSettings complete) {
    SpaceSettings.Builder own =
        complete.toBuilder().setRefreshOnRead(complete.getRefreshOnRead()).clearPromotions();
    for (MemoryTier tier :
        List.of(
            MemoryTier.MEMORY_TIER_SHORT,
            MemoryTier.MEMORY_TIER_WORKING,
            MemoryTier.MEMORY_TIER_LONG)) {
      own.addPromotions(
          complete.getPromotionsList().stream()
              .filter(rule -> rule.getFrom() == tier)
              .findFirst()
              .orElse(PromotionRule.newBuilder().setFrom(tier).build()));
    }
    return own.build();
  }

  private static TierSettings tier(TierSettings complete, TierSettings own, TierSettings other) {
    TierSettings.Builder all = complete.toBuilder();
    if (!own.hasLifetime() && other.hasLifetime()) {
      all.setLifetime(other.getLifetime());
    }
    if (!own.hasConsolidationLead() && other.hasConsolidationLead()) {
      all.setConsolidationLead(other.getConsolidationLead());
    }
    return all.build();
  }

  private static List<PromotionRule> promotions(SpaceSettings own, SpaceSettings namespace) {
    Map<MemoryTier, PromotionRule> rules = new EnumMap<>(MemoryTier.class);
    namespace.getPromotionsList().forEach(rule -> rules.put(rule.getFrom(), rule));
    own.getPromotionsList().forEach(rule -> rules.put(rule.getFrom(), rule));
    return rules.values().stream().filter(rule -> rule.getReads() > 0).toList();
  }
}
