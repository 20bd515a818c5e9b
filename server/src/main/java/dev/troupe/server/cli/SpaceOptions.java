package dev.troupe.server.cli;

import com.google.protobuf.util.Durations;
import dev.troupe.v1.Fusion;
import dev.troupe.v1.MemoryTier;
import dev.troupe.v1.PromotionRule;
import dev.troupe.v1.SearchSettings;
import dev.troupe.v1.SpaceSettings;
import dev.troupe.v1.TierSettings;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Settings of a memory space, as far as they are said. */
final class SpaceOptions {

  private static final Pattern PROMOTION = Pattern.compile("(\\w+):(\\d{1,9}):(\\w+)");

  @Option(names = "--dimension", paramLabel = "N", description = "Numbers of an embedding.")
  @Nullable Integer dimension;

  @Option(names = "--short-lifetime", description = "How long items of the short tier last.")
  @Nullable Duration shortLifetime;

  @Option(names = "--working-lifetime", description = "The same for the working tier.")
  @Nullable Duration workingLifetime;

  @Option(names = "--long-lifetime", description = "The same for the long tier.")
  @Nullable Duration longLifetime;

  @Option(
      names = "--consolidation-lead",
      description = "How long before their end items of all tiers are told; 0s: never.")
  @Nullable Duration lead;

  @Option(
      names = "--refresh-on-read",
      negatable = true,
      description = "A read makes an item last its lifetime again.")
  @Nullable Boolean refresh;

  @Option(
      names = "--promotion",
      paramLabel = "FROM:READS:TO",
      description = "Such as short:3:working; repeatable; none: no promotions.")
  @Nullable List<String> promotions;

  @Option(names = "--max-items", paramLabel = "N", description = "Of more items some are evicted.")
  @Nullable Long maxItems;

  @Option(
      names = "--max-bytes",
      paramLabel = "SIZE",
      description = "Of more bytes items are evicted, such as 64MiB; 0: the default.")
  @Nullable String maxBytes;

  @Option(
      names = "--conversation-lifetime",
      description = "How long a conversation lasts after its last turn.")
  @Nullable Duration conversationLifetime;

  @Option(names = "--fusion", description = "reciprocal-rank or weights.")
  @Nullable String fusion;

  @Option(names = "--vector-weight", paramLabel = "N", description = "0 (off) to 100.")
  @Nullable Double vectorWeight;

  @Option(names = "--text-weight", paramLabel = "N", description = "0 (off) to 100.")
  @Nullable Double textWeight;

  @Option(names = "--recency-weight", paramLabel = "N", description = "0 (off) to 100.")
  @Nullable Double recencyWeight;

  @Option(names = "--recency-half-life", description = "When recency counts half.")
  @Nullable Duration recencyHalfLife;

  @Option(names = "--importance-weight", paramLabel = "N", description = "0 (not at all) to 1.")
  @Nullable Double importanceWeight;

  @Option(names = "--description", description = "What the space is for.")
  @Nullable String description;

  /** Fills the settings in; returns the paths of those that were said. */
  List<String> into(SpaceSettings.Builder settings) {
    Set<String> paths = new TreeSet<>();
    tiers(settings, paths);
    search(settings.getSearchBuilder(), paths);
    if (dimension != null) {
      settings.setDimension(dimension);
      paths.add("dimension");
    }
    if (refresh != null) {
      settings.setRefreshOnRead(refresh);
      paths.add("refresh_on_read");
    }
    if (promotions != null) {
      settings.clearPromotions();
      promotions.stream()
          .filter(rule -> !rule.equals("none"))
          .forEach(rule -> settings.addPromotions(promotion(rule)));
      paths.add("promotions");
    }
    if (maxItems != null) {
      settings.setMaxItems(maxItems);
      paths.add("max_items");
    }
    if (maxBytes != null) {
      settings.setMaxBytes(Given.bytes("--max-bytes", maxBytes));
      paths.add("max_bytes");
    }
    if (conversationLifetime != null) {
      settings.setConversationLifetime(proto(conversationLifetime));
      paths.add("conversation_lifetime");
    }
    if (description != null) {
      settings.setDescription(description);
      paths.add("description");
    }
    return List.copyOf(paths);
  }

  private void tiers(SpaceSettings.Builder settings, Set<String> paths) {
    if (tier(settings.getShortTierBuilder(), shortLifetime)) {
      paths.add("short_tier");
    }
    if (tier(settings.getWorkingTierBuilder(), workingLifetime)) {
      paths.add("working_tier");
    }
    if (tier(settings.getLongTierBuilder(), longLifetime)) {
      paths.add("long_tier");
    }
  }

  private boolean tier(TierSettings.Builder tier, @Nullable Duration lifetime) {
    if (lifetime != null) {
      tier.setLifetime(proto(lifetime));
    }
    if (lead != null) {
      tier.setConsolidationLead(proto(lead));
    }
    return lifetime != null || lead != null;
  }

  private void search(SearchSettings.Builder search, Set<String> paths) {
    boolean said = fusion != null;
    if (fusion != null) {
      search.setFusion(Names.constant(Fusion.class, fusion));
    }
    if (vectorWeight != null) {
      search.setVectorWeight(vectorWeight);
      said = true;
    }
    if (textWeight != null) {
      search.setTextWeight(textWeight);
      said = true;
    }
    if (recencyWeight != null) {
      search.setRecencyWeight(recencyWeight);
      said = true;
    }
    if (recencyHalfLife != null) {
      search.setRecencyHalfLife(proto(recencyHalfLife));
      said = true;
    }
    if (importanceWeight != null) {
      search.setImportanceWeight(importanceWeight);
      said = true;
    }
    if (said) {
      paths.add("search");
    }
  }

  private static PromotionRule promotion(String text) {
    Matcher rule = PROMOTION.matcher(text);
    if (!rule.matches()) {
      throw new UsageException(
          "--promotion: " + text + " (expected: FROM:READS:TO such as short:3:working)");
    }
    return PromotionRule.newBuilder()
        .setFrom(tier(rule.group(1)))
        .setReads(Integer.parseInt(rule.group(2)))
        .setTo(tier(rule.group(3)))
        .build();
  }

  private static MemoryTier tier(String word) {
    return Names.constant(MemoryTier.class, word);
  }

  private static com.google.protobuf.Duration proto(Duration duration) {
    return Durations.fromNanos(duration.toNanos());
  }
}
