package dev.troupe.server.task;

import java.util.Map;
import java.util.Set;

/**
 * Who hangs on a stream.
 *
 * @param epochs of the stream, by queue
 */
record WorkerIdentity(
    String namespace, String worker, Set<String> capabilities, Map<QueueId, Long> epochs) {

  static final WorkerIdentity NOBODY = new WorkerIdentity("", "", Set.of(), Map.of());

  WorkerIdentity {
    capabilities = Set.copyOf(capabilities);
    epochs = Map.copyOf(epochs);
  }

  long newestEpoch() {
    return epochs.values().stream().mapToLong(Long::longValue).max().orElse(0);
  }
}
