package dev.troupe.server.memory.search;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Up to 4,096 versions of items, column by column. A version is never changed while a reader may
 * see it: it has the sequence number at which it was born and, later, the one at which it died, and
 * is seen by readers between the two. Only its expiry moves.
 *
 * <p>One writer; readers take no lock. A reader that sees a version as alive also sees all of its
 * columns; of any other version they may hold anything.
 */
final class Chunk {

  static final int SHIFT = 12;
  static final int SIZE = 1 << SHIFT;

  private static final int FIRST_CAPACITY = 16;

  /** When what is not born is born, and what lives dies. */
  static final long NOT_YET = Long.MAX_VALUE;

  private static final VarHandle LONGS = MethodHandles.arrayElementVarHandle(long[].class);

  /** Of its vectors; 0 when it is for items without one. */
  final int dimension;

  /** Of each of the {@link Parts}. */
  final byte[][] codes;

  /**
   * Most of what there is, and outside of the heap: a collection need not copy it, as it would each
   * time that an index grows. Only absolute reads and writes; its position is everybody's.
   */
  final FloatBuffer vectors;

  /** Of {@link Quantised}, divided by the vector's length when angles are compared. */
  final float[] scales;

  final float[] errors;
  final float[] reaches;

  /** How long the vector is behind its first part, at most; as the scales are. */
  final float[] rests;

  final double[] squared;
  final long[] signaturesLow;
  final long[] signaturesHigh;
  final long[] created;
  final long[] updated;
  final double[] importance;
  final @Nullable StoredItem[] items;
  private final long[] expires;
  private final long[] born;
  private final long[] died;

  /** The largest of {@link #errors} and {@link #reaches} so far. */
  float mostError;

  float mostReach;

  /** How many slots were ever in use; written before what makes the last one visible. */
  int used;

  Chunk(int dimension) {
    this(dimension, FIRST_CAPACITY);
  }

  /** One that has grown to so many slots. */
  static Chunk withRoomFor(int slots, int dimension) {
    int capacity = FIRST_CAPACITY;
    while (capacity < slots) {
      capacity *= 2;
    }
    return new Chunk(dimension, capacity);
  }

  Chunk(int dimension, int capacity) {
    this.dimension = dimension;
    boolean plain = dimension == 0;
    int parts = Parts.count(dimension);
    codes = new byte[parts][];
    for (int part = 0; part < parts; part++) {
      codes[part] = new byte[width(part) * capacity];
    }
    rests = new float[plain ? 0 : capacity];
    vectors =
        ByteBuffer.allocateDirect(dimension * capacity * Float.BYTES)
            .order(ByteOrder.nativeOrder())
            .asFloatBuffer();
    scales = new float[plain ? 0 : capacity];
    errors = new float[plain ? 0 : capacity];
    reaches = new float[plain ? 0 : capacity];
    squared = new double[plain ? 0 : capacity];
    signaturesLow = new long[capacity];
    signaturesHigh = new long[capacity];
    created = new long[capacity];
    updated = new long[capacity];
    importance = new double[capacity];
    items = new StoredItem[capacity];
    expires = new long[capacity];
    born = new long[capacity];
    died = new long[capacity];
    Arrays.fill(born, NOT_YET);
  }

  /** How many codes of a vector are in a part. */
  int width(int part) {
    return Parts.begin(dimension, part + 1) - Parts.begin(dimension, part);
  }

  int capacity() {
    return items.length;
  }

  /** A copy with twice the room, for readers to come. Those on this one see all that they may. */
  Chunk grown() {
    Chunk grown = new Chunk(dimension, Math.min(SIZE, 2 * capacity()));
    for (int part = 0; part < codes.length; part++) {
      System.arraycopy(codes[part], 0, grown.codes[part], 0, codes[part].length);
    }
    System.arraycopy(rests, 0, grown.rests, 0, rests.length);
    grown.vectors.put(0, vectors, 0, vectors.capacity());
    System.arraycopy(scales, 0, grown.scales, 0, scales.length);
    System.arraycopy(errors, 0, grown.errors, 0, errors.length);
    System.arraycopy(reaches, 0, grown.reaches, 0, reaches.length);
    System.arraycopy(squared, 0, grown.squared, 0, squared.length);
    int capacity = capacity();
    System.arraycopy(signaturesLow, 0, grown.signaturesLow, 0, capacity);
    System.arraycopy(signaturesHigh, 0, grown.signaturesHigh, 0, capacity);
    System.arraycopy(created, 0, grown.created, 0, capacity);
    System.arraycopy(updated, 0, grown.updated, 0, capacity);
    System.arraycopy(importance, 0, grown.importance, 0, capacity);
    System.arraycopy(items, 0, grown.items, 0, capacity);
    System.arraycopy(expires, 0, grown.expires, 0, capacity);
    System.arraycopy(born, 0, grown.born, 0, capacity);
    System.arraycopy(died, 0, grown.died, 0, capacity);
    grown.mostError = mostError;
    grown.mostReach = mostReach;
    grown.used = used;
    return grown;
  }

