package dev.troupe.server.memory.search;

import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShape;
import jdk.incubator.vector.VectorSpecies;

/**
 * The loops on the widest registers that the processor has. Loaded by {@link VectorKernels} only,
 * and only where {@code jdk.incubator.vector} is there.
 */
final class SimdKernel implements VectorKernel {

  private static final VectorSpecies<Short> SHORTS = ShortVector.SPECIES_PREFERRED;
  private static final VectorSpecies<Integer> INTS =
      VectorSpecies.of(int.class, SHORTS.vectorShape());
  private static final int LANES = SHORTS.length();

  /** As many bytes as there are shorts to multiply them with. */
  private static final VectorSpecies<Byte> BYTES =
      VectorSpecies.of(byte.class, VectorShape.forBitSize(LANES * Byte.SIZE));

  SimdKernel() {
    if (LANES * Byte.SIZE < 64) {
      throw new UnsupportedOperationException("registers of " + SHORTS.vectorBitSize() + " bits");
    }
  }

  @Override
  public String name() {
    return "jdk.incubator.vector, " + SHORTS.vectorBitSize() + " bits";
  }

  @Override
  public void multiply(short[] query, byte[] codes, int first, int count, int[] products, int to) {
    for (int i = 0; i < count; i++) {
      products[to + i] = multiply(query, codes, (first + i) * query.length);
    }
  }

  @Override
  public void multiply(short[] query, byte[] codes, int[] which, int count, int[] products) {
    for (int i = 0; i < count; i++) {
      products[i] = multiply(query, codes, which[i] * query.length);
    }
  }

  private static int multiply(short[] query, byte[] codes, int at) {
    IntVector even = IntVector.zero(INTS);
    IntVector odd = IntVector.zero(INTS);
    int i = 0;
    for (; i + 2 * LANES <= query.length; i += 2 * LANES) {
      // Two products fit into 16 bits, as 2 * 127 * 127 does.
      IntVector pairs =
          product(query, i, codes, at)
              .add(product(query, i + LANES, codes, at))
              .reinterpretAsInts();
      even = even.add(lower(pairs));
      odd = odd.add(pairs.lanewise(VectorOperators.ASHR, Short.SIZE));
    }
    if (i + LANES <= query.length) {
      IntVector pairs = product(query, i, codes, at).reinterpretAsInts();
      even = even.add(lower(pairs));
      odd = odd.add(pairs.lanewise(VectorOperators.ASHR, Short.SIZE));
      i += LANES;
    }
    int sum = even.add(odd).reduceLanes(VectorOperators.ADD);
    for (; i < query.length; i++) {
      sum += query[i] * codes[at + i];
    }
    return sum;
  }

  private static ShortVector product(short[] query, int i, byte[] codes, int at) {
    ShortVector wide =
        (ShortVector) ByteVector.fromArray(BYTES, codes, at + i).castShape(SHORTS, 0);
    return wide.mul(ShortVector.fromArray(SHORTS, query, i));
  }

  /** The lower one of the two numbers in each lane. */
  private static IntVector lower(IntVector pairs) {
    return pairs
        .lanewise(VectorOperators.LSHL, Short.SIZE)
        .lanewise(VectorOperators.ASHR, Short.SIZE);
  }
}
