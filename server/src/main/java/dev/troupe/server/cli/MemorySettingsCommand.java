package dev.troupe.server.cli;

import com.google.protobuf.FieldMask;
import com.google.protobuf.util.Durations;
import dev.troupe.server.config.DataSize;
import dev.troupe.v1.GetMemoryDefaultsRequest;
import dev.troupe.v1.MemoryDefaults;
import dev.troupe.v1.MemoryServiceGrpc;
import dev.troupe.v1.MemoryServiceGrpc.MemoryServiceBlockingStub;
import dev.troupe.v1.MemoryTier;
import dev.troupe.v1.PromotionRule;
import dev.troupe.v1.SpaceSettings;
import dev.troupe.v1.TierSettings;
import dev.troupe.v1.UpdateMemoryDefaultsRequest;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.UUID;
import java.util.concurrent.Callable;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code troupe memory settings}: what a namespace says for all its spaces. */
@Command(
    name = "settings",
    mixinStandardHelpOptions = true,
    description =
        "Shows, or with options changes, the settings of all spaces of the namespace that have"
            + " none of their own.")
final class MemorySettingsCommand implements Callable<Integer> {

  private static final String SERVERS = "as the server has it";

  private final Console console;

  @Mixin ServerOptions options;

  @Option(
      names = "--short-lifetime",
      description = "How long short-term memory lasts; 0s: as the server has it.")
  @Nullable Duration shortLifetime;

  @Option(
      names = "--working-lifetime",
      description = "How long working memory lasts; 0s: likewise.")
  @Nullable Duration workingLifetime;

  @Option(names = "--long-lifetime", description = "How long long-term memory lasts; 0s: likewise.")
  @Nullable Duration longLifetime;

  @Option(
      names = "--conversation-lifetime",
      description = "How long conversations last after their last turn; 0s: likewise.")
  @Nullable Duration conversationLifetime;

  @Option(
      names = "--refresh-on-read",
      negatable = true,
      description = "Reads make items last their whole lifetime again.")
  @Nullable Boolean refresh;

  @Option(
      names = "--promote",
      paramLabel = "RULE",
      description =
          "Items that were read so often move to a higher tier, such as short:5:long; repeatable,"
              + " replaces the rules that there were; none: no rule.")
  @Nullable List<String> promotions;

  @Option(names = "--max-items", description = "How many items a space may have; 0: likewise.")
  @Nullable Long maxItems;

  @Option(
      names = "--max-bytes",
      paramLabel = "SIZE",
      description = "How many bytes a space may take, such as 64MiB; 0: likewise.")
  @Nullable String maxBytes;

  @SuppressWarnings("NullAway.Init") // The mixin is there before it is called.
  MemorySettingsCommand(Console console) {
    this.console = console;
  }

  @Override
  public Integer call() {
    SpaceSettings.Builder settings = SpaceSettings.newBuilder();
    List<String> paths = changes(settings);
    try (Connection connection = options.connect()) {
      MemoryServiceBlockingStub stub =
          Connection.within(
              MemoryServiceGrpc.newBlockingStub(connection.channel()), options.timeoutOrUsual());
      MemoryDefaults there = read(stub);
      if (!paths.isEmpty()) {
        there = change(stub, there, keepLeads(there.getSettings(), settings), paths);
      }
      print(there);
    }
    return ExitStatus.OK;
  }

  private MemoryDefaults read(MemoryServiceBlockingStub stub) {
    return stub.getMemoryDefaults(
            GetMemoryDefaultsRequest.newBuilder().setNamespace(options.namespace).build())
        .getDefaults();
  }

  private MemoryDefaults change(
      MemoryServiceBlockingStub stub,
      MemoryDefaults there,
      SpaceSettings settings,
      List<String> paths) {
    return stub.updateMemoryDefaults(
            UpdateMemoryDefaultsRequest.newBuilder()
                .setNamespace(options.namespace)
                .setSettings(settings)
                .setUpdateMask(FieldMask.newBuilder().addAllPaths(paths))
                .setExpectedVersion(there.getVersion())
                .setRequestId(UUID.randomUUID().toString())
                .build())
        .getDefaults();
  }

