package dev.troupe.server.memory.search;

/** How alike two vectors are; the greater, the more. */
public enum Metric {
  /** The cosine of their angle, in [-1, 1]; 0 when one of them is the zero vector. */
  COSINE,
  /** Their inner product, of any size. */
  DOT,
  /** {@code 1 / (1 + d²)} for the Euclidean distance d, in (0, 1]. */
  L2
}
