package dev.troupe.server.memory.search;

import static java.nio.charset.StandardCharsets.UTF_8;

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
 * Writes numbers, texts and whole columns to a file, one behind the other, in little endian. The
 * reader has to ask for the same in the same order. Not thread-safe.
 */
public final class DumpWriter {

  private static final int BUFFER_BYTES = 1 << 20;

  /**
   * So much is written through at a time: a Redis that writes to the same disk never waits long.
   */
  private static final long THROUGH_BYTES = 8 << 20;

  private final FileChannel file;
  private final ByteBuffer buffer =
      ByteBuffer.allocateDirect(BUFFER_BYTES).order(ByteOrder.LITTLE_ENDIAN);
  private final CRC32C checksum = new CRC32C();
  private long written;
  private long through;

  /** Writes from where the file stands. */
  public DumpWriter(FileChannel file) {
    this.file = file;
  }

  /** A whole number. */
  public void number(long value) throws IOException {
    room(Long.BYTES);
    buffer.putLong(value);
  }

  /** A text of any length. */
  public void text(String value) throws IOException {
    bytes(value.getBytes(UTF_8));
  }

  /** Bytes, and how many. */
  public void bytes(byte[] value) throws IOException {
    number(value.length);
    column(value, value.length);
  }

  /** The first of some bytes, but not how many; so do the others. */
  void column(byte[] values, int count) throws IOException {
    for (int done = 0; done < count; ) {
      room(1);
      int some = Math.min(count - done, buffer.remaining());
      buffer.put(values, done, some);
      done += some;
    }
  }

  void column(long[] values, int count) throws IOException {
    for (int done = 0; done < count; ) {
      room(Long.BYTES);
      LongBuffer view = buffer.asLongBuffer();
      int some = Math.min(count - done, view.remaining());
      done += passed(view.put(values, done, some), Long.BYTES);
    }
  }

  void column(double[] values, int count) throws IOException {
    for (int done = 0; done < count; ) {
      room(Double.BYTES);
      DoubleBuffer view = buffer.asDoubleBuffer();
      int some = Math.min(count - done, view.remaining());
      done += passed(view.put(values, done, some), Double.BYTES);
    }
  }

  void column(float[] values, int count) throws IOException {
    column(FloatBuffer.wrap(values), count);
  }

  void column(FloatBuffer values, int count) throws IOException {
    for (int done = 0; done < count; ) {
      room(Float.BYTES);
      FloatBuffer view = buffer.asFloatBuffer();
      int some = Math.min(count - done, view.remaining());
      done += passed(view.put(values.slice(done, some)), Float.BYTES);
    }
  }

  /** What went through a view of the buffer is behind it. */
  private int passed(Buffer view, int width) {
    buffer.position(buffer.position() + view.position() * width);
    return view.position();
  }

  private void room(int bytes) throws IOException {
    if (buffer.remaining() < bytes) {
      drain();
    }
  }

  private void drain() throws IOException {
    buffer.flip();
    checksum.update(buffer.duplicate());
    while (buffer.hasRemaining()) {
      written += file.write(buffer);
    }
    buffer.clear();
    if (written - through >= THROUGH_BYTES) {
      file.force(false);
      through = written;
    }
  }

  /** Writes what is left. */
  public void end() throws IOException {
    drain();
    file.force(false);
  }

  /** How many bytes were written up to the {@link #end()}. */
  public long length() {
    return written;
  }

  /** CRC-32C of them. */
  public long checksum() {
    return checksum.getValue();
  }
}
