package dev.troupe.server.grpc;

import java.time.Duration;

/**
 * How patient a stream is.
 *
 * @param checkpointEvery after how long without a message a checkpoint is sent
 * @param slowAfter how long a caller may take nothing while something waits for it
 */
public record StreamPace(Duration checkpointEvery, Duration slowAfter) {

  /** What the contract says. */
  public static final StreamPace DEFAULT =
      new StreamPace(Duration.ofSeconds(15), Duration.ofSeconds(30));
}
