package dev.troupe.server.redis;

import java.util.List;
import java.util.concurrent.CompletionStage;

/**
 * Runs scripts in the partition that they concern.
 *
 * <p>A script gets the partition's log key as its only key and derives the others from it: they
 * share its hash tag, so a Cluster serves them from the same slot. Nothing here repeats a script
 * whose reply was lost; that is the caller's decision, because only the caller knows whether a
 * repeat is harmless.
 */
public interface ScriptRunner {

  /**
   * Runs a script; thread-safe, never blocks.
   *
   * @param arguments {@code byte[]}, {@code String} (sent as UTF-8) or {@code Long}/{@code Integer}
   *     (sent in decimal)
   * @return the script's reply, an array of {@code Long}, {@code byte[]}, {@code List} or null; or
   *     a {@code TroupeException}: STORE_UNAVAILABLE when the script surely did not run,
   *     OUTCOME_UNKNOWN when it may have
   */
  CompletionStage<List<Object>> run(Script script, Partition partition, Object... arguments);
}
