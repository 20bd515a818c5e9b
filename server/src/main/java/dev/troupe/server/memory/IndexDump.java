package dev.troupe.server.memory;

import dev.troupe.server.memory.search.DumpReader;
import dev.troupe.server.redis.Partition;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Map;
import java.util.concurrent.Executor;

/** A dump that was found: its header, and the rest to be read. */
record IndexDump(Partition partition, Path file, DumpHeader header) {

  /**
   * Reads the header only.
   *
   * @throws IOException if it cannot be read
   */
  static IndexDump open(Path file, Partition partition) throws IOException {
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
      return new IndexDump(partition, file, DumpHeader.read(channel));
    }
  }

  /**
   * Adds the spaces to those there are, none so far. When it fails some may have been added.
   *
   * @throws IOException if it cannot be read, or does not fit together
   */
  void into(Map<String, IndexedSpace> spaces, Executor background) throws IOException {
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
      channel.position(DumpHeader.BYTES);
      DumpReader in = new DumpReader(channel, header.length());
      String whose = in.text();
      if (!whose.equals(partition.toString())) {
        throw new IOException("it is that of " + whose);
      }
      for (int left = in.count(Long.BYTES); left > 0; left--) {
        spaces.put(in.text(), IndexedSpace.restored(in, background));
      }
      in.end(header.checksum());
    } catch (RuntimeException damaged) {
      throw new IOException("damaged: " + damaged, damaged);
    }
  }
}
