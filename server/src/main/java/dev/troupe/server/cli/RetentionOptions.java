package dev.troupe.server.cli;

import com.google.protobuf.util.Durations;
import dev.troupe.server.config.DurationText;
import dev.troupe.v1.MemoryTier;
import dev.troupe.v1.PromotionRule;
import dev.troupe.v1.SpaceSettings;
import dev.troupe.v1.TierSettings;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Consumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/**
 * How long memory is kept, and how much of it, as far as it is said: for a space, or for all of a
 * namespace that do not say it themselves.
 */
class RetentionOptions {

  static final String SERVERS = "as the server has it";

  /** Gives a setting back to whoever decides without it. */
  private static final String INHERIT = "inherit";

  private static final String NONE = "none";
  private static final Pattern PROMOTION = Pattern.compile("(\\w+):(\\d{1,9}):(\\w+)");
  private static final List<MemoryTier> PROMOTED =
      List.of(
          MemoryTier.MEMORY_TIER_SHORT,
          MemoryTier.MEMORY_TIER_WORKING,
          MemoryTier.MEMORY_TIER_LONG);

  @Option(
      names = "--short-lifetime",
      paramLabel = "DURATION",
      description = "How long items of the short tier last; 0s: as without this setting.")
  @Nullable Duration shortLifetime;

  @Option(
      names = "--working-lifetime",
      paramLabel = "DURATION",
      description = "The same for the working tier.")
  @Nullable Duration workingLifetime;

  @Option(
      names = "--long-lifetime",
      paramLabel = "DURATION",
      description = "The same for the long tier.")
  @Nullable Duration longLifetime;

  @Option(
      names = "--consolidation-lead",
      paramLabel = "DURATION",
      description =
          "How long before their end items of all tiers are told; 0s: never; inherit: as without"
              + " this setting.")
  @Nullable String lead;

  @Option(
      names = "--refresh-on-read",
      negatable = true,
      description = "A read makes an item last its lifetime again.")
  @Nullable Boolean refresh;

  @Option(
      names = {"--promotion", "--promote"},
      paramLabel = "FROM:READS:TO",
      description =
          "Such as short:3:working, one for each tier; those named before are given up. none:"
              + " from no other tier; inherit: from other tiers as without this setting.")
  @Nullable List<String> promotions;

  @Option(
      names = "--max-items",
      paramLabel = "N",
      description = "Of more items some are evicted; 0: as without this setting.")
  @Nullable Long maxItems;

  @Option(
      names = "--max-bytes",
      paramLabel = "SIZE",
      description = "Of more bytes items are evicted, such as 64MiB; 0: as without this setting.")
  @Nullable String maxBytes;

  @Option(
      names = "--conversation-lifetime",
      paramLabel = "DURATION",
      description =
          "How long a conversation lasts after its last turn; 0s: as without this setting.")
  @Nullable Duration conversationLifetime;

  /** Fills the settings in; returns the paths of those that were said. */
  Set<String> into(SpaceSettings.Builder settings) {
    Set<String> paths = new TreeSet<>();
    Duration told = lead == null || lead.equals(INHERIT) ? null : lead(lead);
    tier(settings.getShortTierBuilder(), shortLifetime, told, "short_tier", paths);
    tier(settings.getWorkingTierBuilder(), workingLifetime, told, "working_tier", paths);
    tier(settings.getLongTierBuilder(), longLifetime, told, "long_tier", paths);
    if (refresh != null) {
      settings.setRefreshOnRead(refresh);
      paths.add("refresh_on_read");
    }
    if (promotions != null) {
      settings.clearPromotions().addAllPromotions(rules(promotions));
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
      set(
          conversationLifetime,
          settings::setConversationLifetime,
          settings::clearConversationLifetime);
      paths.add("conversation_lifetime");
    }
    return paths;
  }

  private void tier(
      TierSettings.Builder tier,
      @Nullable Duration lifetime,
      @Nullable Duration told,
      String path,
      Set<String> paths) {
    if (lifetime != null) {
      set(lifetime, tier::setLifetime, tier::clearLifetime);
      paths.add(path);
    }
    if (lead != null) {
      tier.clearConsolidationLead();
      paths.add(path);
    }
    if (told != null) {
      tier.setConsolidationLead(proto(told));
    }
  }

  private static void set(
      Duration lifetime, Consumer<com.google.protobuf.Duration> setter, Runnable clearer) {
    if (lifetime.isZero()) {
      clearer.run();
    } else {
      setter.accept(proto(lifetime));
    }
  }

  static com.google.protobuf.Duration proto(Duration duration) {
    return Durations.fromNanos(duration.toNanos());
  }

  private static Duration lead(String text) {
    try {
      return DurationText.parse(text);
    } catch (IllegalArgumentException e) {
      throw new UsageException(
          "--consolidation-lead: "
              + text
              + " (expected: "
              + DurationText.EXPECTED
              + ", or "
              + INHERIT
              + ")");
    }
  }

  /** With a rule for each tier when none other is to promote, as one that is not named inherits. */
  private static List<PromotionRule> rules(List<String> given) {
    List<PromotionRule> rules = new ArrayList<>();
    given.stream()
        .filter(text -> !text.equals(NONE) && !text.equals(INHERIT))
        .forEach(text -> rules.add(promotion(text)));
    if (given.contains(NONE)) {
      PROMOTED.stream()
          .filter(tier -> rules.stream().noneMatch(rule -> rule.getFrom() == tier))
          .map(tier -> PromotionRule.newBuilder().setFrom(tier).build())
          .forEach(rules::add);
    }
    return rules;
  }

  private static PromotionRule promotion(String text) {
    Matcher rule = PROMOTION.matcher(text);
    if (!rule.matches()) {
      throw new UsageException(
          "--promotion: "
              + text
              + " (expected: FROM:READS:TO such as short:3:working, none or inherit)");
    }
    return PromotionRule.newBuilder()
        .setFrom(Names.constant("--promotion", MemoryTier.class, rule.group(1)))
        .setReads(Integer.parseInt(rule.group(2)))
        .setTo(Names.constant("--promotion", MemoryTier.class, rule.group(3)))
        .build();
  }

  /** How long items of a tier last, and when they are told. */
  static String tier(TierSettings tier) {
    String lifetime = tier.hasLifetime() ? Text.setting(tier.getLifetime()) : SERVERS;
    return tier.hasConsolidationLead() ? lifetime + ", told " + told(tier) : lifetime;
  }

  private static String told(TierSettings tier) {
    com.google.protobuf.Duration lead = tier.getConsolidationLead();
    if (Durations.toNanos(lead) == 0) {
      return "never";
    }
    return tier.hasLifetime() && Durations.compare(lead, tier.getLifetime()) >= 0
        ? "at once (" + Text.setting(lead) + " before its end)"
        : Text.setting(lead) + " before its end";
  }

  /** Rules as the option takes them. */
  static String promotions(SpaceSettings settings) {
    String rules =
        settings.getPromotionsList().stream()
            .filter(rule -> rule.getReads() > 0)
            .map(
                rule ->
                    Text.of(rule.getFrom()) + ":" + rule.getReads() + ":" + Text.of(rule.getTo()))
            .collect(Collectors.joining(" "))
            .toLowerCase(Locale.ROOT);
    return rules.isEmpty() ? "none" : rules;
  }
}
