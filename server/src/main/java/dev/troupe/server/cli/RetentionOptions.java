package dev.troupe.server.cli;

import com.google.protobuf.util.Durations;
import dev.troupe.v1.MemoryTier;
import dev.troupe.v1.PromotionRule;
import dev.troupe.v1.SpaceSettings;
import dev.troupe.v1.TierSettings;
import java.time.Duration;
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

  private static final Pattern PROMOTION = Pattern.compile("(\\w+):(\\d{1,9}):(\\w+)");

  @Option(
      names = "--short-lifetime",
      description = "How long items of the short tier last; 0s: as without this setting.")
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
      names = {"--promotion", "--promote"},
      paramLabel = "FROM:READS:TO",
      description =
          "Such as short:3:working, one for each tier; those named before are given up. none: as"
              + " without this setting.")
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
      description =
          "How long a conversation lasts after its last turn; 0s: as without this setting.")
  @Nullable Duration conversationLifetime;

  /** Fills the settings in; returns the paths of those that were said. */
  Set<String> into(SpaceSettings.Builder settings) {
    Set<String> paths = new TreeSet<>();
    tier(settings.getShortTierBuilder(), shortLifetime, "short_tier", paths);
    tier(settings.getWorkingTierBuilder(), workingLifetime, "working_tier", paths);
    tier(settings.getLongTierBuilder(), longLifetime, "long_tier", paths);
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
      set(
          conversationLifetime,
          settings::setConversationLifetime,
          settings::clearConversationLifetime);
      paths.add("conversation_lifetime");
    }
    return paths;
  }

  private void tier(
      TierSettings.Builder tier, @Nullable Duration lifetime, String path, Set<String> paths) {
    if (lifetime != null) {
      set(lifetime, tier::setLifetime, tier::clearLifetime);
      paths.add(path);
    }
    if (lead != null) {
      tier.setConsolidationLead(proto(lead));
      paths.add(path);
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

  private static PromotionRule promotion(String text) {
    Matcher rule = PROMOTION.matcher(text);
    if (!rule.matches()) {
      throw new UsageException(
          "--promotion: " + text + " (expected: FROM:READS:TO such as short:3:working)");
    }
    return PromotionRule.newBuilder()
        .setFrom(Names.constant("--promotion", MemoryTier.class, rule.group(1)))
        .setReads(Integer.parseInt(rule.group(2)))
        .setTo(Names.constant("--promotion", MemoryTier.class, rule.group(3)))
        .build();
  }

  /** Rules as the option takes them. */
  static String promotions(SpaceSettings settings) {
    String rules =
        settings.getPromotionsList().stream()
            .map(
                rule ->
                    Text.of(rule.getFrom()) + ":" + rule.getReads() + ":" + Text.of(rule.getTo()))
            .collect(Collectors.joining(" "))
            .toLowerCase(Locale.ROOT);
    return rules.isEmpty() ? "none" : rules;
  }
}
