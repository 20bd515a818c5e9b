package dev.troupe.server.memory;

import dev.troupe.server.log.LogPosition;
import dev.troupe.server.log.PartitionLogs.LogHead;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.util.zip.CRC32C;

/**
 * The beginning of a dump: of which log it is, and how far. It can be written again without the
 * rest when the log went on with nothing that is indexed.
 *
 * @param epoch the life of the log
 * @param at all changes up to this one are in
 * @param seen no change after this one is in; one in between is, or is not
 * @param items of all spaces
 * @param length of what follows, in bytes
 * @param checksum of what follows
 */
record DumpHeader(
    long epoch, LogPosition at, LogPosition seen, long items, long length, long checksum) {

  /** What follows begins here. A power of two, so that no write of the header is torn. */
  static final int BYTES = 512;

  private static final long MAGIC = 0x54524f5550454958L;

  /** To be counted up whenever what is dumped, or how an index reads it, changes. */
  private static final long FORMAT = 2;

  /** The same rest, as of another place of the log. */
  DumpHeader as(LogPosition newAt, LogPosition newSeen) {
    return new DumpHeader(epoch, newAt, newSeen, items, length, checksum);
  }

  /**
   * Checks that the log, of which this is the end, may be the one it was made from: it is, if the
   * entries that follow it are there, and the one that was {@link #seen} is among them.
   *
   * @throws IOException if it is not
   */
  void requireLeadsTo(LogHead end) throws IOException {
    if (epoch != end.epoch()) {
      throw new IOException("it is of another log");
    }
    if (!isIn(at, end.position()) || !isIn(seen, end.position())) {
      throw new IOException("it is of a log that went on otherwise: Redis lost its end");
    }
  }

  /** Whether a log that ends there may have an entry at a place. */
  static boolean isIn(LogPosition place, LogPosition end) {
    return place.sequence() < end.sequence() || place.equals(end);
  }

  void write(FileChannel file) throws IOException {
    ByteBuffer bytes = ByteBuffer.allocate(BYTES);
    bytes.putLong(MAGIC).putLong(FORMAT).putLong(epoch);
    put(at, bytes);
    put(seen, bytes);
    bytes.putLong(items).putLong(length).putLong(checksum);
    bytes.putLong(checksum(bytes));
    bytes.rewind();
    for (int done = 0; done < BYTES; ) {
      done += file.write(bytes, done);
    }
  }

  private static void put(LogPosition position, ByteBuffer into) {
    into.putLong(position.millis()).putLong(position.order()).putLong(position.sequence());
  }

  /** Of what is before the buffer's position. */
  private static long checksum(ByteBuffer bytes) {
    CRC32C checksum = new CRC32C();
    checksum.update(bytes.duplicate().flip());
    return checksum.getValue();
  }

  /**
   * Reads one; the file then stands behind it.
   *
   * @throws IOException if it is none, or of another format
   */
  static DumpHeader read(FileChannel file) throws IOException {
    ByteBuffer bytes = ByteBuffer.allocate(BYTES);
    while (bytes.hasRemaining() && file.read(bytes) >= 0) {
      // Until there is all of it.
    }
    bytes.flip();
    if (bytes.remaining() < BYTES || bytes.getLong() != MAGIC) {
      throw new IOException("it is no dump of an index");
    }
    long format = bytes.getLong();
    if (format != FORMAT) {
      throw new IOException("it has format " + format + " (expected: " + FORMAT + ")");
    }
    DumpHeader header =
        new DumpHeader(
            bytes.getLong(),
            position(bytes),
            position(bytes),
            bytes.getLong(),
            bytes.getLong(),
            bytes.getLong());
    if (checksum(bytes) != bytes.getLong()) {
      throw new IOException("damaged: its header");
    }
    return header;
  }

  private static LogPosition position(ByteBuffer from) {
    return new LogPosition(from.getLong(), from.getLong(), from.getLong());
  }
}
