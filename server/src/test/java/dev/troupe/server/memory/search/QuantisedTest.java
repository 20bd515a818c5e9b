package dev.troupe.server.memory.search;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.FloatBuffer;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** The bound that the scan relies on, and the loops that it runs. */
final class QuantisedTest {

  @Test
  void noProductIsFurtherOffThanTheBound() {
    Random random = new Random(11);
    for (int round = 0; round < 20_000; round++) {
      int dimension = 1 + random.nextInt(70);
      float[] vector = vector(random, dimension);
      float[] query = vector(random, dimension);
      byte[] codes = new byte[dimension];
      Quantised quantised = Quantised.into(vector, codes);
      double length = Math.sqrt(Vectors.dot(query, FloatBuffer.wrap(query), 0));
      QueryCodes rounded = QueryCodes.of(query, length);
      int[] product = new int[1];
      new PlainKernel().multiply(rounded.codes(), codes, 0, 1, product, 0);
      double guess = rounded.step() * quantised.scale() * product[0];
      double exact = length == 0 ? 0 : Vectors.dot(query, FloatBuffer.wrap(vector), 0) / length;
      double bound = quantised.error() + rounded.error() * quantised.reach();
      assertThat(Math.abs(exact - guess)).isLessThanOrEqualTo(bound);
    }
  }

  @Test
  void theBoundIsOfUse() {
    Random random = new Random(12);
    float[] vector = new float[384];
    for (int i = 0; i < vector.length; i++) {
      vector[i] = (float) random.nextGaussian();
    }
    Quantised quantised = Quantised.into(vector, new byte[384]);
    double length = Math.sqrt(quantised.squared());
    assertThat(quantised.error() / length).isLessThan(0.01);
    assertThat(QueryCodes.of(vector, length).error()).isLessThan(0.01);
  }

  @Test
  void bothLoopsComputeTheSame() {
    Random random = new Random(13);
    VectorKernel plain = new PlainKernel();
    VectorKernel best = VectorKernels.fastest();
    // The tests run with the module, so that both are tested.
    assertThat(best).isNotInstanceOf(PlainKernel.class);
    for (int dimension = 1; dimension < 130; dimension++) {
      byte[] codes = new byte[dimension * 5];
      for (int i = 0; i < codes.length; i++) {
        codes[i] = (byte) (random.nextInt(255) - 127);
      }
      short[] query = QueryCodes.of(vector(random, dimension), 1).codes();
      int[] expected = new int[5];
      int[] found = new int[5];
      plain.multiply(query, codes, 0, 5, expected, 0);
      best.multiply(query, codes, 0, 5, found, 0);
      assertThat(found).isEqualTo(expected);
      plain.multiply(query, codes, new int[] {0, 2}, 2, expected);
      best.multiply(query, codes, new int[] {0, 2}, 2, found);
      assertThat(found).isEqualTo(expected);
    }
  }

  @Test
  void theLargestProductsFit() {
    for (int dimension : new int[] {1, 2, 64, 384, IndexSettings.MAX_DIMENSION}) {
      float[] ones = new float[dimension];
      Arrays.fill(ones, 1);
      byte[] codes = new byte[dimension];
      Quantised.into(ones, codes);
      short[] query = QueryCodes.of(ones, Math.sqrt(dimension)).codes();
      short[] opposite = new short[dimension];
      Arrays.fill(opposite, (short) -Quantised.LARGEST);
      int largest = 127 * 127 * dimension;
      for (VectorKernel kernel : List.of(new PlainKernel(), VectorKernels.fastest())) {
        int[] product = new int[1];
        kernel.multiply(query, codes, 0, 1, product, 0);
        assertThat(product[0]).isEqualTo(largest);
        kernel.multiply(opposite, codes, 0, 1, product, 0);
        assertThat(product[0]).isEqualTo(-largest);
      }
    }
  }

  private static float[] vector(Random random, int dimension) {
    float[] vector = new float[dimension];
    float size = (float) Math.pow(10, random.nextInt(41) - 20);
    boolean sparse = random.nextInt(3) == 0;
    for (int i = 0; i < dimension; i++) {
      vector[i] = sparse && random.nextInt(4) > 0 ? 0 : (float) random.nextGaussian() * size;
    }
    return vector;
  }
}
