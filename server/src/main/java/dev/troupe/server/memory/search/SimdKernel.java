package dev.troupe.server.memory.search;

import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/**
 * The loops on the widest registers that the processor has. Loaded by {@link VectorKernels} only,
 * and only where {@code jdk.incubator.vector} is there.
 */
final class SimdKernel implements VectorKernel {

  private static final VectorSpecies<Float> FLOATS = FloatVector.SPECIES_PREFERRED;
  private static final int LANES = FLOATS.length();

  /** As many bytes as there are floats to multiply them with. */
  private static final VectorSpecies<Byte> BYTES =
      VectorSpecies.of(byte.class, jdk.incubator.vector.VectorShape.forBitSize(LANES * Byte.SIZE));

  SimdKernel() {
    if (LANES * Byte.SIZE < 64) {
      throw new UnsupportedOperationException("registers of " + FLOATS.vectorBitSize() + " bits");
    }
  }

  @Override
  public String name() {
    return "jdk.incubator.vector, " + FLOATS.vectorBitSize() + " bits";
  }

  @Override
  public void multiply(float[] query, byte[] codes, int first, int count, float[] products) {
    for (int i = 0; i < count; i++) {
      products[i] = multiply(query, codes, (first + i) * query.length);
    }
  }

  @Override
  public void multiply(
      float[] query, byte[] codes, int[] which, int from, int count, float[] products) {
    for (int i = 0; i < count; i++) {
      products[i] = multiply(query, codes, which[from + i] * query.length);
    }
  }

  private static float multiply(float[] query, byte[] codes, int at) {
    FloatVector s0 = FloatVector.zero(FLOATS);
    FloatVector s1 = FloatVector.zero(FLOATS);
    int i = 0;
    for (; i + 2 * LANES <= query.length; i += 2 * LANES) {
      s0 = floats(codes, at + i).fma(FloatVector.fromArray(FLOATS, query, i), s0);
      s1 = floats(codes, at + i + LANES).fma(FloatVector.fromArray(FLOATS, query, i + LANES), s1);
    }
    if (i + LANES <= query.length) {
      s0 = floats(codes, at + i).fma(FloatVector.fromArray(FLOATS, query, i), s0);
      i += LANES;
    }
    float sum = s0.add(s1).reduceLanes(VectorOperators.ADD);
    for (; i < query.length; i++) {
      sum += query[i] * codes[at + i];
    }
    return sum;
  }

  private static FloatVector floats(byte[] codes, int at) {
    return (FloatVector) ByteVector.fromArray(BYTES, codes, at).castShape(FLOATS, 0);
  }
}
