package dev.troupe.server.memory.search;

import java.util.logging.Level;
import java.util.logging.Logger;

/** Keeps a notice of Lucene off stderr that would mislead whoever reads it. */
final class LuceneNotices {

  /** Held on to, as a logger that nobody holds forgets its level. */
  private static final Logger VECTORS =
      Logger.getLogger("org.apache.lucene.internal.vectorization.VectorizationProvider");

  private LuceneNotices() {}

  /**
   * Before Lucene's first use. It complains of jdk.incubator.vector on a Java that it cannot use
   * the module on; vectors are compared by {@link VectorKernel} here, which can.
   */
  static void silence() {
    VECTORS.setLevel(Level.SEVERE);
  }
}
