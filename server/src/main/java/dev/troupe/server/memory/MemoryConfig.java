package dev.troupe.server.memory;

import dev.troupe.server.config.DataSize;
import dev.troupe.server.config.DurationBounds;
import dev.troupe.server.config.Setting;
import java.time.Duration;

/**
 * Settings of the memory feature. Those of a space count where neither it nor its namespace says
 * something else, as they were when the space was created or its settings last changed.
 *
 * @param shortLifetime of items in short-term memory
 * @param workingLifetime of items in working memory
 * @param longLifetime of items in long-term memory
 * @param consolidationLead how long before their end items are announced; 0 never
 * @param conversationLifetime of a conversation after its last turn
 * @param maxItems of a space
 * @param maxBytes of a space
 * @param maxTurns of a conversation; the oldest go
 * @param maxSpaces of a partition
 * @param indexDir where dumps of search indexes are kept; empty: see the setting
 * @param indexSaveInterval between two dumps of an index; 0 keeps none
 */
public record MemoryConfig(
    @Setting(
            name = "memory.short-lifetime",
            help =
                "how long items of short-term memory last, unless they or their space say so, 1s to 365d",
            fallback = "15m")
        Duration shortLifetime,
    @Setting(
            name = "memory.working-lifetime",
            help = "how long items of working memory last, 1s to 365d",
            fallback = "1h")
        Duration workingLifetime,
    @Setting(
            name = "memory.long-lifetime",
            help = "how long items of long-term memory last, 1s to 365d",
            fallback = "24h")
        Duration longLifetime,
    @Setting(
            name = "memory.consolidation-lead",
            help =
                "how long before their end items are told to the log as expiring, up to 30d; 0 never",
            fallback = "1m")
        Duration consolidationLead,
    @Setting(
            name = "memory.conversation-lifetime",
            help = "how long a conversation lasts after its last turn, 1s to 3650d",
            fallback = "7d")
        Duration conversationLifetime,
    @Setting(
            name = "memory.max-items",
            help = "how many items a space may have; past that, puts evict",
            fallback = "1000000")
        long maxItems,
    @Setting(
            name = "memory.max-bytes",
            help = "how many bytes the items of a space may take; past that, puts evict",
            fallback = "4GiB")
        DataSize maxBytes,
    @Setting(
            name = "memory.max-turns",
            help = "how many turns of a conversation are kept",
            fallback = "10000")
        int maxTurns,
    @Setting(
            name = "memory.max-spaces",
            help = "how many memory spaces a partition may have",
            fallback = "10000")
        int maxSpaces,
    @Setting(
            name = "memory.index-dir",
            help =
                "where dumps of the search indexes are kept, so that a restart is fast; they may be"
                    + " deleted; when not set: in memory-index of redis.data-dir with the embedded"
                    + " Redis, else nowhere",
            fallback = "")
        String indexDir,
    @Setting(
            name = "memory.index-save-interval",
            help = "how long between two dumps of an index that changes, 1s or more; 0 keeps none",
            fallback = "5m")
        Duration indexSaveInterval) {

  private static final Duration LEAST = Duration.ofSeconds(1);
  private static final Duration MOST = Duration.ofDays(365);

  /** Checks the bounds. */
  public MemoryConfig {
    DurationBounds.between("memory.short-lifetime", shortLifetime, LEAST, MOST);
    DurationBounds.between("memory.working-lifetime", workingLifetime, LEAST, MOST);
    DurationBounds.between("memory.long-lifetime", longLifetime, LEAST, MOST);
    DurationBounds.between(
        "memory.conversation-lifetime", conversationLifetime, LEAST, MOST.multipliedBy(10));
    DurationBounds.between(
        "memory.consolidation-lead", consolidationLead, Duration.ZERO, Duration.ofDays(30));
    number("memory.max-items", maxItems, SpaceChecks.MOST_ITEMS);
    number("memory.max-bytes", maxBytes.bytes(), SpaceChecks.MOST_BYTES);
    number("memory.max-turns", maxTurns, 1_000_000);
    number("memory.max-spaces", maxSpaces, 1_000_000);
    DurationBounds.zeroOrBetween("memory.index-save-interval", indexSaveInterval, LEAST, MOST);
  }

  private static void number(String name, long value, long most) {
    if (value < 1 || value > most) {
      throw new IllegalArgumentException(name + ": " + value + " (expected: 1 to " + most + ")");
    }
  }
}
