package dev.troupe.server.memory.search;

import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShape;
import jdk.incubator.vector.VectorSpecies;

/**
 * The loops on the widest registers that the processor has. Loaded by {@link VectorKernels} only,
 * and only where {@code jdk.incubator.vector} is there.
 */
final class SimdKernel implements VectorKernel {

  private static final VectorSpecies<Integer> INTS = IntVector.SPECIES_PREFERRED;
  private static final int LANES = INTS.length();

  /** As many bytes as there are ints to multiply them with. */
  private static final VectorSpecies<Byte> BYTES =
      VectorSpecies.of(byte.class, VectorShape.forBitSize(LANES * Byte.SIZE));

  SimdKernel() {
    if (LANES * Byte.SIZE < 64) {
      throw new UnsupportedOperationException("registers of " + INTS.vectorBitSize() + " bits");
    }
  }

  @Override
  public String name() {
    return "jdk.incubator.vector, " + INTS.vectorBitSize() + " bits";
  }

  @Override
  public void multiply(int[] query, byte[] codes, int first, int count, int[] products) {
    for (int i = 0; i < count; i++) {
      products[i] = multiply(query, codes, (first + i) * query.length);
    }
  }

  @Override
  public void multiply(
      int[] query, byte[] codes, int[] which, int from, int count, int[] products) {
    for (int i = 0; i < count; i++) {
      products[i] = multiply(query, codes, which[from + i] * query.length);
    }
  }

  private static int multiply(int[] query, byte[] codes, int at) {
    IntVector s0 = IntVector.zero(INTS);
    IntVector s1 = IntVector.zero(INTS);
    int i = 0;
    for (; i + 2 * LANES <= query.length; i += 2 * LANES) {
      s0 = s0.add(ints(codes, at + i).mul(IntVector.fromArray(INTS, query, i)));
      s1 = s1.add(ints(codes, at + i + LANES).mul(IntVector.fromArray(INTS, query, i + LANES)));
    }
    if (i + LANES <= query.length) {
      s0 = s0.add(ints(codes, at + i).mul(IntVector.fromArray(INTS, query, i)));
      i += LANES;
    }
    int sum = s0.add(s1).reduceLanes(VectorOperators.ADD);
    for (; i < query.length; i++) {
      sum += query[i] * codes[at + i];
    }
    return sum;
  }

  private static IntVector ints(byte[] codes, int at) {
    return (IntVector) ByteVector.fromArray(BYTES, codes, at).castShape(INTS, 0);
  }
}