  /** Writes a version that readers of this sequence number and later will see. */
  void write(int at, IndexItem item, StoredItem stored, Metric metric, long sequence) {
    // A reader of the last tenant must not take the new one for it: born is moved out of its sight
    // before died is reset, and it reads them the other way round.
    LONGS.setRelease(born, at, sequence);
    LONGS.setRelease(died, at, NOT_YET);
    LONGS.setRelease(expires, at, item.expireMicros());
    items[at] = stored;
    created[at] = item.createMicros();
    updated[at] = item.updateMicros();
    importance[at] = item.importance();
    Signature signature = Signature.of(stored);
    signaturesLow[at] = signature.low();
    signaturesHigh[at] = signature.high();
    if (dimension > 0) {
      writeVector(at, item.embedding(), metric);
    }
    used = Math.max(used, at + 1);
  }

  private void writeVector(int at, float[] vector, Metric metric) {
    vectors.put(at * dimension, vector);
    byte[] whole = new byte[dimension];
    Quantised quantised = Quantised.into(vector, whole);
    for (int part = 0; part < codes.length; part++) {
      int width = width(part);
      System.arraycopy(whole, Parts.begin(dimension, part), codes[part], at * width, width);
    }
    squared[at] = quantised.squared();
    double length = metric == Metric.COSINE ? Math.sqrt(quantised.squared()) : 1;
    // The zero vector has no direction, and its product is 0 as it is.
    double divisor = length == 0 ? 1 : length;
    scales[at] = (float) (quantised.scale() / divisor);
    errors[at] = Math.nextUp((float) (quantised.error() / divisor));
    reaches[at] = Math.nextUp((float) (quantised.reach() / divisor));
    double behind = Vectors.squared(vector, Parts.begin(dimension, 1), dimension);
    rests[at] = Math.nextUp((float) ((1 + Quantised.ROUNDING) * Math.sqrt(behind) / divisor));
    mostError = Math.max(mostError, errors[at]);
    mostReach = Math.max(mostReach, reaches[at]);
  }

  /** Copies the codes of a vector, in the order of its dimensions. */
  void copyCodes(int at, byte[] to, int place) {
    for (int part = 0; part < codes.length; part++) {
      int width = width(part);
      System.arraycopy(codes[part], at * width, to, place + Parts.begin(dimension, part), width);
    }
  }

  void kill(int at, long sequence) {
    LONGS.setRelease(died, at, sequence);
  }

  void expireAt(int at, long micros) {
    LONGS.setRelease(expires, at, micros);
  }

  long expiry(int at) {
    return (long) LONGS.getAcquire(expires, at);
  }

  long bornAt(int at) {
    return (long) LONGS.getAcquire(born, at);
  }

  /** Has a version live on that was read from a dump with its columns; nobody reads meanwhile. */
  void revive(int at, long sequence, long expireMicros) {
    born[at] = sequence;
    died[at] = NOT_YET;
    expires[at] = expireMicros;
  }

  /** Lets go of what a version that nobody sees any more holds on to. */
  void forget(int at) {
    items[at] = null;
  }

  /** Whether a reader of a sequence number sees the version, and it is not expired. */
  boolean isVisible(int at, long sequence, long nowMicros) {
    return isAlive(at, sequence) && expiry(at) > nowMicros;
  }

  /** Whether a reader of a sequence number sees the version, expired or not. */
  boolean isAlive(int at, long sequence) {
    return (long) LONGS.getAcquire(died, at) > sequence
        && (long) LONGS.getAcquire(born, at) <= sequence;
  }
}
