package dev.troupe.server.memory;

import com.google.errorprone.annotations.CanIgnoreReturnValue;
import dev.troupe.server.grpc.Checks;
import dev.troupe.v1.CreateSpaceRequest;
import dev.troupe.v1.DeleteSpaceRequest;
import dev.troupe.v1.Fusion;
import dev.troupe.v1.ListSpacesRequest;
import dev.troupe.v1.MemoryTier;
import dev.troupe.v1.PromotionRule;
import dev.troupe.v1.SearchSettings;
import dev.troupe.v1.SpaceSettings;
import dev.troupe.v1.TextLanguage;
import dev.troupe.v1.TierSettings;
import dev.troupe.v1.UpdateMemoryDefaultsRequest;
import dev.troupe.v1.UpdateSpaceRequest;
import dev.troupe.v1.VectorMetric;
import dev.troupe.v1.WatchMemoryRequest;
import java.time.Duration;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;

/** The limits of memory spaces, checked at the door. */
final class SpaceChecks {

  static final int MOST_DIMENSION = 4096;
  static final long MOST_ITEMS = 10_000_000;
  static final long MOST_BYTES = 1L << 40;
  static final Duration LEAST_LIFETIME = Duration.ofSeconds(1);
  static final Duration MOST_LIFETIME = Duration.ofDays(365);

  private static final Set<String> MASK =
      Set.of(
          "dimension",
          "short_tier",
          "working_tier",
          "long_tier",
          "refresh_on_read",
          "promotions",
          "max_items",
          "max_bytes",
          "search",
          "conversation_lifetime",
          "description");
  private static final Set<String> NAMESPACE_MASK =
      Set.of(
          "short_tier",
          "working_tier",
          "long_tier",
          "refresh_on_read",
          "promotions",
          "max_items",
          "max_bytes",
          "conversation_lifetime");
  private static final Duration MOST_LEAD = Duration.ofDays(30);
  private static final Duration MOST_TALK = Duration.ofDays(3650);
  private static final int DESCRIPTION_BYTES = 1024;
  private static final double MOST_WEIGHT = 100;
  private static final int MOST_READS = 1_000_000;
  private static final int MOST_PAGE = 500;
  private static final int MOST_SPACES = 256;
  private static final int TIERS = 3;

  private SpaceChecks() {}

  static void create(CreateSpaceRequest request) {
    Checks checks =
        new Checks()
            .namespace(request.getNamespace())
            .name("space", request.getSpace())
            .requestId(request.getRequestId())
            .fence(request.hasFence(), request.getFence());
    settings(checks, request.getSettings());
    checks.done();
  }

  static void update(UpdateSpaceRequest request) {
    Checks checks =
        new Checks()
            .namespace(request.getNamespace())
            .name("space", request.getSpace())
            .that(request.getUpdateMask().getPathsCount() > 0, "update_mask", "required")
            .that(request.getExpectedVersion() >= 0, "expected_version", "expected 0 or more")
            .requestId(request.getRequestId())
            .fence(request.hasFence(), request.getFence());
    mask(checks, request.getUpdateMask().getPathsList(), MASK);
    settings(checks, request.getSettings());
    checks.done();
  }

  static void defaults(UpdateMemoryDefaultsRequest request) {
    Checks checks =
        new Checks()
            .namespace(request.getNamespace())
            .that(request.getUpdateMask().getPathsCount() > 0, "update_mask", "required")
            .that(request.getExpectedVersion() >= 0, "expected_version", "expected 0 or more")
            .requestId(request.getRequestId())
            .fence(request.hasFence(), request.getFence());
    mask(checks, request.getUpdateMask().getPathsList(), NAMESPACE_MASK);
    settings(checks, request.getSettings());
    checks.done();
  }

  static void mask(Checks checks, List<String> paths, Set<String> known) {
    for (int i = 0; i < paths.size(); i++) {
      String path = paths.get(i);
      checks.that(
          known.contains(path),
          "update_mask.paths[" + i + "]",
          "not a field that can be changed: " + Checks.quoted(path));
    }
  }

