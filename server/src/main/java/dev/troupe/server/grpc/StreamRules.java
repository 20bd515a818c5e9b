package dev.troupe.server.grpc;

import dev.troupe.server.log.PartitionLogs.Until;
import java.util.concurrent.CompletionStage;
import java.util.function.IntFunction;
import org.jspecify.annotations.Nullable;

/**
 * What a caller wants of its stream.
 *
 * @param whenBehind what becomes of it when it does not keep up
 * @param endMillis it ends before the first entry accepted at or after this time, in milliseconds
 *     since 1970; {@link Long#MAX_VALUE} for no end
 * @param until asks where a partition's log ends by that time
 */
public record StreamRules(
    WhenBehind whenBehind, long endMillis, @Nullable IntFunction<CompletionStage<Until>> until) {

  /** It goes on for good, and catches up when it has to. */
  public static final StreamRules DEFAULT =
      new StreamRules(WhenBehind.CATCH_UP, Long.MAX_VALUE, null);
}
