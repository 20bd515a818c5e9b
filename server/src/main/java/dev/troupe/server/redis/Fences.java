package dev.troupe.server.redis;

import dev.troupe.v1.Fence;

/** How the scripts are told of a fence; {@code common/fence} checks it. */
public final class Fences {

  private static final String LOCK = "locks/";
  private static final String AGENT = "agents/";

  /** No name has a control character, so nobody can give a name that begins so. */
  private static final String EXACT = "\u0001";

  private Fences() {}

  /**
   * The name of a fence for a write into a partition. Where the grant itself lives there, it is
   * marked, so that it is compared with the grant and not with what was seen before.
   */
  public static String name(Partition partition, Fence fence) {
    String name = fence.getName();
    return isHome(partition, name, LOCK) || isHome(partition, name, AGENT) ? EXACT + name : name;
  }

  private static boolean isHome(Partition partition, String name, String kind) {
    return name.startsWith(kind) && partition.isHomeOf(name.substring(kind.length()));
  }
}
