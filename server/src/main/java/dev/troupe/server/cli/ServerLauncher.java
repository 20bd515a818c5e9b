package dev.troupe.server.cli;

import dev.troupe.server.config.Config;
import java.util.List;
import java.util.concurrent.CompletionStage;

/** Starts the server that {@code troupe serve} asks for. */
public interface ServerLauncher {

  /**
   * Starts everything and returns once calls are taken. A failure leaves nothing running.
   *
   * @throws Exception whose message tells the operator what is wrong
   */
  Running launch(Config config) throws Exception;

  /**
   * A server that takes calls.
   *
   * @param host the address that it listens on
   * @param port the port that it listens on
   * @param facts what else the operator should see, a line each: the kind of Redis, the data
   *     directory
   * @param stopped complete when it has stopped
   */
  record Running(String host, int port, List<String> facts, CompletionStage<?> stopped) {}
}
