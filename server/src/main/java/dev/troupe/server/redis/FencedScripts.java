package dev.troupe.server.redis;

import dev.troupe.v1.Fence;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Runs scripts behind the check of a fence, in one step with it; a script that the fence stops
 * answers {@code STALE_FENCE}. Those that run without a fence do not pay for it.
 */
public final class FencedScripts implements ScriptRunner {

  private static final Map<String, Script> FENCED = new ConcurrentHashMap<>();

  private final ScriptRunner scripts;
  private final Fence fence;

  public FencedScripts(ScriptRunner scripts, Fence fence) {
    this.scripts = scripts;
    this.fence = fence;
  }

  @Override
  public CompletionStage<List<Object>> run(
      Script script, Partition partition, Object... arguments) {
    Object[] all = new Object[arguments.length + 2];
    all[0] = Fences.name(partition, fence);
    all[1] = fence.getToken();
    System.arraycopy(arguments, 0, all, 2, arguments.length);
    Script fenced = FENCED.computeIfAbsent(script.name(), name -> script.fenced());
    return scripts.run(fenced, partition, all);
  }
}