  /** A tier is written as a whole; this command leaves alone what it has no option for. */
  private static SpaceSettings keepLeads(SpaceSettings there, SpaceSettings.Builder changed) {
    keepLead(there.getShortTier(), changed.getShortTierBuilder());
    keepLead(there.getWorkingTier(), changed.getWorkingTierBuilder());
    keepLead(there.getLongTier(), changed.getLongTierBuilder());
    return changed.build();
  }

  private static void keepLead(TierSettings there, TierSettings.Builder changed) {
    if (there.hasConsolidationLead()) {
      changed.setConsolidationLead(there.getConsolidationLead());
    }
  }

  /** Fills in what was said; returns the paths of that. */
  private List<String> changes(SpaceSettings.Builder settings) {
    List<String> paths = new ArrayList<>();
    if (shortLifetime != null) {
      settings.setShortTier(lasting(shortLifetime));
      paths.add("short_tier");
    }
    if (workingLifetime != null) {
      settings.setWorkingTier(lasting(workingLifetime));
      paths.add("working_tier");
    }
    if (longLifetime != null) {
      settings.setLongTier(lasting(longLifetime));
      paths.add("long_tier");
    }
    if (conversationLifetime != null) {
      if (!conversationLifetime.isZero()) {
        settings.setConversationLifetime(Durations.fromNanos(conversationLifetime.toNanos()));
      }
      paths.add("conversation_lifetime");
    }
    if (refresh != null) {
      settings.setRefreshOnRead(refresh);
      paths.add("refresh_on_read");
    }
    if (promotions != null) {
      promotions.stream()
          .filter(rule -> !rule.equals("none"))
          .forEach(rule -> settings.addPromotions(rule(rule)));
      paths.add("promotions");
    }
    if (maxItems != null) {
      settings.setMaxItems(maxItems);
      paths.add("max_items");
    }
    if (maxBytes != null) {
      settings.setMaxBytes(bytes(maxBytes));
      paths.add("max_bytes");
    }
    return paths;
  }

  private static TierSettings lasting(Duration lifetime) {
    return lifetime.isZero()
        ? TierSettings.getDefaultInstance()
        : TierSettings.newBuilder().setLifetime(Durations.fromNanos(lifetime.toNanos())).build();
  }

  private static PromotionRule rule(String text) {
    Matcher matcher =
        Pattern.compile("(short|working|long):(\\d{1,7}):(working|long|pinned)").matcher(text);
    if (!matcher.matches()) {
      throw new UsageException("--promote: " + text + " (expected: such as short:5:long)");
    }
    return PromotionRule.newBuilder()
        .setFrom(tier(matcher.group(1)))
        .setReads(Integer.parseInt(matcher.group(2)))
        .setTo(tier(matcher.group(3)))
        .build();
  }

  private static MemoryTier tier(String name) {
    return MemoryTier.valueOf("MEMORY_TIER_" + name.toUpperCase(Locale.ROOT));
  }

  private static long bytes(String text) {
    try {
      return text.equals("0") ? 0 : DataSize.parse(text).bytes();
    } catch (IllegalArgumentException e) {
      throw new UsageException("--max-bytes: " + e.getMessage());
    }
  }

  private void print(MemoryDefaults defaults) {
    SpaceSettings settings = defaults.getSettings();
    new Printer(console.out(), options.output)
        .one(
            defaults,
            "version",
            Long.toString(defaults.getVersion()),
            "changed",
            Text.of(defaults.getUpdateTime()),
            "everywhere",
            defaults.getSpreading() ? "not yet" : "yes",
            "short",
            lifetime(settings.getShortTier()),
            "working",
            lifetime(settings.getWorkingTier()),
            "long",
            lifetime(settings.getLongTier()),
            "conversations",
            settings.hasConversationLifetime()
                ? Text.of(settings.getConversationLifetime())
                : SERVERS,
            "refresh on read",
            settings.getRefreshOnRead() ? "yes" : "no",
            "promotions",
            promotions(settings),
            "items",
            settings.getMaxItems() == 0 ? SERVERS : Long.toString(settings.getMaxItems()),
            "bytes",
            settings.getMaxBytes() == 0 ? SERVERS : Long.toString(settings.getMaxBytes()));
  }

  private static String lifetime(TierSettings tier) {
    return tier.hasLifetime() ? Text.of(tier.getLifetime()) : SERVERS;
  }

  private static String promotions(SpaceSettings settings) {
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
