package dev.troupe.server.memory.search;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.EOFException;
import java.io.IOException;
import java.nio.Buffer;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.DoubleBuffer;
import java.nio.FloatBuffer;
import java.nio.LongBuffer;
import java.nio.channels.FileChannel;
import java.util.zip.CRC32C;

/**
 * Reads what a {@link DumpWriter} wrote. What it says can be trusted only when {@link #end} has
 * found the checksum right; until then a damaged file may yield anything, though no more of
 * anything than could be in the file. Not thread-safe.
 */
public final class DumpReader {

  private static final int BUFFER_BYTES = 1 << 20;

  private final FileChannel file;
  private final ByteBuffer buffer =
      ByteBuffer.allocateDirect(BUFFER_BYTES).order(ByteOrder.LITTLE_ENDIAN).limit(0);
  private final CRC32C checksum = new CRC32C();

  /** How much of the file is not in the buffer yet. */
  private long behind;

  /**
   * Reads from where the file stands.
   *
   * @param length in bytes, of what was written
   */
  public DumpReader(FileChannel file, long length) {
    this.file = file;
    this.behind = length;
  }

  /** A whole number. */
  public long number() throws IOException {
    have(Long.BYTES);
    return buffer.getLong();
  }

  /**
   * How many of something follow.
   *
   * @param bytes that each of them takes in the file, at least
   * @throws IOException if that is more than there is
   */
  public int count(int bytes) throws IOException {
    long count = number();
    if (count < 0 || count > Integer.MAX_VALUE || count * bytes > behind + buffer.remaining()) {
      throw new IOException("damaged: " + count + " of something");
    }
    return (int) count;
  }

  /** A text. */
  public String text() throws IOException {
    return new String(bytes(), UTF_8);
  }

  /** Bytes, as many as were written. */
  public byte[] bytes() throws IOException {
    byte[] value = new byte[count(1)];
    column(value, value.length);
    return value;
  }

  void column(byte[] into, int count) throws IOException {
    for (int done = 0; done < count; ) {
      have(1);
      int some = Math.min(count - done, buffer.remaining());
      buffer.get(into, done, some);
      done += some;
    }
  }

  void column(long[] into, int count) throws IOException {
    for (int done = 0; done < count; ) {
      have(Long.BYTES);
      LongBuffer view = buffer.asLongBuffer();
      int some = Math.min(count - done, view.remaining());
      done += passed(view.get(into, done, some), Long.BYTES);
    }
  }

  void column(double[] into, int count) throws IOException {
    for (int done = 0; done < count; ) {
      have(Double.BYTES);
      DoubleBuffer view = buffer.asDoubleBuffer();
      int some = Math.min(count - done, view.remaining());
      done += passed(view.get(into, done, some), Double.BYTES);
    }
  }

  void column(float[] into, int count) throws IOException {
    column(FloatBuffer.wrap(into), count);
  }

  void column(FloatBuffer into, int count) throws IOException {
    for (int done = 0; done < count; ) {
      have(Float.BYTES);
      FloatBuffer view = buffer.asFloatBuffer();
      int some = Math.min(count - done, view.remaining());
      into.put(done, view, 0, some);
      done += passed(view.position(some), Float.BYTES);
    }
  }

  /** What went through a view of the buffer is behind it. */
  private int passed(Buffer view, int width) {
    buffer.position(buffer.position() + view.position() * width);
    return view.position();
  }

  private void have(int bytes) throws IOException {
    if (buffer.remaining() < bytes) {
      fill();
      if (buffer.remaining() < bytes) {
        throw new EOFException("damaged: it ends too early");
      }
    }
  }

  private void fill() throws IOException {
    buffer.compact();
    int before = buffer.position();
    buffer.limit((int) Math.min(buffer.capacity(), before + behind));
    while (buffer.hasRemaining() && file.read(buffer) >= 0) {
      // Until the buffer is full, or the file is shorter than it should be.
    }
    buffer.flip();
    behind -= buffer.limit() - before;
    checksum.update(buffer.duplicate().position(before));
  }

  /**
   * Says that all was read.
   *
   * @param expected what {@link DumpWriter#checksum} was
   * @throws IOException if there is more, or it is not what was written
   */
  public void end(long expected) throws IOException {
    if (behind > 0 || buffer.hasRemaining()) {
      throw new IOException("damaged: there is more than is known");
    }
    if (checksum.getValue() != expected) {
      throw new IOException("damaged: the checksum is another one");
    }
  }
}
