package dev.troupe.bench;

import java.util.Arrays;
import java.util.List;

/** Times in nanoseconds, in order. */
final class Samples {

  private final long[] sorted;

  private Samples(long[] sorted) {
    this.sorted = sorted;
  }

  static Samples of(List<Recorder> recorders) {
    long[] all =
        recorders.stream().flatMapToLong(r -> Arrays.stream(r.nanos, 0, r.count)).toArray();
    Arrays.sort(all);
    return new Samples(all);
  }

  int count() {
    return sorted.length;
  }

  /** Not a number when there are none. */
  double quantile(double q) {
    return sorted.length == 0 ? Double.NaN : sorted[(int) (sorted.length * q)];
  }

  /** Not a number when there are none. */
  double max() {
    return sorted.length == 0 ? Double.NaN : sorted[sorted.length - 1];
  }

  /** Takes times down, by one thread at a time. */
  static final class Recorder {
    private long[] nanos = new long[1024];
    private int count;

    void add(long time) {
      if (count == nanos.length) {
        nanos = Arrays.copyOf(nanos, 2 * count);
      }
      nanos[count++] = time;
    }
  }
}