  private static void settings(Checks checks, SpaceSettings settings) {
    checks
        .range("settings.dimension", settings.getDimension(), 0, MOST_DIMENSION)
        .that(settings.getMetric() != VectorMetric.UNRECOGNIZED, "settings.metric", "unknown")
        .that(settings.getLanguage() != TextLanguage.UNRECOGNIZED, "settings.language", "unknown")
        .range("settings.max_items", settings.getMaxItems(), 0, MOST_ITEMS)
        .range("settings.max_bytes", settings.getMaxBytes(), 0, MOST_BYTES)
        .duration(
            "settings.conversation_lifetime",
            settings.hasConversationLifetime(),
            settings.getConversationLifetime(),
            LEAST_LIFETIME,
            MOST_TALK)
        .text("settings.description", settings.getDescription(), DESCRIPTION_BYTES);
    tier(checks, "settings.short_tier", settings.getShortTier());
    tier(checks, "settings.working_tier", settings.getWorkingTier());
    tier(checks, "settings.long_tier", settings.getLongTier());
    promotions(checks, settings.getPromotionsList());
    search(checks, "settings.search", settings.getSearch());
  }

  private static void tier(Checks checks, String at, TierSettings tier) {
    checks
        .duration(
            at + ".lifetime", tier.hasLifetime(), tier.getLifetime(), LEAST_LIFETIME, MOST_LIFETIME)
        .duration(
            at + ".consolidation_lead",
            tier.hasConsolidationLead(),
            tier.getConsolidationLead(),
            Duration.ZERO,
            MOST_LEAD);
  }

  private static void promotions(Checks checks, List<PromotionRule> rules) {
    checks.atMost("settings.promotions", rules.size(), TIERS);
    Set<MemoryTier> seen = EnumSet.noneOf(MemoryTier.class);
    for (int i = 0; i < Math.min(rules.size(), TIERS); i++) {
      PromotionRule rule = rules.get(i);
      String at = "settings.promotions[" + i + "].";
      boolean from =
          switch (rule.getFrom()) {
            case MEMORY_TIER_SHORT, MEMORY_TIER_WORKING, MEMORY_TIER_LONG -> true;
            default -> false;
          };
      checks
          .that(from, at + "from", "expected SHORT, WORKING or LONG")
          .that(seen.add(rule.getFrom()), at + "from", "there twice")
          .that(
              rule.getReads() == 0
                  || (rule.getTo() != MemoryTier.UNRECOGNIZED
                      && rule.getToValue() > rule.getFromValue()),
              at + "to",
              "expected a higher tier")
          .range(at + "reads", rule.getReads(), 0, MOST_READS);
    }
  }

  static void search(Checks checks, String at, SearchSettings search) {
    checks
        .that(search.getFusion() != Fusion.UNRECOGNIZED, at + ".fusion", "unknown")
        .range(at + ".rank_constant", search.getRankConstant(), 0, 1000)
        .duration(
            at + ".recency_half_life",
            search.hasRecencyHalfLife(),
            search.getRecencyHalfLife(),
            LEAST_LIFETIME,
            MOST_LIFETIME);
    weight(checks, at + ".vector_weight", search.getVectorWeight());
    weight(checks, at + ".text_weight", search.getTextWeight());
    weight(checks, at + ".recency_weight", search.getRecencyWeight());
    checks.that(
        search.getImportanceWeight() >= 0 && search.getImportanceWeight() <= 1,
        at + ".importance_weight",
        "expected a number from 0 to 1");
  }

  private static void weight(Checks checks, String field, double value) {
    checks.that(value >= 0 && value <= MOST_WEIGHT, field, "expected a number from 0 to 100");
  }

  static void list(ListSpacesRequest request) {
    page(new Checks().namespace(request.getNamespace()), request.getPageSize())
        .optionalName("prefix", request.getPrefix())
        .done();
  }

  @CanIgnoreReturnValue
  static Checks page(Checks checks, int size) {
    return checks.range("page_size", size, 0, MOST_PAGE);
  }

  static void delete(DeleteSpaceRequest request) {
    new Checks()
        .namespace(request.getNamespace())
        .name("space", request.getSpace())
        .requestId(request.getRequestId())
        .fence(request.hasFence(), request.getFence())
        .done();
  }

  static void watch(WatchMemoryRequest request) {
    new Checks()
        .namespace(request.getNamespace())
        .names("spaces", request.getSpacesList(), MOST_SPACES)
        .atMost("kinds", request.getKindsCount(), MOST_SPACES)
        .done();
  }
}
