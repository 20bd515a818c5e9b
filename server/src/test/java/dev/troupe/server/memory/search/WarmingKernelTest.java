package dev.troupe.server.memory.search;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A kernel that has to be compiled first, as one that is slow until it is told not to be. */
final class WarmingKernelTest {

  private static final int DIMENSION = 512;
  private static final int BLOCK = 256;

  private static final class Slow implements VectorKernel {
    private final VectorKernel plain = new PlainKernel();
    private int[] known = new int[0];
    private boolean slow = true;
    private int taken;

    @Override
    public String name() {
      return "slow";
    }

    @Override
    public void multiply(short[] query, byte[] codes, int first, int count, int[] to, int at) {
      taken += count;
      if (slow) {
        long until = System.nanoTime() + TimeUnit.MICROSECONDS.toNanos(500);
        while (System.nanoTime() - until < 0) {
          Thread.onSpinWait();
        }
        plain.multiply(query, codes, first, count, to, at);
      } else {
        // As fast as nothing that multiplies could be.
        System.arraycopy(known, first, to, at, count);
      }
    }

    @Override
    public void multiply(short[] query, byte[] codes, int[] which, int count, int[] products) {
      // They are the first ones, in order.
      multiply(query, codes, which[0], count, products, 0);
    }
  }

  /** By vectors that lie one behind the other and by some, as filters want them. */
  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void itTakesOverWhenItIsFastAndIsRightAllTheTime(boolean selected) {
    Random random = new Random(5);
    byte[] codes = new byte[BLOCK * DIMENSION];
    for (int i = 0; i < codes.length; i++) {
      codes[i] = (byte) (random.nextInt(255) - 127);
    }
    short[] query = new short[DIMENSION];
    for (int i = 0; i < DIMENSION; i++) {
      query[i] = (short) (random.nextInt(255) - 127);
    }
    int[] expected = new int[BLOCK];
    new PlainKernel().multiply(query, codes, 0, BLOCK, expected, 0);
    Slow slow = new Slow();
    slow.known = expected;
    WarmingKernel kernel = new WarmingKernel(slow);
    for (int i = 0; i < 50; i++) {
      assertThat(products(kernel, selected, query, codes)).isEqualTo(expected);
    }
    assertThat(kernel.isWarm()).isFalse();
    // It is tried all the time, with few of the vectors.
    assertThat(slow.taken).isBetween(50, 50 * BLOCK / 8);

    slow.slow = false;
    for (int i = 0; i < 1000 && !kernel.isWarm(); i++) {
      assertThat(products(kernel, selected, query, codes)).isEqualTo(expected);
    }
    assertThat(kernel.isWarm()).isTrue();
    slow.taken = 0;
    assertThat(products(kernel, selected, query, codes)).isEqualTo(expected);
    assertThat(slow.taken).isEqualTo(BLOCK);
  }

  @Test
  void oneThatSeesSingleVectorsOnlyTakesOverTooSomeTime() {
    Slow slow = new Slow();
    slow.slow = false;
    slow.known = new int[] {6};
    WarmingKernel kernel = new WarmingKernel(slow);
    int[] product = new int[1];
    for (int i = 0; i < 2_000_000 && !kernel.isWarm(); i++) {
      kernel.multiply(new short[] {1, 2, 3}, new byte[] {1, 1, 1}, 0, 1, product, 0);
      assertThat(product[0]).isEqualTo(6);
    }
    assertThat(kernel.isWarm()).isTrue();
  }

  @Test
  void fewVectorsAreMultipliedTooAndSomeThatAreChosen() {
    WarmingKernel kernel = new WarmingKernel(VectorKernels.fastest());
    short[] query = {1, 2, 3};
    byte[] codes = {1, 1, 1, 2, 2, 2, 3, 3, 3};
    int[] products = new int[3];
    kernel.multiply(query, codes, 1, 2, products, 1);
    assertThat(products).containsExactly(0, 12, 18);
    kernel.multiply(query, codes, new int[] {2, 0}, 2, products);
    assertThat(products).containsExactly(18, 6, 18);
  }

  private static int[] products(
      VectorKernel kernel, boolean selected, short[] query, byte[] codes) {
    int[] products = new int[BLOCK];
    if (selected) {
      kernel.multiply(query, codes, IntStream.range(0, BLOCK).toArray(), BLOCK, products);
    } else {
      kernel.multiply(query, codes, 0, BLOCK, products, 0);
    }
    return products;
  }
}
