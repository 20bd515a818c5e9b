package dev.troupe.server.memory.search;

import java.util.Map;
import java.util.Random;
import java.util.Set;

/** Items and vectors to search for. */
final class Items {

  static final long NOW = 1_800_000_000_000_000L;

  private Items() {}

  static IndexItem embedded(String id, float... vector) {
    return item(id, "", vector);
  }

  static IndexItem written(String id, String text) {
    return item(id, text, new float[0]);
  }

  static IndexItem item(String id, String text, float[] vector) {
    return new IndexItem(
        id, text, vector, Set.of(), "working", "", 0.5, NOW, NOW, IndexItem.NEVER, Map.of());
  }

  static IndexItem of(String id, float[] vector, SearchFilterTest.Traits traits) {
    return new IndexItem(
        id,
        "",
        vector,
        traits.tags(),
        traits.tier(),
        traits.source(),
        traits.importance(),
        traits.created(),
        traits.updated(),
        IndexItem.NEVER,
        traits.attributes());
  }

  static SpaceIndex index(int dimension, Metric metric) {
    return new SpaceIndex(IndexSettings.of(dimension, metric), Runnable::run);
  }

  /** Few directions with little around them, so that many vectors are nearly equal. */
  static float[] clustered(Random random, int dimension, int clusters) {
    Random cluster = new Random(random.nextInt(clusters));
    float[] vector = new float[dimension];
    for (int i = 0; i < dimension; i++) {
      vector[i] = (float) (cluster.nextGaussian() + 0.05 * random.nextGaussian());
    }
    return vector;
  }

  static float[] scaled(float[] vector, float by) {
    float[] scaled = new float[vector.length];
    for (int i = 0; i < vector.length; i++) {
      scaled[i] = vector[i] * by;
    }
    return scaled;
  }
}
