package dev.troupe.server.agent;

import java.util.List;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;

/** Who is registered, for features that address agents. Thread-safe. */
public interface AgentDirectory {

  /** Those of the given ids that were never registered, in the order given. */
  CompletionStage<List<String>> unknown(String namespace, List<String> agentIds);

  /**
   * Visits the ids of all agents that have not ended, a few hundred at a time, partition by
   * partition. An agent that comes or goes meanwhile may or may not be among them.
   *
   * @param type only agents of this type; empty means all
   * @param capabilities only agents with all of these
   * @param visitor gets the next ids once what it returned for those before is complete; its
   *     failure ends the visit
   * @return how many there were
   */
  CompletionStage<Integer> visit(
      String namespace,
      String type,
      List<String> capabilities,
      Function<List<String>, CompletionStage<?>> visitor);
}
